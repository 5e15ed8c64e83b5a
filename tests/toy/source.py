"""A source of one colour, and its row of the table: what a new source has to bring."""

from __future__ import annotations

import time

import numpy as np

from app.capture.table import SourceSpec
from app.core.settings import CaptureSettings
from app.core.types import Frame, SourceInfo


class ToySource:
    """Gives frames of the grey level that it is named by."""

    def __init__(self, value: str, settings: CaptureSettings) -> None:
        self.info = SourceInfo("toy", f"Toy {value}", f"toy:{value}", 64, 48, settings.fps, "")
        self._image = np.full((48, 64, 3), int(value), np.uint8)
        self._index = 0

    def read(self) -> Frame | None:
        """Return the next frame."""
        time.sleep(1 / self.info.fps)
        self._index += 1
        return Frame(self._image, self._index - 1, time.perf_counter())

    def close(self) -> None:
        """Nothing to release."""


TOY = SourceSpec("toy", ToySource, str.isdigit)
