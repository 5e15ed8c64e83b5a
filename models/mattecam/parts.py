"""Parts of Mattecam's network: trunk, recurrent unit, stages of decision and forgetting (`models.rules`)."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.backbones import efficientnet_lite
from models.blocks import conv_norm, halve
from models.rules import DecisionRule, ForgettingRule

LATERAL = 64, 96
"""Channels of the trunk's features at 1/16 and 1/32 of the small frame."""


class Trunk(nn.Module):
    """EfficientNet-Lite0, pretrained, and a convolution of 1x1 for each of its features."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = efficientnet_lite.EfficientNetLite0()
        c4, c5 = efficientnet_lite.CHANNELS
        l4, l5 = LATERAL
        self.lateral4, self.lateral5 = conv_norm(c4, l4), conv_norm(c5, l5)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features at 1/16 and 1/32 of a normalized frame (B, 3, H, W), joined at 1/16."""
        return self.finish(self.encoder.begin(x))

    def finish(self, begun: Tensor) -> Tensor:
        """Return the same from what the encoder's `begin` makes of the frame."""
        g4, g5 = self.encoder.finish(begun)
        return joined(self.lateral5(g5), self.lateral4(g4))


def joined(coarse: Tensor, skip: Tensor) -> Tensor:
    """Upsample the coarse features by 2, crop them to the size of `skip`, and concatenate both."""
    x = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
    return torch.cat([x[:, :, : skip.shape[2], : skip.shape[3]], skip], 1)


_OPEN = 2.0
"""Initial bias of the update gate: most of the state is replaced in every frame."""


class MattecamGRU(nn.Module):
    """Processes half of the channels with a convolutional GRU and passes the others through.

    h = (1 - z) * h + z * tanh(conv([x, r * h])), with the gates r and z from conv([x, h]) (arXiv 2108.11515, eq. 1).
    The weights on h are initialized to zero, so that training on sequences starts from the result of training on single
    images. With h = 0 (None) these weights have no effect, and their convolutions are skipped.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels // 2
        self.gates = nn.Conv2d(2 * self.channels, 2 * self.channels, 3, padding=1)
        self.candidate = nn.Conv2d(2 * self.channels, self.channels, 3, padding=1)
        with torch.no_grad():
            self.gates.weight[:, self.channels :] = 0
            self.candidate.weight[:, self.channels :] = 0
            assert self.gates.bias is not None
            self.gates.bias[self.channels :] = _OPEN

    def forward(self, x: Tensor, h: Tensor | None, keep: Tensor | None, frames: int) -> tuple[Tensor, Tensor]:
        """Return all outputs (B * frames, C, H, W) and the last state (B, C / 2, H, W).

        x: (B * frames, C, H, W), `frames` consecutive frames of each of B streams. h: (B, C / 2, H, W), the state
        before them; None for zeros. keep: (B * frames, 1, H, W) in 0..1, the share of the state that each frame
        sees; None for all of it.
        """
        kept, moving = x.chunk(2, 1)
        if frames == 1:
            h = self._step(moving, _kept(h, keep))
            return torch.cat([kept, h], 1), h
        outputs = []
        shares = [None] * frames if keep is None else keep.view(-1, frames, *keep.shape[1:]).unbind(1)
        for x_t, share in zip(moving.view(-1, frames, *moving.shape[1:]).unbind(1), shares, strict=True):
            h = self._step(x_t, _kept(h, share))
            outputs.append(h)
        assert h is not None
        return torch.cat([kept, torch.stack(outputs, 1).flatten(0, 1)], 1), h

    def _step(self, x: Tensor, h: Tensor | None) -> Tensor:
        if h is None:
            z = torch.sigmoid(_convolve_new(self.gates, x)[:, self.channels :])
            return z * torch.tanh(_convolve_new(self.candidate, x))
        r, z = torch.sigmoid(self.gates(torch.cat([x, h], 1))).chunk(2, 1)
        candidate = torch.tanh(self.candidate(torch.cat([x, r * h], 1)))
        return h + z * (candidate - h)


def _kept(h: Tensor | None, share: Tensor | None) -> Tensor | None:
    return h if h is None or share is None else h * share


def _convolve_new(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """Return the convolution of [x, 0]."""
    return functional.conv2d(x, convolution.weight[:, : x.shape[1]], convolution.bias, padding=1)


class Decision(nn.Module):
    """Limits alpha to what the decisions nearby allow; has no parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.rule = DecisionRule()

    def forward(self, alpha: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Return the limited alpha, and the decisions, which are `last` in the next frame.

        alpha: (B, 1, h, w) in 0..1. last: the same size, from -1 (background) to 1 (foreground); 0 for the first frame.
        """
        rule = self.rule
        foreground = ((mean(alpha, 1) - 0.5 + rule.hysteresis * last) / rule.width + 0.5).clamp(0, 1)
        lowest = mean(-largest(-foreground, rule.band), rule.ramp)
        highest = mean(largest(foreground, rule.band), rule.ramp)
        return torch.minimum(torch.maximum(alpha, lowest), highest), 2 * foreground - 1


def largest(x: Tensor, radius: int) -> Tensor:
    """Return the largest value within squares of this radius, (B, C, h, w)."""
    return functional.max_pool2d(x, 2 * radius + 1, 1, radius)


def mean(x: Tensor, radius: int) -> Tensor:
    """Return means over squares of this radius, (B, C, h, w); borders are replicated."""
    return functional.avg_pool2d(functional.pad(x, (radius,) * 4, mode="replicate"), 2 * radius + 1, 1)


CHANNELS = 3
Shares = tuple[Tensor, Tensor, Tensor]
"""Of the memories at 1/4, 1/8 and 1/16, (B * T, 1, h, w) in 0..1."""


class Forgetting(nn.Module):
    """Compares each small frame with the one before it; has no parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.rule = ForgettingRule()

    def forward(self, image: Tensor, seen: Tensor | None, frames: int) -> tuple[Shares | None, Tensor]:
        """Return what share of the memories to keep, and the new `seen`.

        image: (B * frames, 3, H, W) in 0..1, consecutive frames of each of B streams. seen: means of the frame before
        them, (B, 3, h, w). Without it the first frame keeps everything, and None is returned for a single one.
        """
        means = halve(halve(image))
        clips = means.view(-1, frames, *means.shape[1:])
        if seen is None and frames == 1:
            return None, clips[:, -1]
        first = clips[:, 0] if seen is None else seen
        before = torch.cat([first[:, None], clips[:, :-1]], 1).flatten(0, 1)
        change = (means - before).abs().amax(1, keepdim=True)
        gone = (change / self.rule.change - 1).clamp(0, 1)
        fine = 1 - functional.max_pool2d(gone, 3, 1, 1)
        middle = halve(fine)
        return (fine, middle, halve(middle)), clips[:, -1]


class Context(nn.Module):
    """Gates the channels of the coarsest features by global context."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.features = conv_norm(channels, channels, 1)
        self.weights = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        y: Tensor = self.features(x) * torch.sigmoid(self.weights(x.mean((2, 3), keepdim=True)))
        return y
