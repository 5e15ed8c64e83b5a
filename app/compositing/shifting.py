"""Shows a background a little larger than the frame and shifts it by fractions of a pixel."""

from __future__ import annotations

import math

import cv2
import numpy as np

from app.core.types import BgrImage

MOST = 0.03
"""Largest shift, as a fraction of each side."""
STEPS = 4
"""Positions per pixel: finer ones are not visible."""


def margins(width: int, height: int, strength: float) -> tuple[int, int]:
    """Return by how many pixels a backdrop exceeds the frame left and right, and above and below.

    strength: 0..100.
    """
    return tuple(math.ceil(side * MOST * strength / 100) + 1 for side in (width, height))  # type: ignore[return-value]


class ShiftedBackdrop:
    """The part of a larger backdrop that is shown; keeps it while nothing moves."""

    def __init__(self) -> None:
        self._last: tuple[BgrImage, tuple[int, int], BgrImage] | None = None

    def shown(self, image: BgrImage, width: int, height: int, offset: tuple[float, float]) -> BgrImage:
        """Return the part of `image` for a frame of this size, in a new array unless nothing changed.

        image: larger than the frame on all sides by `margins`. offset: shift of the image (right, down), -1..1.
        """
        free_x, free_y = image.shape[1] - width, image.shape[0] - height
        place = _place(free_x, offset[0]), _place(free_y, offset[1])
        last = self._last
        if last is not None and last[0] is image and last[1] == place and last[2].shape[:2] == (height, width):
            return last[2]
        (left, across), (top, down) = (divmod(each, STEPS) for each in place)
        rows = image[top : top + height + (down > 0)]
        part = _mixed(rows[:, left : left + width], rows[:, left + 1 : left + 1 + width], across)
        part = _mixed(part[:height], part[1 : height + 1], down)
        self._last = image, place, np.ascontiguousarray(part)
        return self._last[2]


def _place(free: int, offset: float) -> int:
    """Return the first pixel shown, in steps. free: pixels that are not shown."""
    return min(max(round(free / 2 * (1 - offset) * STEPS), 0), free * STEPS)


def _mixed(first: BgrImage, second: BgrImage, step: int) -> BgrImage:
    """Interpolate between an image and its neighbour."""
    if step == 0:
        return first
    return np.asarray(cv2.addWeighted(first, 1 - step / STEPS, second, step / STEPS, 0), np.uint8)
