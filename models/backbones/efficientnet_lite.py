"""EfficientNet-Lite0 without its classifier: an encoder that was pretrained on ImageNet.

EfficientNet-B0 (arXiv 1905.11946, table 1) with ReLU6 and without squeeze-and-excitation, which suits 8-bit integers.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from models.blocks import conv_norm, relu6

_conv = partial(conv_norm, eps=1e-3)
CHANNELS = 112, 320
"""Channels of the features at 1/16 and 1/32."""
_STEM = 32


class _MBConvStage(NamedTuple):
    """A stage of table 1; only the first of its blocks has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    outputs: int


_TABLE = (
    _MBConvStage(1, 3, 1, 1, 16),
    _MBConvStage(2, 3, 2, 6, 24),
    _MBConvStage(2, 5, 2, 6, 40),
    _MBConvStage(3, 3, 2, 6, 80),
    _MBConvStage(3, 5, 1, 6, 112),
    _MBConvStage(4, 5, 2, 6, 192),
    _MBConvStage(1, 3, 1, 6, 320),
)
STAGES_TO_8, STAGES_TO_16 = 3, 5
"""Stages up to the features at 1/8 and at 1/16."""


class MBConv(nn.Module):
    """Inverted residual: expand, depthwise, linear projection; skip connection if the shape is kept."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        expand = [_conv(inputs, width, activation=relu6)] if expansion > 1 else []
        depthwise = _conv(width, width, kernel, stride, groups=width, activation=relu6)
        self.body = nn.Sequential(*expand, depthwise, _conv(width, outputs, activation=None))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H', W')."""
        y: Tensor = self.body(x)
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Encoder from normalized RGB (B, 3, H, W) to features of 112 channels at 1/16 and of 320 channels at 1/32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv(3, _STEM, 3, 2, activation=relu6)
        stages, inputs = [], _STEM
        for repeats, kernel, stride, expansion, outputs in _TABLE:
            first = MBConv(inputs, outputs, kernel, stride, expansion)
            rest = (MBConv(outputs, outputs, kernel, 1, expansion) for _ in range(repeats - 1))
            stages.append(nn.Sequential(first, *rest))
            inputs = outputs
        self.stages = nn.ModuleList(stages)

    def begin(self, x: Tensor) -> Tensor:
        """Return the features at 1/8, (B, 40, ceil(H / 8), ceil(W / 8))."""
        x = self.stem(x)
        for stage in self.stages[:STAGES_TO_8]:
            x = stage(x)
        return x

    def finish(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features at 1/16 and at 1/32, of ceil(size / 16) and ceil(size / 32), of those at 1/8."""
        features = [x]
        for stage in self.stages[STAGES_TO_8:]:
            features.append(stage(features[-1]))
        return features[STAGES_TO_16 - STAGES_TO_8], features[-1]
