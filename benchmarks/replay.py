"""A source that repeats prepared frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from app.core.types import BgrImage, Frame, SourceInfo


class ReplaySource:
    """Source that repeats prepared frames at a constant frame rate, without decoding or conversion."""

    def __init__(self, frames: Sequence[BgrImage], fps: float) -> None:
        height, width = frames[0].shape[:2]
        self._frames = frames
        self._info = SourceInfo("demo", "replay", "replay", width, height, fps, "")
        self._count = 0
        self._begun_s = time.perf_counter()
        self._pause = threading.Event()

    @property
    def info(self) -> SourceInfo:
        """Return size and frame rate."""
        return self._info

    def read(self) -> Frame:
        """Wait for the next frame and return it; overdue frames are dropped."""
        self._count = max(self._count + 1, int((time.perf_counter() - self._begun_s) * self._info.fps))
        self._pause.wait(max(0.0, self._begun_s + self._count / self._info.fps - time.perf_counter()))
        return Frame(self._frames[self._count % len(self._frames)], self._count, time.perf_counter())

    def close(self) -> None:
        """Do nothing: there is no device to release."""
