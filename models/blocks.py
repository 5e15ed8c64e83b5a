"""Building blocks shared by the networks.

Tensors are (B, C, H, W); "bilinear" means `align_corners=False`.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

Activation = Callable[[], nn.Module]
"""Returns a new activation module."""


relu: Activation = partial(nn.ReLU, inplace=True)
"""In-place is safe, here and below, because its input, a normalization's output, has no other reader."""
hard_swish: Activation = partial(nn.Hardswish, inplace=True)
"""Of MobileNetV3 (arXiv 1905.02244, section 5.2)."""
relu6: Activation = partial(nn.ReLU6, inplace=True)
"""Of MobileNetV2 (arXiv 1801.04381)."""


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
    """Return Conv2d without bias and with "same" padding, BatchNorm2d and, unless None, an activation."""
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
    """Return the multiple of 8 nearest to `value`, at most 10 % below it (MobileNet's channel widths)."""
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, C, H, W) bilinearly to `size` = (height, width)."""
    return functional.interpolate(image, size=size, mode="bilinear", align_corners=False)


def halve(image: Tensor) -> Tensor:
    """Halve (B, C, H, W), rounded up: the mean of up to four pixels each."""
    return functional.avg_pool2d(image, 2, 2, ceil_mode=True, count_include_pad=False)


class ImageNetNormalise(nn.Module):
    """Normalizes RGB in 0..1, (B, 3, H, W), by ImageNet's mean and standard deviation; no parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return (image - mean) / std per channel."""
        return (image - self.mean) / self.std


def downsampled(image: Tensor, ratio: float) -> Tensor:
    """Downsample (B, 3, H, W) to (B, 3, floor(H * ratio), floor(W * ratio)), sampled at exactly this ratio."""
    if ratio == 1:
        return image
    return functional.interpolate(
        image, scale_factor=ratio, mode="bilinear", align_corners=False, recompute_scale_factor=False
    )


def feature_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return (height, width) of the features at 1/2, 1/4, 1/8 and 1/16; each is half the previous one, rounded up."""
    sizes = []
    for _ in range(4):
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return sizes
