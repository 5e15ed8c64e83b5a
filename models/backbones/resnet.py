"""ResNet-50 and -101 (arXiv 1512.03385) as dilated encoders with output stride 16."""

import torch.nn.functional as functional
from torch import Tensor, nn

from models.backbones import Features
from models.blocks import conv_norm

EXPANSION = 4


class Bottleneck(nn.Module):
    """Bottleneck: 1x1, 3x3 (with stride and dilation) and 1x1 convolutions with a shortcut."""

    def __init__(self, in_channels: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        out_channels = width * EXPANSION
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        same = stride == 1 and in_channels == out_channels
        self.downsample = None if same else conv_norm(in_channels, out_channels, 1, stride, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4 * width, ceil(H / stride), ceil(W / stride))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(shortcut + self.bn3(self.conv3(y)))


def _stage(blocks: int, in_channels: int, width: int, stride: int = 1, first: int = 1, rest: int = 1) -> nn.Sequential:
    """Return a stage of `blocks` bottlenecks.

    Only the first has the stride. `first` and `rest` are the dilations of the first and the other bottlenecks.
    """
    head = Bottleneck(in_channels, width, stride, first)
    tail = (Bottleneck(width * EXPANSION, width, 1, rest) for _ in range(blocks - 1))
    return nn.Sequential(head, *tail)


class ResNet(nn.Module):
    """Encoder from (B, in_channels, H, W) to features of 64, 256, 512 and 2048 channels.

    `blocks` is the number of bottlenecks per stage. In the last stage, dilation replaces the stride, except in its
    first block. The input is not normalized.
    """

    channels = (64, 256, 512, 2048)

    def __init__(self, blocks: tuple[int, int, int, int], in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(blocks[0], 64, 64)
        self.layer2 = _stage(blocks[1], 256, 128, stride=2)
        self.layer3 = _stage(blocks[2], 512, 256, stride=2)
        self.layer4 = _stage(blocks[3], 1024, 512, first=1, rest=2)

    def forward(self, image: Tensor) -> Features:
        """Return the outputs of the stem and of stages 1, 2 and 4."""
        f1 = functional.relu(self.bn1(self.conv1(image)))
        f2 = self.layer1(functional.max_pool2d(f1, 3, 2, 1))
        f3 = self.layer2(f2)
        f4 = self.layer4(self.layer3(f3))
        return f1, f2, f3, f4


def resnet50(in_channels: int = 3) -> ResNet:
    """Return the 50-layer encoder."""
    return ResNet((3, 4, 6, 3), in_channels)


def resnet101(in_channels: int = 3) -> ResNet:
    """Return the 101-layer encoder."""
    return ResNet((3, 4, 23, 3), in_channels)
