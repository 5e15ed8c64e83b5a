"""U2-Net and its smaller variant U2-NetP (arXiv 2005.09007, section 3, figures 2 and 5, and table 1)."""

from typing import NamedTuple

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


class _Stage(NamedTuple):
    name: str
    depth: int
    inputs: int
    mid: int
    outputs: int
    flat: bool = False


_ENCODER = (
    _Stage("stage1", 7, 3, 32, 64),
    _Stage("stage2", 6, 64, 32, 128),
    _Stage("stage3", 5, 128, 64, 256),
    _Stage("stage4", 4, 256, 128, 512),
    _Stage("stage5", 4, 512, 256, 512, flat=True),
    _Stage("stage6", 4, 512, 256, 512, flat=True),
)
_DECODER = (
    _Stage("stage5d", 4, 1024, 256, 512, flat=True),
    _Stage("stage4d", 4, 1024, 128, 256),
    _Stage("stage3d", 5, 512, 64, 128),
    _Stage("stage2d", 6, 256, 32, 64),
    _Stage("stage1d", 7, 128, 16, 64),
)


def _small(stage: _Stage) -> _Stage:
    """Return the same stage in U2-NetP: 64 channels between stages and 16 inside them."""
    inputs = 3 if stage.inputs == 3 else 128 if stage in _DECODER else 64
    return stage._replace(inputs=inputs, mid=16, outputs=64)


class U2Net(nn.Module):
    """Predicts saliency maps of an image, after the sigmoid; `small` selects U2-NetP.

    The input (B, 3, H, W), RGB in 0..1, is normalized by ImageNet's mean and deviation (`models.blocks`). The published
    weights were trained at 320x320.
    """

    def __init__(self, small: bool) -> None:
        super().__init__()
        encoder, decoder = ([_small(s) if small else s for s in stages] for stages in (_ENCODER, _DECODER))
        for name, depth, inputs, mid, outputs, flat in (*encoder, *decoder):
            self.add_module(name, RSU(depth, inputs, mid, outputs, flat))
        for level, stage in enumerate((*reversed(decoder), encoder[-1]), 1):
            self.add_module(f"side{level}", nn.Conv2d(stage.outputs, 1, 3, padding=1))
        self.outconv = nn.Conv2d(6, 1, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the fused map d0 and the side maps d1..d6, finest first, each (B, 1, H, W) in 0..1."""
        sides = [self.get_submodule(f"side{i}")(x) for i, x in enumerate(self._decode(image), 1)]
        size = image.shape[2], image.shape[3]
        sides = [sides[0], *(resize(side, size) for side in sides[1:])]
        return tuple(torch.sigmoid(d) for d in (self.outconv(torch.cat(sides, 1)), *sides))

    def _decode(self, image: Tensor) -> list[Tensor]:
        """Return the outputs of stages 1d..5d and 6, finest first."""
        x = self.get_submodule("stage1")(image)
        skips = [x]
        for stage in _ENCODER[1:]:
            x = self.get_submodule(stage.name)(halve(x))
            skips.append(x)
        outputs = [skips.pop()]
        for stage in _DECODER:
            skip = skips.pop()
            x = resize(x, (skip.shape[2], skip.shape[3]))
            x = self.get_submodule(stage.name)(torch.cat([x, skip], 1))
            outputs.append(x)
        return outputs[::-1]
