"""Building blocks that every network here shares.

Tensors are (B, C, H, W); "bilinear" always means `align_corners=False`.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

Activation = Callable[[], nn.Module]
"""Makes a fresh activation module."""


def relu() -> nn.Module:
    """The in-place ReLU: its input is a normalisation's output that nobody else reads."""
    return nn.ReLU(inplace=True)


def hard_swish() -> nn.Module:
    """The in-place hard-swish of MobileNetV3 (arXiv 1905.02244, section 5.2)."""
    return nn.Hardswish(inplace=True)


def relu6() -> nn.Module:
    """The in-place ReLU6 of MobileNetV2 (arXiv 1801.04381)."""
    return nn.ReLU6(inplace=True)


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
    """Conv2d without bias, BatchNorm2d and, unless None, an activation; "same" padding."""
    padding = dilation * (kernel // 2)
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(out_channels, eps=eps, momentum=momentum),
    ]
    if activation is not None:
        layers.append(activation())
    return nn.Sequential(*layers)


def make_divisible(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `value`, at most 10 % below it (MobileNet's widths)."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear resize of (B, C, H, W) to `size` = (height, width)."""
    return functional.interpolate(image, size=size, mode="bilinear", align_corners=False)


class ImageNetNormalise(nn.Module):
    """RGB in 0..1, (B, 3, H, W), to zero mean and unit deviation over ImageNet's images; no parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """(image - mean) / std per channel."""
        return (image - self.mean) / self.std
