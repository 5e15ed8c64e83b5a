"""The base network, which estimates a coarse matte (arXiv 2012.07810, section 4.1)."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from models.backbones.mobilenetv2 import MobileNetV2
from models.backbones.resnet import ResNet, resnet50, resnet101
from models.bgmv2.aspp import ASPP
from models.bgmv2.decoder import CoarseDecoder

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
