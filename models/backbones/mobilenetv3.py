"""MobileNetV3-Large (arXiv 1905.02244, table 1) as a dilated encoder with output stride 16."""

from functools import partial
from typing import NamedTuple

import torch.nn.functional as functional
from torch import Tensor, nn

from models.backbones import Features, features_of
from models.blocks import Activation, ImageNetNormalise, conv_norm, hard_swish, make_divisible, relu

_conv = partial(conv_norm, eps=1e-3, momentum=1e-2)


class _LayerSpec(NamedTuple):
    """A bottleneck of table 1; `stride` is the nominal one, before dilation replaces it."""

    inputs: int
    kernel: int
    expanded: int
    outputs: int
    squeeze: bool
    hard_swish: bool
    stride: int
    dilation: int = 1


_TABLE = (
    _LayerSpec(16, 3, 16, 16, False, False, 1),
    _LayerSpec(16, 3, 64, 24, False, False, 2),
    _LayerSpec(24, 3, 72, 24, False, False, 1),
    _LayerSpec(24, 5, 72, 40, True, False, 2),
    _LayerSpec(40, 5, 120, 40, True, False, 1),
    _LayerSpec(40, 5, 120, 40, True, False, 1),
    _LayerSpec(40, 3, 240, 80, False, True, 2),
    _LayerSpec(80, 3, 200, 80, False, True, 1),
    _LayerSpec(80, 3, 184, 80, False, True, 1),
    _LayerSpec(80, 3, 184, 80, False, True, 1),
    _LayerSpec(80, 3, 480, 112, True, True, 1),
    _LayerSpec(112, 3, 672, 112, True, True, 1),
    _LayerSpec(112, 5, 672, 160, True, True, 2, 2),
    _LayerSpec(160, 5, 960, 160, True, True, 1, 2),
    _LayerSpec(160, 5, 960, 160, True, True, 1, 2),
)
TAPS = (1, 3, 6, 16)
"""Layers whose outputs are the features."""


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation: scales each channel by a gate computed from global averages (section 5.3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = make_divisible(channels // 4)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scale (B, C, H, W); the shape is unchanged."""
        gate = functional.relu(self.fc1(functional.adaptive_avg_pool2d(x, 1)))
        return x * functional.hardsigmoid(self.fc2(gate))


class InvertedBottleneck(nn.Module):
    """Bottleneck: expand, depthwise, squeeze-excite, project; skip connection if the shape is unchanged (figure 4)."""

    def __init__(self, row: _LayerSpec) -> None:
        super().__init__()
        activation: Activation = hard_swish if row.hard_swish else relu
        stride = 1 if row.dilation > 1 else row.stride
        layers: list[nn.Module] = []
        if row.expanded != row.inputs:
            layers.append(_conv(row.inputs, row.expanded, activation=activation))
        width = row.expanded
        layers.append(_conv(width, width, row.kernel, stride, row.dilation, width, activation=activation))
        if row.squeeze:
            layers.append(SqueezeExcite(row.expanded))
        layers.append(_conv(row.expanded, row.outputs, activation=None))
        self.block = nn.Sequential(*layers)
        self.residual = row.stride == 1 and row.inputs == row.outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H', W')."""
        y: Tensor = self.block(x)
        return x + y if self.residual else y


class MobileNetV3Large(nn.Module):
    """Encoder from RGB (B, 3, H, W) in 0..1 to features of 16, 24, 40 and 960 channels.

    In the last three bottlenecks, dilation replaces the last stride. The network includes the ImageNet normalization of
    its input.
    """

    channels = (16, 24, 40, 960)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv(3, 16, 3, 2, activation=hard_swish)]
        layers.extend(InvertedBottleneck(row) for row in _TABLE)
        layers.append(_conv(160, 960, activation=hard_swish))
        self.features = nn.ModuleList(layers)
        self.normalise = ImageNetNormalise()

    def forward(self, image: Tensor) -> Features:
        """Return the features after layers 1, 3, 6 and 16."""
        return features_of(self.features, self.normalise(image), TAPS)
