"""Conversion between images and clips; the recurrent networks accept both."""

import torch.nn.functional as functional
from torch import Tensor


def flattened(src: Tensor) -> tuple[Tensor, int]:
    """Return clips (B, T, C, H, W) as (B * T, C, H, W), and T; images (B, C, H, W) unchanged, and 1."""
    return (src.flatten(0, 1), src.shape[1]) if src.ndim == 5 else (src, 1)


def as_given(outputs: tuple[Tensor, ...], src: Tensor) -> tuple[Tensor, ...]:
    """Reshape outputs (B * T, ...) to (B, T, ...) if `src` is a clip."""
    return tuple(x.reshape(-1, src.shape[1], *x.shape[1:]) for x in outputs) if src.ndim == 5 else outputs


def downsampled(image: Tensor, ratio: float) -> Tensor:
    """Downsample (B, 3, H, W) to (B, 3, floor(H * ratio), floor(W * ratio)), sampled at exactly this ratio."""
    if ratio == 1:
        return image
    return functional.interpolate(
        image, scale_factor=ratio, mode="bilinear", align_corners=False, recompute_scale_factor=False
    )
