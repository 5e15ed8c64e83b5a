"""Building blocks shared by the networks, and the guided filters that upsample a small matte to
full size.

Tensors are (B, C, H, W); "bilinear" means `align_corners=False`.

At small size, a guided filter (arXiv 1803.05619; 2108.11515, section 3.3) fits a local linear map y
= A * x + b from the image x to the matte y around each pixel. `apply_filter` evaluates it with the
full-size image. The image has four channels, [R, G, B, mean of RGB], paired with the matte's
[foreground residual (3), alpha]. Computation is in float32 regardless of the network's precision:
covariances are small differences of nearly equal numbers, as is A * x + b in flat regions, so half
precision would cancel most significant bits.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

# Returns a new activation module.
Activation = Callable[[], nn.Module]


# In-place is safe, here and below, because its input, a normalization's output, has no other
# reader.
relu: Activation = partial(nn.ReLU, inplace=True)
# Of MobileNetV3 (arXiv 1905.02244, section 5.2).
hard_swish: Activation = partial(nn.Hardswish, inplace=True)
# Of MobileNetV2 (arXiv 1801.04381).
relu6: Activation = partial(nn.ReLU6, inplace=True)


def conv_norm(
    in_channels: int,
    out_channels: int,
    kernel: int = 1,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    *,
    activation: Activation | None = relu,
    eps: float = 1e-5,
    momentum: float = 0.1,
) -> nn.Sequential:
    """Return Conv2d without bias and with "same" padding, BatchNorm2d and, unless None, an
    activation.
    """
    padding = dilation * (kernel // 2)
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(out_channels, eps=eps, momentum=momentum),
    ]
    if activation is not None:
        layers.append(activation())
    return nn.Sequential(*layers)


class Residual(nn.Module):
    """Residual block: x plus `depth` convolutions of x."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        inner = [conv_norm(channels, channels, 3) for _ in range(depth - 1)]
        self.body = nn.Sequential(*inner, conv_norm(channels, channels, 3, activation=None))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return functional.relu(x + self.body(x))


def make_divisible(value: float) -> int:
    """Return the multiple of 8 nearest to `value`, at most 10 % below it (MobileNet's channel
    widths).
    """
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, C, H, W) bilinearly to `size` = (height, width)."""
    return functional.interpolate(image, size=size, mode="bilinear", align_corners=False)


def halve(image: Tensor) -> Tensor:
    """Halve (B, C, H, W), rounded up: the mean of up to four pixels each."""
    return functional.avg_pool2d(image, 2, 2, ceil_mode=True, count_include_pad=False)


class ImageNetNormalise(nn.Module):
    """Normalizes RGB in 0..1, (B, 3, H, W), by ImageNet's mean and standard deviation; no
    parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", deviation, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return (image - mean) / std per channel."""
        return (image - self.mean) / self.std


def downsampled(image: Tensor, ratio: float) -> Tensor:
    """Downsample (B, 3, H, W) to (B, 3, floor(H * ratio), floor(W * ratio)), sampled at exactly
    this ratio.
    """
    if ratio == 1:
        return image
    return functional.interpolate(
        image,
        scale_factor=ratio,
        mode="bilinear",
        align_corners=False,
        recompute_scale_factor=False,
    )


def feature_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return (height, width) of the features at 1/2, 1/4, 1/8 and 1/16; each is half the
    previous one, rounded up.
    """
    sizes = []
    for _ in range(4):
        height = (height + 1) // 2
        width = (width + 1) // 2
        sizes.append((height, width))
    return sizes


FILTER_EPS = 1e-5


def guide(image: Tensor) -> Tensor:
    """Return [R, G, B, mean of RGB] (B, 4, H, W) of an image (B, 3, H, W), in float32."""
    image = image.float()
    return torch.cat([image, image.mean(1, keepdim=True)], 1)


def apply_filter(image: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Return A * x + b, float32 (B, 4, H, W), for image (B, 3, H, W), A = `slope` and b =
    `offset`, (B, 4, h, w).
    """
    size = image.shape[2], image.shape[3]
    return resize(slope.float(), size) * guide(image) + resize(offset.float(), size)


def moments(
    x: Tensor,
    y: Tensor,
    mean: Callable[[Tensor], Tensor],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the means of x and y, their covariance and the variance of x, each (B, 4, h, w) like x
    and y.

    `mean` computes local means. It is called once on sixteen channels, which costs little more than
    on four.
    """
    mean_x, mean_y, mean_xy, mean_xx = mean(torch.cat([x, y, x * y, x * x], 1)).chunk(4, 1)
    return mean_x, mean_y, mean_xy - mean_x * mean_y, mean_xx - mean_x * mean_x


def fast_guided_filter(
    image: Tensor,
    matte: Tensor,
    mean: Callable[[Tensor], Tensor] | None = None,
    eps: float = FILTER_EPS,
) -> tuple[Tensor, Tensor]:
    """Return A and b (B, 4, h, w), A = cov(x, y) / (var(x) + eps), from image (B, 3, h, w) and
    matte (B, 4, h, w).

    mean: as of `moments`; RVM's zero-padded box of radius 1 by default.
    """
    mean_x, mean_y, covariance, variance = moments(guide(image), matte.float(), mean or _box)
    slope = covariance / (variance + eps)
    return slope, mean_y - slope * mean_x


class DeepGuidedFilter(nn.Module):
    """The guided filter with a learned box; 1x1 convolutions compute A from the statistics and
    `hid`.
    """

    def __init__(self, hidden_channels: int) -> None:
        super().__init__()
        self.box_filter = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.conv = nn.Sequential(
            *conv_norm(2 * 4 + hidden_channels, hidden_channels),
            *conv_norm(hidden_channels, hidden_channels),
            nn.Conv2d(hidden_channels, 4, 1),
        )

    def forward(self, image: Tensor, matte: Tensor, hid: Tensor) -> tuple[Tensor, Tensor]:
        """Return A and b (B, 4, h, w) from image (B, 3, h, w), matte (B, 4, h, w) and hid
        (B, C, h, w).
        """
        mean_x, mean_y, covariance, variance = moments(guide(image), matte.float(), self._mean)
        statistics = torch.cat([covariance, variance], 1).to(hid.dtype)
        slope = self.conv(torch.cat([statistics, hid], 1)).float()
        return slope, mean_y - slope * mean_x

    def _mean(self, x: Tensor) -> Tensor:
        times = x.shape[1] // 4
        return functional.conv2d(
            x,
            self.box_filter.weight.float().repeat(times, 1, 1, 1),
            padding=1,
            groups=x.shape[1],
        )


def _box(x: Tensor) -> Tensor:
    """Return zero-padded 3x3 box sums divided by nine, computed as a row filter and a column
    filter.

    The order of the additions matters: the variance of a nearly flat region is the difference of
    two nearly equal numbers, divided by little more than FILTER_EPS. A 3x3 pooling deviates by up
    to 1.1e-4 in alpha.
    """
    channels = x.shape[1]
    taps = x.new_full((channels, 1, 1, 3), 1 / 3)
    rows = functional.conv2d(x, taps, padding=(0, 1), groups=channels)
    return functional.conv2d(
        rows,
        taps.mT.reshape(channels, 1, 3, 1),
        padding=(1, 0),
        groups=channels,
    )
