"""Guided filters that upsample a small matte to full size (arXiv 1803.05619; 2108.11515, section 3.3).

At small size, both fit a local linear map y = A * x + b from the image x to the matte y around each pixel. `apply`
evaluates it with the full-size image. The image has four channels, [R, G, B, mean of RGB], paired with the matte's
[foreground residual (3), alpha].
Computation is in float32 regardless of the network's precision: covariances are small differences of nearly equal
numbers, as is A * x + b in flat regions, so half precision would cancel most significant bits.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.blocks import conv_norm, resize

EPS = 1e-5


def guide(image: Tensor) -> Tensor:
    """Return [R, G, B, mean of RGB] (B, 4, H, W) of an image (B, 3, H, W), in float32."""
    image = image.float()
    return torch.cat([image, image.mean(1, keepdim=True)], 1)


def apply(image: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Return A * x + b, float32 (B, 4, H, W), for image (B, 3, H, W), A = `slope` and b = `offset`, (B, 4, h, w)."""
    size = image.shape[2], image.shape[3]
    return resize(slope.float(), size) * guide(image) + resize(offset.float(), size)


def moments(x: Tensor, y: Tensor, mean: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the means of x and y, their covariance and the variance of x, each (B, 4, h, w) like x and y.

    `mean` computes local means. It is called once on sixteen channels, which costs little more than on four.
    """
    mean_x, mean_y, mean_xy, mean_xx = mean(torch.cat([x, y, x * y, x * x], 1)).chunk(4, 1)
    return mean_x, mean_y, mean_xy - mean_x * mean_y, mean_xx - mean_x * mean_x


def fast_guided_filter(
    image: Tensor, matte: Tensor, mean: Callable[[Tensor], Tensor] | None = None, eps: float = EPS
) -> tuple[Tensor, Tensor]:
    """Return A and b (B, 4, h, w), A = cov(x, y) / (var(x) + eps), from image (B, 3, h, w) and matte (B, 4, h, w).

    mean: as of `moments`; RVM's zero-padded box of radius 1 by default.
    """
    mean_x, mean_y, covariance, variance = moments(guide(image), matte.float(), mean or _box)
    slope = covariance / (variance + eps)
    return slope, mean_y - slope * mean_x


class DeepGuidedFilter(nn.Module):
    """The guided filter with a learned box; 1x1 convolutions compute A from the statistics and `hid`."""

    def __init__(self, hidden_channels: int) -> None:
        super().__init__()
        self.box_filter = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.conv = nn.Sequential(
            *conv_norm(2 * 4 + hidden_channels, hidden_channels),
            *conv_norm(hidden_channels, hidden_channels),
            nn.Conv2d(hidden_channels, 4, 1),
        )

    def forward(self, image: Tensor, matte: Tensor, hid: Tensor) -> tuple[Tensor, Tensor]:
        """Return A and b (B, 4, h, w) from image (B, 3, h, w), matte (B, 4, h, w) and hid (B, C, h, w)."""
        mean_x, mean_y, covariance, variance = moments(guide(image), matte.float(), self._mean)
        statistics = torch.cat([covariance, variance], 1).to(hid.dtype)
        slope = self.conv(torch.cat([statistics, hid], 1)).float()
        return slope, mean_y - slope * mean_x

    def _mean(self, x: Tensor) -> Tensor:
        times = x.shape[1] // 4
        return functional.conv2d(x, self.box_filter.weight.float().repeat(times, 1, 1, 1), padding=1, groups=x.shape[1])


def _box(x: Tensor) -> Tensor:
    """Return zero-padded 3x3 box sums divided by nine, computed as a row filter and a column filter.

    The order of the additions matters: the variance of a nearly flat region is the difference of two nearly equal
    numbers, divided by little more than EPS. A 3x3 pooling deviates by up to 1.1e-4 in alpha.
    """
    channels = x.shape[1]
    taps = x.new_full((channels, 1, 1, 3), 1 / 3)
    rows = functional.conv2d(x, taps, padding=(0, 1), groups=channels)
    return functional.conv2d(rows, taps.mT.reshape(channels, 1, 3, 1), padding=(1, 0), groups=channels)
