"""Tells frames in which so little moves that the network's last result still fits them."""

from __future__ import annotations

import numpy as np

from app.core.settings import EdgeSettings
from app.core.types import Floats

CHANGED_LEVELS = 4.0
"""Largest change of a cell of the thumbnail, in 8-bit levels, since the frame that the network saw last.

The noise of a webcam moves a cell by up to 3; a hand or a head that moves, by tens.
"""
FIRST_FRAMES = 10
"""Frames of a stream that the network always sees: it settles in them."""


class Stillness:
    """Decides per frame of a live stream whether the network sees it: at least every second one."""

    def __init__(self) -> None:
        self._reference: Floats | None = None
        """Thumbnail of the frame that the network saw last."""
        self._edges: EdgeSettings | None = None
        self._inferred = 0
        self._left_out = False

    def forget(self) -> None:
        """Forget the stream."""
        self._reference, self._edges, self._inferred, self._left_out = None, None, 0, False

    def leaves_out(self, thumbnail: Floats, edges: EdgeSettings) -> bool:
        """Return whether the network leaves this frame out. thumbnail: (h, w, 3) in 0..255."""
        self._left_out = (
            not self._left_out
            and self._inferred >= FIRST_FRAMES
            and edges == self._edges
            and self._reference is not None
            and float(np.abs(thumbnail - self._reference).max()) <= CHANGED_LEVELS
        )
        if not self._left_out:
            self._reference, self._edges, self._inferred = thumbnail, edges, self._inferred + 1
        return self._left_out
