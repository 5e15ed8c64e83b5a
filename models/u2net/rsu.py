"""The residual U-block of U2-Net (arXiv 2005.09007, section 3.1 and figure 2)."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.blocks import resize


class Unit(nn.Module):
    """3x3 convolution with bias, batch normalization and ReLU; the size is unchanged."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        return functional.relu(self.bn_s1(self.conv_s1(x)))


def halve(x: Tensor) -> Tensor:
    """Max-pool to half the size, rounded up."""
    return functional.max_pool2d(x, 2, 2, ceil_mode=True)


class RSU(nn.Module):
    """Residual U-block: an input unit plus the output of a U with `depth` encoder and depth - 1 decoder units.

    The plain block (RSU-L) halves the size between units, except before the last one, which is dilated. The flat block
    (RSU-LF) keeps the size and doubles the dilation instead.
    """

    def __init__(self, depth: int, in_channels: int, mid: int, out_channels: int, flat: bool = False) -> None:
        super().__init__()
        self.depth, self.flat = depth, flat
        self.rebnconvin = Unit(in_channels, out_channels)
        for level in range(1, depth + 1):
            dilation = 2 ** (level - 1) if flat else 1 + level // depth
            self.add_module(f"rebnconv{level}", Unit(out_channels if level == 1 else mid, mid, dilation))
        for level in range(depth - 1, 0, -1):
            dilation = 2 ** (level - 1) if flat else 1
            self.add_module(f"rebnconv{level}d", Unit(2 * mid, out_channels if level == 1 else mid, dilation))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        x = first = self.rebnconvin(x)
        skips: list[Tensor] = []
        for level in range(1, self.depth + 1):
            if 1 < level < self.depth and not self.flat:
                x = halve(x)
            x = self.get_submodule(f"rebnconv{level}")(x)
            skips.append(x)
        skips.pop()
        for level in range(self.depth - 1, 0, -1):
            skip = skips.pop()
            if level < self.depth - 1 and not self.flat:
                x = resize(x, (skip.shape[2], skip.shape[3]))
            x = self.get_submodule(f"rebnconv{level}d")(torch.cat([x, skip], 1))
        y: Tensor = x + first
        return y
