"""Slow drift of the background against the head, as if there were depth behind the person.

The background is shown a little larger than the frame and shifted by fractions of a pixel.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from app.compositing.backgrounds import Background
from app.core.settings import BackgroundSettings
from app.core.types import AlphaImage, Backdrop, BgrImage

MOST = 0.03
"""Largest shift, as a fraction of each side."""
STEPS = 4
"""Positions per pixel: finer ones are not visible."""


def margins(width: int, height: int, strength: float) -> tuple[int, int]:
    """Return by how many pixels a backdrop exceeds the frame left and right, and above and below.

    strength: 0..100.
    """
    return tuple(math.ceil(side * MOST * strength / 100) + 1 for side in (width, height))  # type: ignore[return-value]


def _place(free: int, offset: float) -> int:
    """Return the first pixel shown, in steps. free: pixels that are not shown."""
    return min(max(round(free / 2 * (1 - offset) * STEPS), 0), free * STEPS)


def _mixed(first: BgrImage, second: BgrImage, step: int) -> BgrImage:
    """Interpolate between an image and its neighbour."""
    if step == 0:
        return first
    return np.asarray(cv2.addWeighted(first, 1 - step / STEPS, second, step / STEPS, 0), np.uint8)


MOVING = ("image", "video")
"""Kinds of background that parallax moves."""
TIME_S = 0.6
"""Time constant of each of the two filters between the head and the background: it settles within about two seconds."""
GRID = (48, 27)
"""(columns, rows) in which the head is searched."""
LEAST_ROW = 2
"""Cells of a row that belong to a person, below which it is no head."""
HEAD_ROWS = 7
SOLID = 128


def head_of(alpha: AlphaImage) -> tuple[float, float] | None:
    """Return where the head is, (x, y) in fractions of the frame; None if nobody is visible."""
    small = np.asarray(cv2.resize(alpha, GRID, interpolation=cv2.INTER_NEAREST)) >= SOLID
    rows = np.flatnonzero(small.sum(axis=1) >= LEAST_ROW)
    if not len(rows):
        return None
    top = int(rows[0])
    columns = small[top : top + HEAD_ROWS].sum(axis=0)
    x = float((columns * (np.arange(GRID[0]) + 0.5)).sum() / columns.sum())
    return x / GRID[0], min((top + HEAD_ROWS / 2) / GRID[1], 1.0)


def _towards(value: tuple[float, float], target: tuple[float, float], part: float) -> tuple[float, float]:
    return value[0] + (target[0] - value[0]) * part, value[1] + (target[1] - value[1]) * part


class DriftingBackdrop:
    """Follows the head in the mattes of one stream, and shows a part of a larger backdrop. Used on one thread."""

    def __init__(self) -> None:
        self._target = self._first = self.offset = (0.0, 0.0)
        """The last is how far (right, down) the background has drifted, -1..1: against the head's distance from the
        centre."""
        self._last_s: float | None = None
        self._part: tuple[BgrImage, tuple[int, int], BgrImage] | None = None
        """The larger image, the place of the part that was shown last, and that part."""

    def shown(
        self, background: Background, settings: BackgroundSettings, width: int, height: int, time_s: float
    ) -> Backdrop:
        """Return what is behind the person, in this size at this time of the background's clock."""
        if not _moves(settings):
            return background.backdrop(width, height, time_s)
        margin_x, margin_y = margins(width, height, settings.parallax)
        larger = background.backdrop(width + 2 * margin_x, height + 2 * margin_y, time_s)
        if not isinstance(larger, np.ndarray):
            return larger
        return self.shifted(larger, width, height, self.offset)

    def shifted(self, image: BgrImage, width: int, height: int, offset: tuple[float, float]) -> BgrImage:
        """Return the part of `image` for a frame of this size, in a new array unless nothing changed.

        image: larger than the frame on all sides by `margins`. offset: shift of the image (right, down), -1..1.
        """
        free_x, free_y = image.shape[1] - width, image.shape[0] - height
        place = _place(free_x, offset[0]), _place(free_y, offset[1])
        last = self._part
        if last is not None and last[0] is image and last[1] == place and last[2].shape[:2] == (height, width):
            return last[2]
        (left, across), (top, down) = (divmod(each, STEPS) for each in place)
        rows = image[top : top + height + (down > 0)]
        part = _mixed(rows[:, left : left + width], rows[:, left + 1 : left + 1 + width], across)
        part = _mixed(part[:height], part[1 : height + 1], down)
        self._part = image, place, np.ascontiguousarray(part)
        return self._part[2]

    def watch(self, settings: BackgroundSettings, alpha: AlphaImage, now_s: float) -> None:
        """Take the matte (h, w) of the frame captured at `now_s`, in its coordinates, for the parallax of the next one.

        Without a person the drift stays.
        """
        if not _moves(settings):
            return
        step_s = 0.0 if self._last_s is None else min(max(now_s - self._last_s, 0.0), 0.5)
        self._last_s = now_s
        head = head_of(alpha)
        if head is not None:
            self._target = 1 - 2 * head[0], 1 - 2 * head[1]
        part = 1 - math.exp(-step_s / TIME_S)
        self._first = _towards(self._first, self._target, part)
        self.offset = _towards(self.offset, self._first, part)


def _moves(settings: BackgroundSettings) -> bool:
    return settings.parallax > 0 and settings.kind in MOVING
