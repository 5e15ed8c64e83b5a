"""Atrous spatial pyramid pooling (DeepLabV3, arXiv 1706.05587, section 3.3)."""

import torch
from torch import Tensor, nn

from models.blocks import conv_norm, relu, resize


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: four parallel branches and a global-average branch, joined by a convolution."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        out_channels = 256
        pooled = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            relu(),
        )
        atrous = (conv_norm(in_channels, out_channels, 3, dilation=dilation) for dilation in (3, 6, 9))
        self.convs = nn.ModuleList([conv_norm(in_channels, out_channels), *atrous, pooled])
        self.project = conv_norm(out_channels * len(self.convs), out_channels).append(nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 256, H, W)."""
        size = x.shape[2], x.shape[3]
        *local, pooled = (conv(x) for conv in self.convs)
        y: Tensor = self.project(torch.cat([*local, resize(pooled, size)], 1))
        return y
