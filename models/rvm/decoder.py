"""The recurrent decoder (arXiv 2108.11515, section 3.2 and figure 2), and the LR-ASPP bottleneck before it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.backbones import Features
from models.blocks import conv_norm, halve


class LRASPP(nn.Module):
    """LR-ASPP: reduces the channels of the deepest features and gates each channel by the global context.

    arXiv 1905.02244, section 6.4.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.aspp1 = conv_norm(in_channels, out_channels)
        self.aspp2 = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        features: Tensor = self.aspp1(x)
        gate: Tensor = self.aspp2(x)
        return features * gate


class ConvGRU(nn.Module):
    """A convolutional gated recurrent unit (equation 1).

    z and r are the update and reset gates: h = (1 - z) * h + z * tanh(conv([x, r * h])).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ih = nn.Sequential(nn.Conv2d(2 * channels, 2 * channels, 3, padding=1), nn.Sigmoid())
        self.hh = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.Tanh())

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the state after one frame; x and h are (B, C, H, W)."""
        r, z = self.ih(torch.cat([x, h], 1)).chunk(2, 1)
        candidate = self.hh(torch.cat([x, r * h], 1))
        new: Tensor = (1 - z) * h + z * candidate
        return new


class SplitGRU(nn.Module):
    """Processes half of the channels with a ConvGRU and passes the other half through (section 3.2)."""

    gru: ConvGRU

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gru = ConvGRU(channels // 2)

    def remember(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Process x (B, C, H, W) with state h (B, C / 2, H, W); return both with unchanged shapes."""
        a, b = x.chunk(2, 1)
        h = self.gru(b, h)
        return torch.cat([a, h], 1), h


State = tuple[Tensor, Tensor, Tensor, Tensor]
"""The recurrent states r1..r4 at 1/2, 1/4, 1/8 and 1/16 of the small frame, finest first."""


def upsample_like(x: Tensor, skip: Tensor) -> Tensor:
    """Upsample `x` bilinearly by 2 and crop it to the size of `skip`, which may be odd."""
    x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return x[:, :, : skip.shape[2], : skip.shape[3]]


class UpsamplingBlock(SplitGRU):
    """decode3, decode2, decode1: upsample, concatenate with the encoder's features and the image, recurrent unit."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__(out_channels)
        self.skip_channels = skip_channels
        self.conv = conv_norm(in_channels + skip_channels + 3, out_channels, 3)

    def forward(self, x: Tensor, f: Tensor, s: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return (output, state) from x at the coarser level, and features f, image s and state h at this level."""
        x = self.conv(torch.cat([upsample_like(x, s), f, s], 1))
        return self.remember(x, h)


class OutputBlock(nn.Module):
    """decode0: the final features "hid" at the small frame's size, input of all projections."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *conv_norm(in_channels + 3, out_channels, 3), *conv_norm(out_channels, out_channels, 3)
        )

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        """Map x (B, in_channels, h / 2, w / 2) and image s (B, 3, h, w) to (B, out_channels, h, w)."""
        hid: Tensor = self.conv(torch.cat([upsample_like(x, s), s], 1))
        return hid


class RecurrentDecoder(nn.Module):
    """Five blocks from 1/16 back to full size; four of them are recurrent.

    features: the encoder's channels, finest first, with the bottleneck's last. widths: the decoder's channels, coarsest
    first.
    """

    def __init__(self, features: tuple[int, int, int, int], widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.state_channels = (widths[2] // 2, widths[1] // 2, widths[0] // 2, features[3] // 2)
        self.decode4 = SplitGRU(features[3])
        self.decode3 = UpsamplingBlock(features[3], features[2], widths[0])
        self.decode2 = UpsamplingBlock(widths[0], features[1], widths[1])
        self.decode1 = UpsamplingBlock(widths[1], features[0], widths[2])
        self.decode0 = OutputBlock(widths[2], widths[3])

    def forward(self, image: Tensor, features: Features, state: Sequence[Tensor]) -> tuple[Tensor, State]:
        """Return hid (B, widths[3], h, w) and the new states.

        image: the small frame (B, 3, h, w). features: the encoder's output for it.
        """
        f1, f2, f3, f4 = features
        r1, r2, r3, r4 = state
        s1 = halve(image)
        s2 = halve(s1)
        s3 = halve(s2)
        x, r4 = self.decode4.remember(f4, r4)
        x, r3 = self.decode3(x, f3, s3, r3)
        x, r2 = self.decode2(x, f2, s2, r2)
        x, r1 = self.decode1(x, f1, s1, r1)
        return self.decode0(x, image), (r1, r2, r3, r4)
