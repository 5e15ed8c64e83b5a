"""The LR-ASPP bottleneck between encoder and decoder (arXiv 1905.02244, section 6.4)."""

from torch import Tensor, nn

from models.blocks import conv_norm


class LRASPP(nn.Module):
    """LR-ASPP: reduces the channels of the deepest features and gates each channel by the global context."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.aspp1 = conv_norm(in_channels, out_channels)
        self.aspp2 = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        features: Tensor = self.aspp1(x)
        gate: Tensor = self.aspp2(x)
        return features * gate
