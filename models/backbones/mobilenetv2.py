"""MobileNetV2 (arXiv 1801.04381, table 2) as a dilated encoder with output stride 16."""

from typing import NamedTuple

from torch import Tensor, nn

from models.backbones import Features, features_of
from models.blocks import conv_norm, relu6


class _BlockGroup(NamedTuple):
    """A row of table 2: `repeats` blocks, of which only the first has the stride."""

    expansion: int
    outputs: int
    repeats: int
    stride: int
    first_dilation: int = 1
    dilation: int = 1


_TABLE = (
    _BlockGroup(1, 16, 1, 1),
    _BlockGroup(6, 24, 2, 2),
    _BlockGroup(6, 32, 3, 2),
    _BlockGroup(6, 64, 4, 2),
    _BlockGroup(6, 96, 3, 1),
    _BlockGroup(6, 160, 3, 1, 1, 2),  # dilation replaces the stride of 2
    _BlockGroup(6, 320, 1, 1, 2, 2),
)
_TAPS = (1, 3, 6, 17)


class InvertedResidual(nn.Module):
    """Inverted residual: expand, depthwise, linear projection; skip connection if the shape is kept (section 3.3)."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, stride: int, dilation: int) -> None:
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
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """Encoder from (B, in_channels, H, W) to features of 16, 24, 32 and 320 channels.

    The input is not normalized.
    """

    channels = (16, 24, 32, 320)

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv_norm(in_channels, 32, 3, 2, activation=relu6)]
        channels = 32
        for expansion, outputs, repeats, stride, first_dilation, dilation in _TABLE:
            layers.append(InvertedResidual(channels, outputs, expansion, stride, first_dilation))
            layers.extend(InvertedResidual(outputs, outputs, expansion, 1, dilation) for _ in range(repeats - 1))
            channels = outputs
        self.features = nn.ModuleList(layers)

    def forward(self, image: Tensor) -> Features:
        """Return the features after layers 1, 3, 6 and 17."""
        return features_of(self.features, image, _TAPS)
