"""Edge controls and background blur in torch; see `app.matting.base.edges` and `app.matting.base.edges`."""

from __future__ import annotations

import functools

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor

from app.matting.base import blur
from app.matting.base.edges import (
    SPREAD_ALPHA,
    SPREAD_FACTOR,
    SPREAD_FLOOR,
    EdgePlan,
    box_radii,
    octagon,
    spread_radius,
)


def steady(alpha: Tensor, plan: EdgePlan, previous_alpha: Tensor | None) -> Tensor:
    """Apply contrast and temporal smoothing to alpha (1, 1, H, W), integers 0..255 in a float tensor.

    previous_alpha: the result for the previous frame, or None. NaN gives any value; the caller discards such a frame.
    """
    # An index outside the table, from NaN, would stop a GPU for the whole process.
    if plan.contrast is not None:
        alpha = _table(plan.contrast, alpha.device)[alpha.long().clamp(0, 255)].float()
    if plan.temporal_smoothing is not None and previous_alpha is not None:
        steps = _table(plan.temporal_smoothing, alpha.device)
        alpha = previous_alpha + steps[((alpha - previous_alpha).long() + 255).clamp(0, 510)]
    return alpha


def _table(values: NDArray[np.uint8] | NDArray[np.int16], device: torch.device) -> Tensor:
    return _uploaded(values.tobytes(), values.dtype.str, device)


@functools.lru_cache(maxsize=8)
def _uploaded(values: bytes, dtype: str, device: torch.device) -> Tensor:
    """Keep tables on the device: the upload of a table waits for all work before it."""
    return torch.from_numpy(np.frombuffer(values, dtype).copy()).to(device)


def grow(alpha: Tensor, plan: EdgePlan) -> Tensor:
    """Grow or shrink alpha (1, 1, H, W), integers 0..255 in a float tensor."""
    if plan.grow_px > 0:
        return _dilate(alpha, plan.grow_px)
    if plan.grow_px < 0:
        return 255 - _dilate(255 - alpha, -plan.grow_px)
    return alpha


def feather(alpha: Tensor, feather_px: int) -> Tensor:
    """Feather alpha (1, 1, H, W) outward, integers 0..255 in a float tensor; alpha never decreases."""
    return torch.maximum(alpha, _soften(_dilate(alpha, -(-feather_px // 2)), feather_px))


def spread(person: Tensor, before: Tensor, after: Tensor, feather_px: int) -> Tensor:
    """Return the foreground (1, 3, H, W) in 0..1 with its colours extended to where the feather added alpha.

    before, after: alpha (1, 1, H, W) in 0..255 before and after feathering.
    """
    samples = slice(SPREAD_FACTOR // 2, None, SPREAD_FACTOR)
    surely = (before[:, :, samples, samples] >= SPREAD_ALPHA).float()
    colours = torch.cat([person[:, :, samples, samples] * surely, surely], 1)
    radius = spread_radius(feather_px)
    for _ in range(2):
        colours = functional.avg_pool2d(colours, 2 * radius + 1, 1, radius)
    beyond = (colours[:, :3] / (colours[:, 3:] + SPREAD_FLOOR)).clamp(0, 1)
    beyond = functional.interpolate(beyond, size=person.shape[2:], mode="bilinear", align_corners=False)
    own = (before / after.clamp(min=1)) ** 2
    return torch.where(after > before, torch.lerp(beyond, person, own), person)


def despill(person: Tensor, alpha: Tensor, amount: float) -> Tensor:
    """Return the foreground (1, 3, H, W) with less green where alpha (1, 1, H, W) is below 1; both in 0..1."""
    red, green, blue = person.unbind(1)
    spill = (green - torch.maximum(red, blue)).clamp(min=0) * (4 * (1 - alpha[:, 0])).clamp(max=1)
    return torch.stack([red, green - amount * spill, blue], 1)


def _dilate(alpha: Tensor, radius: int) -> Tensor:
    square, diamond = octagon(radius)
    if square:
        alpha = functional.max_pool2d(alpha, 2 * square + 1, 1, square)
    for _ in range(diamond):
        alpha = torch.maximum(
            functional.max_pool2d(alpha, (3, 1), 1, (1, 0)), functional.max_pool2d(alpha, (1, 3), 1, (0, 1))
        )
    return alpha


def _soften(alpha: Tensor, feather_px: int) -> Tensor:
    for radius in box_radii(feather_px):
        if radius:
            padded = functional.pad(alpha, (radius,) * 4, mode="replicate")
            alpha = functional.avg_pool2d(padded, 2 * radius + 1, 1).round()
    return alpha


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
