"""Edge controls and view at the frame's size, in OpenCV; see `app.matting.base.edges`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.framing import View
from app.core.threads import Strips
from app.core.types import AlphaImage, BgrImage
from app.matting.base.edges import (
    SPREAD_ALPHA,
    SPREAD_FACTOR,
    SPREAD_FLOOR,
    EdgePlan,
    box_radii,
    octagon,
    spread_radius,
)
from app.matting.kernels.full_size import view_rows

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
    surely = (alpha[samples, samples, None] >= SPREAD_ALPHA).astype(np.float32)
    colours = np.dstack([foreground.reshape(height, width, 3)[samples, samples] * surely, surely])
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


def enlarged(frame: BgrImage, view: View, strips: Strips) -> BgrImage:
    """Return the part of the frame (H, W, 3), enlarged to the frame's size."""
    shown = np.empty_like(frame)
    pixels, sides = (frame.reshape(len(frame), -1), shown.reshape(len(frame), -1)), (view.left, view.top, view.size)
    strips.run(len(frame), lambda top, bottom: view_rows(*pixels, *sides, top, bottom))
    return shown
