"""Edge controls, the same for all executors: their look-up tables and radii, and what they do to alpha with numpy.

Executors process 8-bit alpha identically. The order: contrast, temporal smoothing, grow or shrink, feather. Despill is
part of the compositing. Where feathering adds alpha, the person's colours are extended outward, so that no rim of the
original background shows. The estimated foreground is weighted there by the square of its alpha share, because it is
least accurate where alpha was small.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage

SHARPEST = 1e-3
MOTION = 30.0
"""Changes of alpha (0..255) well above this are treated as motion and pass unchanged; those well below as flicker."""

SPREAD_FACTOR = 4
"""Downsampling factor per axis at which the extended colours are computed."""
SPREAD_FLOOR = 1e-4
SPREAD_ALPHA = 128
"""Minimum alpha of the pixels whose colours are extended."""


@dataclass(frozen=True, slots=True)
class EdgePlan:
    """The operations to apply to alpha and foreground; None or 0 where a control is off."""

    contrast: NDArray[np.uint8] | None
    """(256,) look-up table from alpha to new alpha."""
    temporal_smoothing: NDArray[np.int16] | None
    """(511,) step to take for each difference -255..255 from the previous alpha."""
    grow_px: int
    feather_px: int
    despill: float
    touches_alpha: bool
    """Whether any control changes alpha."""
    active: bool
    """Whether any edge control changes alpha or the foreground."""


@functools.lru_cache(maxsize=8)
def plan(edges: EdgeSettings) -> EdgePlan:
    """Return the plan for these settings."""
    touches_alpha = any((edges.contrast > 0, edges.temporal_smoothing > 0, edges.grow_px, edges.feather_px))
    return EdgePlan(
        contrast=_contrast(edges.contrast, edges.threshold) if edges.contrast > 0 else None,
        temporal_smoothing=_smoothing_steps(edges.temporal_smoothing) if edges.temporal_smoothing > 0 else None,
        grow_px=edges.grow_px,
        feather_px=edges.feather_px,
        despill=edges.despill,
        touches_alpha=touches_alpha,
        active=touches_alpha or edges.despill > 0,
    )


def octagon(radius: int) -> tuple[int, int]:
    """Return (square, diamond) radii; dilation by both in sequence approximates a disc of `radius`."""
    square = round(0.41 * radius)
    return square, radius - square


def box_radii(feather_px: int) -> tuple[int, int]:
    """Return the radii of the two box blurs that together feather over `feather_px` pixels."""
    reach = -(-feather_px // 2)
    return reach // 2, reach - reach // 2


def spread_radius(feather_px: int) -> int:
    """Return the radius of the two box blurs that extend the person's colours, in downsampled pixels.

    The radius covers the width of the feather.
    """
    return -(-feather_px // SPREAD_FACTOR)


def _contrast(contrast: float, threshold: float) -> NDArray[np.uint8]:
    alpha = np.arange(256) / 255
    raised = (alpha - threshold) / max(1 - contrast, SHARPEST) + threshold
    return np.rint(np.clip(raised, 0, 1) * 255).astype(np.uint8)


def _smoothing_steps(temporal_smoothing: float) -> NDArray[np.int16]:
    """Return a table whose nonzero differences take a step of at least 1, so that alpha always converges."""
    difference = np.arange(-255, 256)
    follow = 1 - temporal_smoothing * np.exp(-((difference / MOTION) ** 2))
    size = np.maximum(np.rint(np.abs(difference) * follow), 1)
    return (np.sign(difference) * size).astype(np.int16)


_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def grow(alpha: AlphaImage, plan: EdgePlan) -> AlphaImage:
    """Grow or shrink alpha (H, W)."""
    if plan.grow_px > 0:
        return _dilate(alpha, plan.grow_px)
    if plan.grow_px < 0:
        return 255 - _dilate(255 - alpha, -plan.grow_px)
    return alpha


def feather(alpha: AlphaImage, feather_px: int) -> AlphaImage:
    """Feather alpha (H, W) outward; alpha never decreases."""
    return np.maximum(alpha, _soften(_dilate(alpha, -(-feather_px // 2)), feather_px))


def beyond(foreground: NDArray[np.uint8], alpha: AlphaImage, feather_px: int) -> NDArray[np.uint8]:
    """Return the foreground with colours extended past the feather; foreground and result are (H, 3 * W)."""
    height, width = alpha.shape
    samples = slice(SPREAD_FACTOR // 2, None, SPREAD_FACTOR)
    opaque = (alpha[samples, samples, None] >= SPREAD_ALPHA).astype(np.float32)
    colours = np.dstack([foreground.reshape(height, width, 3)[samples, samples] * opaque, opaque])
    window = 2 * spread_radius(feather_px) + 1
    for _ in range(2):
        colours = cv2.blur(colours, (window, window), borderType=cv2.BORDER_CONSTANT)
    continued = colours[..., :3] / (colours[..., 3:] + np.float32(SPREAD_FLOOR)) + np.float32(0.5)
    picture = np.clip(continued, 0, 255).astype(np.uint8)
    full = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full, np.uint8).reshape(height, -1)


def _dilate(alpha: AlphaImage, radius: int) -> AlphaImage:
    square, diamond = octagon(radius)
    if square:
        alpha = cv2.dilate(alpha, np.ones((2 * square + 1, 2 * square + 1), np.uint8))  # type: ignore[assignment]
    if diamond:
        alpha = cv2.dilate(alpha, _CROSS, iterations=diamond)  # type: ignore[assignment]
    return alpha


def _soften(alpha: AlphaImage, feather_px: int) -> AlphaImage:
    for radius in box_radii(feather_px):
        if radius:
            alpha = cv2.blur(alpha, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return alpha
