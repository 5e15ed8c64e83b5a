"""Image encoders with output stride 16 that return features at 1/2, 1/4, 1/8 and 1/16, and
EfficientNet-Lite0.

ResNet-50 and -101 (arXiv 1512.03385), MobileNetV2 (arXiv 1801.04381, table 2) and MobileNetV3-Large
(arXiv 1905.02244, table 1) are dilated in place of their last stride. EfficientNet-Lite0 is
EfficientNet-B0 (arXiv 1905.11946, table 1) with ReLU6 and without squeeze-and-excitation, which
suits 8-bit integers; it lacks its classifier, and returns features at 1/16 and 1/32.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import torch.nn.functional as functional
from torch import Tensor, nn

from models.blocks import (
    Activation,
    ImageNetNormalise,
    conv_norm,
    hard_swish,
    make_divisible,
    relu,
    relu6,
)

Features = tuple[Tensor, Tensor, Tensor, Tensor]
"""Features (B, C_i, ceil(H / 2^i), ceil(W / 2^i)) for i = 1, 2, 3, 4, finest first."""


def features_of(layers: Iterable[nn.Module], image: Tensor, taps: tuple[int, ...]) -> Features:
    """Return the outputs of the four layers with these indices, which run one after the other."""
    x = image
    found = list[Tensor]()
    for index, layer in enumerate(layers):
        x = layer(x)
        if index in taps:
            found.append(x)
    f1, f2, f3, f4 = found
    return f1, f2, f3, f4


_EXPANSION = 4


class Bottleneck(nn.Module):
    """Bottleneck: 1x1, 3x3 (with stride and dilation) and 1x1 convolutions with a shortcut."""

    def __init__(self, in_channels: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        out_channels = width * _EXPANSION
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = None
        if stride > 1 or in_channels != out_channels:
            self.downsample = conv_norm(in_channels, out_channels, 1, stride, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4 * width, ceil(H / stride), ceil(W / stride))."""
        shortcut = x
        if self.downsample is not None:
            shortcut = self.downsample(x)
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(shortcut + self.bn3(self.conv3(y)))


def _bottlenecks(
    blocks: int, in_channels: int, width: int, stride: int = 1, first: int = 1, rest: int = 1
) -> nn.Sequential:
    """Return a stage of `blocks` bottlenecks.

    Only the first has the stride. `first` and `rest` are the dilations of the first and the other
    bottlenecks.
    """
    head = Bottleneck(in_channels, width, stride, first)
    tail = (Bottleneck(width * _EXPANSION, width, 1, rest) for _ in range(blocks - 1))
    return nn.Sequential(head, *tail)


class ResNet(nn.Module):
    """Encoder from (B, in_channels, H, W) to features of 64, 256, 512 and 2048 channels.

    `blocks` is the number of bottlenecks per stage. In the last stage, dilation replaces the
    stride, except in its first block. The input is not normalized.
    """

    channels = (64, 256, 512, 2048)

    def __init__(self, blocks: tuple[int, int, int, int], in_channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _bottlenecks(blocks[0], 64, 64)
        self.layer2 = _bottlenecks(blocks[1], 256, 128, stride=2)
        self.layer3 = _bottlenecks(blocks[2], 512, 256, stride=2)
        self.layer4 = _bottlenecks(blocks[3], 1024, 512, first=1, rest=2)

    def forward(self, image: Tensor) -> Features:
        """Return the outputs of the stem and of stages 1, 2 and 4."""
        f1 = functional.relu(self.bn1(self.conv1(image)))
        f2 = self.layer1(functional.max_pool2d(f1, 3, 2, 1))
        f3 = self.layer2(f2)
        f4 = self.layer4(self.layer3(f3))
        return f1, f2, f3, f4


resnet50 = partial(ResNet, (3, 4, 6, 3))
resnet101 = partial(ResNet, (3, 4, 23, 3))


class _StageSpec(NamedTuple):
    """A stage of table 2; stride and first dilation are those of its first block."""

    expansion: int
    outputs: int
    repeats: int
    stride: int
    first_dilation: int = 1
    dilation: int = 1


_V2_TABLE = (
    _StageSpec(1, 16, 1, 1),
    _StageSpec(6, 24, 2, 2),
    _StageSpec(6, 32, 3, 2),
    _StageSpec(6, 64, 4, 2),
    _StageSpec(6, 96, 3, 1),
    _StageSpec(6, 160, 3, 1, 1, 2),  # dilation replaces the stride of 2
    _StageSpec(6, 320, 1, 1, 2, 2),
)
_V2_TAPS = (1, 3, 6, 17)


class InvertedResidual(nn.Module):
    """Inverted residual: expand, depthwise, linear projection; skip connection if the shape is
    kept (section 3.3).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion: int,
        stride: int,
        dilation: int,
    ) -> None:
        super().__init__()
        width = in_channels * expansion
        expand = [conv_norm(in_channels, width, activation=relu6)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *expand,
            conv_norm(width, width, 3, stride, dilation, width, activation=relu6),
            nn.Conv2d(width, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H', W')."""
        y: Tensor = self.conv(x)
        if not self.residual:
            return y
        return x + y


class MobileNetV2(nn.Module):
    """Encoder from (B, in_channels, H, W) to features of 16, 24, 32 and 320 channels.

    The input is not normalized.
    """

    channels = (16, 24, 32, 320)

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv_norm(in_channels, 32, 3, 2, activation=relu6)]
        channels = 32
        for stage in _V2_TABLE:
            expansion = stage.expansion
            outputs = stage.outputs
            first = InvertedResidual(
                channels,
                outputs,
                expansion,
                stage.stride,
                stage.first_dilation,
            )
            layers.append(first)
            for _ in range(stage.repeats - 1):
                repeated = InvertedResidual(outputs, outputs, expansion, 1, stage.dilation)
                layers.append(repeated)
            channels = outputs
        self.features = nn.ModuleList(layers)

    def forward(self, image: Tensor) -> Features:
        """Return the features after layers 1, 3, 6 and 17."""
        return features_of(self.features, image, _V2_TAPS)


_conv3 = partial(conv_norm, eps=1e-3, momentum=1e-2)


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


_V3_TABLE = (
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
# Layers whose outputs are the features.
V3_TAPS = (1, 3, 6, 16)


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation: scales each channel by a gate computed from global averages
    (section 5.3).
    """

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
    """Bottleneck: expand, depthwise, squeeze-excite, project; skip connection if the shape is
    unchanged (figure 4).
    """

    def __init__(self, row: _LayerSpec) -> None:
        super().__init__()
        activation: Activation = hard_swish if row.hard_swish else relu
        stride = 1 if row.dilation > 1 else row.stride
        layers: list[nn.Module] = []
        if row.expanded != row.inputs:
            layers.append(_conv3(row.inputs, row.expanded, activation=activation))
        width = row.expanded
        depthwise = _conv3(
            width,
            width,
            row.kernel,
            stride,
            row.dilation,
            width,
            activation=activation,
        )
        layers.append(depthwise)
        if row.squeeze:
            layers.append(SqueezeExcite(row.expanded))
        layers.append(_conv3(row.expanded, row.outputs, activation=None))
        self.block = nn.Sequential(*layers)
        self.residual = row.stride == 1 and row.inputs == row.outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H', W')."""
        y: Tensor = self.block(x)
        if not self.residual:
            return y
        return x + y


class MobileNetV3Large(nn.Module):
    """Encoder from RGB (B, 3, H, W) in 0..1 to features of 16, 24, 40 and 960 channels.

    In the last three bottlenecks, dilation replaces the last stride. The network includes the
    ImageNet normalization of its input.
    """

    channels = (16, 24, 40, 960)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv3(3, 16, 3, 2, activation=hard_swish)]
        layers.extend(InvertedBottleneck(row) for row in _V3_TABLE)
        layers.append(_conv3(160, 960, activation=hard_swish))
        self.features = nn.ModuleList(layers)
        self.normalise = ImageNetNormalise()

    def forward(self, image: Tensor) -> Features:
        """Return the features after layers 1, 3, 6 and 16."""
        return features_of(self.features, self.normalise(image), V3_TAPS)


_conv_lite = partial(conv_norm, eps=1e-3)
# Channels of the features at 1/16 and 1/32.
LITE_CHANNELS = (112, 320)
_LITE_STEM = 32


# Table 1: repeats, kernel, stride of the first block, expansion, outputs.
_LITE_TABLE = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# Stages up to the features at 1/8 and at 1/16.
STAGES_TO_8 = 3
STAGES_TO_16 = 5


class MBConv(nn.Module):
    """Inverted residual: expand, depthwise, linear projection; skip connection if the shape is
    kept.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        expand = [_conv_lite(inputs, width, activation=relu6)] if expansion > 1 else []
        depthwise = _conv_lite(width, width, kernel, stride, groups=width, activation=relu6)
        self.body = nn.Sequential(*expand, depthwise, _conv_lite(width, outputs, activation=None))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H', W')."""
        y: Tensor = self.body(x)
        if not self.residual:
            return y
        return x + y


class EfficientNetLite0(nn.Module):
    """Encoder from normalized RGB (B, 3, H, W) to features of 112 channels at 1/16 and of 320
    channels at 1/32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv_lite(3, _LITE_STEM, 3, 2, activation=relu6)
        stages = []
        inputs = _LITE_STEM
        for repeats, kernel, stride, expansion, outputs in _LITE_TABLE:
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
        """Return the features at 1/16 and at 1/32, of ceil(size / 16) and ceil(size / 32), of
        those at 1/8.
        """
        features = [x]
        for stage in self.stages[STAGES_TO_8:]:
            features.append(stage(features[-1]))
        return features[STAGES_TO_16 - STAGES_TO_8], features[-1]
