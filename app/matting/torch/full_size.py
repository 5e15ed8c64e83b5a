"""The arithmetic of the frame step at the frame's size, in torch."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

from app.matting.base.interface import StepGeometry

State = tuple[Tensor, ...]
"""Recurrent states."""


class LayerTensors(NamedTuple):
    """Foreground, alpha and background before the edge controls; float32, RGB in 0..1."""

    person: Tensor
    """(B, 3, H, W) foreground colours."""
    alpha: Tensor
    """(B, 1, H, W)."""
    backdrop: Tensor
    """(B, 3, H, W) backdrop."""


class Pixels(NamedTuple):
    """Results at the frame's size, uint8; B > 1 streams keep the batch dimension."""

    composite: Tensor
    """([B,] H, W, 3) BGR."""
    alpha: Tensor
    """([B,] H, W)."""
    foreground: Tensor | None
    """([B,] H, W, 3) BGR, if requested."""


def small_frame(frame: Tensor, geometry: StepGeometry) -> Tensor:
    """Return the small frame (B, 3, h, w) float32, RGB in 0..1, of ([B,] H, W, 3) uint8 BGR."""
    image = to_image(frame)
    if geometry.ratio == 1:
        return image
    return functional.interpolate(
        image, scale_factor=geometry.ratio, mode="bilinear", align_corners=False, recompute_scale_factor=False
    )


def layers(frame: Tensor, slope: Tensor, offset: Tensor, backdrop: Tensor) -> LayerTensors:
    """Return the layers of ([B,] H, W, 3) uint8 BGR frames.

    slope, offset: (B, 4, h, w) float32; see `app.matting.torch.core`. backdrop: of the frames' shape and type, or the
    blurred background, (B, 3, h', w') float32 RGB in 0..1.
    """
    image = to_image(frame)
    size = image.shape[2:]
    if slope.shape[2:] != size:
        slope = functional.interpolate(slope, size=size, mode="bilinear", align_corners=False)
        offset = functional.interpolate(offset, size=size, mode="bilinear", align_corners=False)
    matte = slope * torch.cat([image, image.mean(1, keepdim=True)], 1) + offset
    if backdrop.dtype == torch.uint8:
        background = to_image(backdrop)
    else:
        background = torch.round(functional.interpolate(backdrop, size=size, mode="bilinear") * 255) / 255
    return LayerTensors((image + matte[:, :3]).clamp(0, 1), matte[:, 3:].clamp(0, 1), background)


def to_pixels(layers: LayerTensors, *, foreground: bool) -> Pixels:
    """Composite the layers."""
    person, alpha, backdrop = layers
    return Pixels(
        composite=_to_bgr(alpha * person + (1 - alpha) * backdrop),
        alpha=_to_bytes(alpha).squeeze(1).squeeze(0),
        foreground=_to_bgr(person) if foreground else None,
    )


def to_image(pixels: Tensor) -> Tensor:
    """Convert ([B,] H, W, 3) uint8 BGR to (B, 3, H, W) float32 RGB in 0..1."""
    return pixels.reshape(-1, *pixels.shape[-3:]).permute(0, 3, 1, 2).flip(1).float() / 255


def _to_bytes(values: Tensor) -> Tensor:
    return (values * 255).round().to(torch.uint8)


def _to_bgr(image: Tensor) -> Tensor:
    """Convert (B, 3, H, W) RGB in 0..1 to (B, H, W, 3) uint8 BGR; a batch of 1 is squeezed."""
    return _to_bytes(image).flip(1).permute(0, 2, 3, 1).contiguous().squeeze(0)
