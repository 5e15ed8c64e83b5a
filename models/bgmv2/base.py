"""The base network, which estimates a coarse matte (arXiv 2012.07810, section 4.1).

Atrous spatial pyramid pooling is that of DeepLabV3 (arXiv 1706.05587, section 3.3).
"""

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.backbones import Features
from models.backbones.mobilenetv2 import MobileNetV2
from models.backbones.resnet import ResNet, resnet50, resnet101
from models.blocks import conv_norm, resize


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: four parallel branches and a global-average branch, joined by a convolution."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        out_channels = 256
        pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), *conv_norm(in_channels, out_channels))
        atrous = (conv_norm(in_channels, out_channels, 3, dilation=dilation) for dilation in (3, 6, 9))
        self.convs = nn.ModuleList([conv_norm(in_channels, out_channels), *atrous, pooled])
        self.project = conv_norm(out_channels * len(self.convs), out_channels).append(nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 256, H, W)."""
        size = x.shape[2], x.shape[3]
        *local, pooled = (conv(x) for conv in self.convs)
        y: Tensor = self.project(torch.cat([*local, resize(pooled, size)], 1))
        return y


class CoarseDecoder(nn.Module):
    """Four stages: upsample to the next finer feature, concatenate with it, convolve.

    channels: widths from the ASPP's output to the decoder's output. skips: channels of the skip connections, coarsest
    first; the input image is last.
    """

    def __init__(self, channels: tuple[int, int, int, int, int], skips: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels[0] + skips[0], channels[1], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[1])
        self.conv2 = nn.Conv2d(channels[1] + skips[1], channels[2], 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels[2])
        self.conv3 = nn.Conv2d(channels[2] + skips[2], channels[3], 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels[3])
        self.conv4 = nn.Conv2d(channels[3] + skips[3], channels[4], 3, padding=1)

    def forward(self, image: Tensor, features: Features) -> Tensor:
        """Return (B, channels[4], H, W) from the input (B, skips[3], H, W) and features; f4 is the ASPP's output."""
        f1, f2, f3, x = features
        x = functional.relu(self.bn1(self.conv1(_join(x, f3))))
        x = functional.relu(self.bn2(self.conv2(_join(x, f2))))
        x = functional.relu(self.bn3(self.conv3(_join(x, f1))))
        y: Tensor = self.conv4(_join(x, image))
        return y


def _join(x: Tensor, skip: Tensor) -> Tensor:
    return torch.cat([resize(x, (skip.shape[2], skip.shape[3])), skip], 1)


Backbone = Literal["mobilenetv2", "resnet50", "resnet101"]

HIDDEN = 32
_BACKBONES: dict[Backbone, Callable[[int], MobileNetV2 | ResNet]] = {
    "mobilenetv2": MobileNetV2,
    "resnet50": resnet50,
    "resnet101": resnet101,
}


class MattingBase(nn.Module):
    """Maps a frame and its background plate to a coarse matte and a predicted error map."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = _BACKBONES[backbone](6)
        f1, f2, f3, f4 = self.backbone.channels
        self.aspp = ASPP(f4)
        self.decoder = CoarseDecoder((256, 128, 64, 48, 1 + 3 + 1 + HIDDEN), (f3, f2, f1, 6))

    def forward(self, src: Tensor, bgr: Tensor) -> tuple[Tensor, ...]:
        """Return pha (B, 1, H, W), fgr (B, 3, H, W), error (B, 1, H, W) in 0..1, and hidden (B, 32, H, W) >= 0.

        src and bgr: frame and plate, RGB (B, 3, H, W) in 0..1.
        """
        pha, residual, error, hidden = self.coarse(src, bgr)
        return pha, (src + residual).clamp(0, 1), error, hidden

    def coarse(self, src: Tensor, bgr: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the same as `forward`, with the unclamped residual fgr - src instead of the foreground."""
        image = torch.cat([src, bgr], 1)
        f1, f2, f3, f4 = self.backbone(image)
        x = self.decoder(image, (f1, f2, f3, self.aspp(f4)))
        return x[:, :1].clamp(0, 1), x[:, 1:4], x[:, 4:5].clamp(0, 1), x[:, 5:].relu()
