"""Edge controls, the same for all executors: tables, radii, and their arithmetic in numpy.

Executors process 8-bit alpha identically. The order: contrast, temporal smoothing, grow or shrink,
feather. Despill is part of the compositing. Where feathering adds alpha, the person's colours are
extended outward, so that no rim of the original background shows. The estimated foreground is
weighted there by the square of its alpha share, because it is least accurate where alpha was small.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage

# Range of alpha that a full contrast stretches to 0..1: a hard mask.
SHARPEST = 1e-3
# Changes of alpha (0..255) well above this are treated as
# motion and pass unchanged; those well below as flicker.
MOTION = 30.0

# Downsampling factor per axis at which the extended colours are computed.
SPREAD_FACTOR = 4
# Added to weights, so that a pixel that no colour reaches is no division by 0.
SPREAD_FLOOR = 1e-4
# Minimum alpha of the pixels whose colours are extended.
SPREAD_ALPHA = 128


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
    # Whether any control changes alpha.
    touches_alpha: bool
    # Whether any edge control changes alpha or the foreground.
    active: bool


@functools.lru_cache(maxsize=8)
def plan(edges: EdgeSettings) -> EdgePlan:
    """Return the plan for these settings."""
    contrast = None
    if edges.contrast > 0:
        contrast = _contrast(edges.contrast, edges.threshold)
    smoothing = None
    if edges.temporal_smoothing > 0:
        smoothing = _smoothing_steps(edges.temporal_smoothing)
    uses_tables = contrast is not None or smoothing is not None
    touches_alpha = uses_tables or edges.grow_px != 0 or edges.feather_px != 0
    return EdgePlan(
        contrast=contrast,
        temporal_smoothing=smoothing,
        grow_px=edges.grow_px,
        feather_px=edges.feather_px,
        despill=edges.despill,
        touches_alpha=touches_alpha,
        active=touches_alpha or edges.despill > 0,
    )


def octagon(radius: int) -> tuple[int, int]:
    """Return the radii of a square and a diamond that together approximate a disc of `radius`.

    Dilation by both in sequence is that by an octagon.
    """
    square = round(0.41 * radius)
    return square, radius - square


def box_radii(feather_px: int) -> tuple[int, int]:
    """Return the radii of the two box blurs that together feather over `feather_px` pixels."""
    reach = -(-feather_px // 2)
    return reach // 2, reach - reach // 2


def spread_radius(feather_px: int) -> int:
    """Return the radius of the two box blurs that extend the person's colours.

    It is in downsampled pixels, and covers the width of the feather.
    """
    return -(-feather_px // SPREAD_FACTOR)


def _contrast(contrast: float, threshold: float) -> NDArray[np.uint8]:
    alpha = np.arange(256) / 255
    raised = (alpha - threshold) / max(1 - contrast, SHARPEST) + threshold
    return np.rint(np.clip(raised, 0, 1) * 255).astype(np.uint8)


def _smoothing_steps(temporal_smoothing: float) -> NDArray[np.int16]:
    """Return the step for each difference, -255..255.

    It is at least 1 where there is a difference, so that alpha always converges.
    """
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
    half = -(-feather_px // 2)
    return np.maximum(alpha, _soften(_dilate(alpha, half), feather_px))


def beyond(foreground: NDArray[np.uint8], alpha: AlphaImage, feather_px: int) -> NDArray[np.uint8]:
    """Return the foreground with its colours extended past the feather, both (H, 3 * W)."""
    height, width = alpha.shape
    samples = slice(SPREAD_FACTOR // 2, None, SPREAD_FACTOR)
    opaque = (alpha[samples, samples, None] >= SPREAD_ALPHA).astype(np.float32)
    sampled = foreground.reshape(height, width, 3)[samples, samples]
    colours = np.dstack([sampled * opaque, opaque])
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
        side = 2 * square + 1
        alpha = np.asarray(cv2.dilate(alpha, np.ones((side, side), np.uint8)), np.uint8)
    if diamond:
        alpha = np.asarray(cv2.dilate(alpha, _CROSS, iterations=diamond), np.uint8)
    return alpha


def _soften(alpha: AlphaImage, feather_px: int) -> AlphaImage:
    for radius in box_radii(feather_px):
        if radius:
            side = 2 * radius + 1
            soft = cv2.blur(alpha, (side, side), borderType=cv2.BORDER_REPLICATE)
            alpha = np.asarray(soft, np.uint8)
    return alpha
