"""The trunk of a bundled network: what an encoder that was pretrained on ImageNet makes of the frame at 1/16 and 1/32.

The finer layers of the encoder are this network's own (two paths as in BiSeNet, arXiv 1808.00897).
"""

from __future__ import annotations

from torch import Tensor, nn

from models.backbones import efficientnet_lite
from models.blocks import conv_norm

LATERAL = 64, 96
"""Channels of the trunk's features at 1/16 and 1/32 of the small frame."""


class Trunk(nn.Module):
    """EfficientNet-Lite0, pretrained, and a convolution of 1x1 for each of its features."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = efficientnet_lite.EfficientNetLite0()
        c4, c5 = efficientnet_lite.CHANNELS
        l4, l5 = LATERAL
        self.lateral4, self.lateral5 = conv_norm(c4, l4), conv_norm(c5, l5)

    def forward(self, x: Tensor, begun: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return features at 1/16 and 1/32 of a normalized frame (B, 3, H, W).

        begun: what the encoder's `begin` makes of the frame, if it was called before.
        """
        g4, g5 = self.encoder.finish(self.encoder.begin(x) if begun is None else begun)
        return self.lateral4(g4), self.lateral5(g5)
