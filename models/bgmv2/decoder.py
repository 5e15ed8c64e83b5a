"""The base network's decoder (arXiv 2012.07810, section 4.1)."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.backbones import Features
from models.blocks import resize


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
