"""The edge controls that look at neighbours, in OpenCV; `app.matting.edges` explains them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.matting.edges import SPREAD_FACTOR, SPREAD_FLOOR, EdgePlan, box_radii, octagon, spread_radius
from app.types import AlphaImage

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def grow(alpha: AlphaImage, plan: EdgePlan) -> AlphaImage:
    """Grow or shrink (H, W)."""
    if plan.grow_px > 0:
        return _dilate(alpha, plan.grow_px)
    if plan.grow_px < 0:
        return 255 - _dilate(255 - alpha, -plan.grow_px)
    return alpha


def feather(alpha: AlphaImage, feather_px: int) -> AlphaImage:
    """Softer outward (H, W); the inside stays."""
    return np.maximum(alpha, _soften(_dilate(alpha, -(-feather_px // 2)), feather_px))


def spread(foreground: NDArray[np.uint8], before: AlphaImage, after: AlphaImage, feather_px: int) -> None:
    """Continues the person's colours, in place, to where the feather added alpha: nothing of the room shows there.

    foreground: (H, 3 * W); before and after the feather: (H, W).
    """
    height, width = after.shape
    wider = after > before
    size = max(width // SPREAD_FACTOR, 1), max(height // SPREAD_FACTOR, 1)
    part = _shrink(before, size)[..., None] / np.float32(255)
    colours = np.dstack([_shrink(foreground.reshape(height, width, 3), size) * part, part])
    window = 2 * spread_radius(feather_px) + 1
    for _ in range(2):
        colours = cv2.blur(colours, (window, window), borderType=cv2.BORDER_CONSTANT)
    beyond = np.clip(colours[..., :3] / (colours[..., 3:] + np.float32(SPREAD_FLOOR)) + 0.5, 0, 255).astype(np.uint8)
    full = np.asarray(cv2.resize(beyond, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)[wider]
    own = (before[wider] / after[wider].astype(np.float32))[:, None] ** 2
    pixels = foreground.reshape(height, width, 3)
    pixels[wider] = (full + (pixels[wider] - full) * own + np.float32(0.5)).astype(np.uint8)


def _shrink(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """Means of squares of pixels; a rest at the right and bottom is left out."""
    cropped = image[: size[1] * SPREAD_FACTOR, : size[0] * SPREAD_FACTOR]
    return np.asarray(cv2.resize(cropped, size, interpolation=cv2.INTER_AREA), np.float32)


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
