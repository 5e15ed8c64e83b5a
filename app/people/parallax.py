"""Slow drift of the background against the head, as if there were depth behind the person."""

from __future__ import annotations

import math

import cv2
import numpy as np

from app.compositing.base import Background
from app.compositing.shifting import ShiftedBackdrop, margins
from app.core.settings import BackgroundSettings
from app.core.types import AlphaImage, Backdrop

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


class HeadDrift:
    """Follows the head in the mattes of a stream. Used on the inference thread."""

    def __init__(self) -> None:
        self._target = self._first = self._second = (0.0, 0.0)
        self._last_s: float | None = None

    @property
    def offset(self) -> tuple[float, float]:
        """How far (right, down) the background has drifted, -1..1: against the head's distance from the centre."""
        return self._second

    def follow(self, alpha: AlphaImage, now_s: float) -> None:
        """Take the matte (h, w) of the frame captured at `now_s`. Without a person the drift stays."""
        step_s = 0.0 if self._last_s is None else min(max(now_s - self._last_s, 0.0), 0.5)
        self._last_s = now_s
        head = head_of(alpha)
        if head is not None:
            self._target = 1 - 2 * head[0], 1 - 2 * head[1]
        part = 1 - math.exp(-step_s / TIME_S)
        self._first = _towards(self._first, self._target, part)
        self._second = _towards(self._second, self._first, part)


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
    """Follows the head of one stream. Used on one thread."""

    def __init__(self) -> None:
        self._drift, self._shifted = HeadDrift(), ShiftedBackdrop()

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
        return self._shifted.shown(larger, width, height, self._drift.offset)

    def watch(self, settings: BackgroundSettings, alpha: AlphaImage, now_s: float) -> None:
        """Take the matte (h, w) of a frame, in its coordinates, for the parallax of the next one."""
        if _moves(settings):
            self._drift.follow(alpha, now_s)


def _moves(settings: BackgroundSettings) -> bool:
    return settings.parallax > 0 and settings.kind in MOVING
