"""The background of one stream: it is closed with the stream, and a video goes on where a saved stream was."""

from __future__ import annotations

import weakref

import numpy as np

from app.backgrounds import open_background
from app.backgrounds.kinds import VideoBackground
from app.core.settings import BackgroundSettings
from app.core.types import Backdrop
from app.matting.base.interface import StateArrays, saved

CLOCK = "background.clock"
"""Name of the position of a video in a saved state."""


class StreamBackground:
    """Used on one thread."""

    def __init__(self, settings: BackgroundSettings) -> None:
        """Raises BackgroundError."""
        self._settings = settings
        self._background = open_background(settings, realtime=False)
        # The thread of a video refers to its background, which would outlive a stream that nobody closes.
        self.close = weakref.finalize(self, self._background.close)
        """Release the file. Idempotent."""
        self.close.atexit = False

    def backdrop(self, width: int, height: int, time_s: float) -> Backdrop:
        """Return the backdrop in this size for this time."""
        return self._background.backdrop(width, height, time_s)

    def state(self) -> StateArrays:
        """Return the position of a video."""
        clock = self._background.clock if isinstance(self._background, VideoBackground) else None
        return {} if clock is None else {CLOCK: np.array(clock)}

    def again(self, arrays: StateArrays) -> StreamBackground:
        """Return the background of a stream that goes on after `state`: a video opened again, others as they are.

        arrays: of `state`; a video for which they hold no position starts again. Raises ValueError or TypeError if the
        position is none, and BackgroundError.
        """
        if not isinstance(self._background, VideoBackground):  # whose clock only goes forwards
            return self
        clock = saved(arrays, CLOCK, (2,), np.float64)
        again = StreamBackground(self._settings)
        if clock is not None and isinstance(again._background, VideoBackground):
            again._background.clock = float(clock[0]), float(clock[1])
        return again
