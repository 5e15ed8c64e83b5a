"""The recurrent unit of Mattecam's network: a convolutional GRU initialized to ignore its state."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

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
