"""Background blur in torch; see `app.matting.base.blur`."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor

from app.matting.base import blur


def blurred_background(small: Tensor, alpha: Tensor, taps: Tensor, factor: int) -> Tensor:
    """Return the blurred background without the person: float32 (B, 3, h // factor, w // factor), RGB in 0..1.

    small: (B, 3, h, w) and alpha: (B, 1, h, w), both in 0..1. taps: (K,), normalized Gaussian.
    """
    background = functional.avg_pool2d(small.float(), factor)
    person = functional.max_pool2d(
        functional.avg_pool2d(alpha.float(), factor), 2 * blur.PERSON_MARGIN + 1, 1, blur.PERSON_MARGIN
    )
    weighted = torch.cat([background, torch.ones_like(person)], 1) * (1 - person)
    near = _smooth(weighted, taps)
    return (near[:, :3] + blur.FILL_WEIGHT * _fill(weighted)) / (near[:, 3:] + blur.FILL_WEIGHT)


def _fill(weighted: Tensor) -> Tensor:
    """Return fill colours (B, 3, h, w) from premultiplied colours and weights (B, 4, h, w)."""
    height, width = weighted.shape[2:]
    step = blur.FILL_FACTOR
    padded = functional.pad(weighted, (0, -width % step, 0, -height % step))
    far = _smooth(functional.avg_pool2d(padded, step), _fill_taps(weighted.device))
    mean = weighted.mean((2, 3), keepdim=True)
    colour = mean[:, :3] / (mean[:, 3:] + blur.FLOOR)
    fill = (far[:, :3] + blur.FLOOR * colour) / (far[:, 3:] + blur.FLOOR)
    return functional.interpolate(fill, scale_factor=step, mode="bilinear", align_corners=False)[:, :, :height, :width]


def _fill_taps(device: torch.device) -> Tensor:
    """Return `blur.FILL_TAPS` built on the device: a captured graph cannot contain a copy from the host."""
    radius = round(3 * blur.FILL_SIGMA)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=device) / blur.FILL_SIGMA) ** 2)
    return taps / taps.sum()


def _smooth(image: Tensor, taps: Tensor) -> Tensor:
    """Apply a separable convolution with zero padding to (B, C, h, w); the shape is unchanged."""
    planes, radius = image.reshape(-1, 1, *image.shape[2:]), taps.shape[0] // 2
    planes = functional.conv2d(planes, taps.view(1, 1, 1, -1), padding=(0, radius))
    planes = functional.conv2d(planes, taps.view(1, 1, -1, 1), padding=(radius, 0))
    return planes.reshape(image.shape)
