"""The backdrop of a frame, which parallax moves against the head."""

from __future__ import annotations

import numpy as np

from app.compositing.base import Background
from app.compositing.shifting import ShiftedBackdrop, margins
from app.core.settings import BackgroundSettings
from app.core.types import AlphaImage, Backdrop
from app.people.parallax import HeadDrift

MOVING = ("image", "video")
"""Kinds of background that parallax moves."""


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
        beside, above = margins(width, height, settings.parallax)
        larger = background.backdrop(width + 2 * beside, height + 2 * above, time_s)
        if not isinstance(larger, np.ndarray):
            return larger
        return self._shifted.shown(larger, width, height, self._drift.offset)

    def watch(self, settings: BackgroundSettings, alpha: AlphaImage, now_s: float) -> None:
        """Take the matte (h, w) of a frame, in its coordinates, for the parallax of the next one."""
        if _moves(settings):
            self._drift.follow(alpha, now_s)


def _moves(settings: BackgroundSettings) -> bool:
    return settings.parallax > 0 and settings.kind in MOVING
