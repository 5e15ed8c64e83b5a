"""A source of frames without a camera."""

from __future__ import annotations

import threading
import time

from app.core.settings import CaptureSettings
from app.core.types import Frame, SourceInfo
from app.testing.faults import Faults
from app.testing.room import HEIGHT, WIDTH, room_picture


class FakeSource:
    """Gives the room with the person at a high rate. Read and close it on the thread that made it."""

    def __init__(
        self, settings: CaptureSettings | None = None, faults: Faults | None = None, kind: str = "file"
    ) -> None:
        """Faults are put at the stages `open_source`, `read` and `close_source`. kind: as in `SourceInfo`."""
        settings = settings or CaptureSettings()
        self._faults = faults or Faults()
        self._faults.at("open_source")
        self._index = 0
        self._pace = threading.Event()
        self.decoded = self.skipped = 0
        self.holds_exposure = False
        self.closed_on: int | None = None
        self._opened_on = threading.get_ident()
        self.info = SourceInfo(kind, settings.source, settings.source, WIDTH, HEIGHT, settings.fps, "")

    def read(self) -> Frame | None:
        """Return the next frame."""
        assert threading.get_ident() == self._opened_on, "read on another thread than opened"
        self._pace.wait(0.004)
        self._faults.at("read")
        self._index += 1
        self.decoded += 1
        image = room_picture()
        image[0, 0] = self._index % 251  # like the noise of a sensor: no two frames are equal
        return Frame(image, self._index - 1, time.perf_counter())

    def skip(self) -> bool:
        """Take a frame without decoding it."""
        assert threading.get_ident() == self._opened_on, "skipped on another thread than opened"
        self._pace.wait(0.004)
        self._faults.at("read")
        self._index += 1
        self.skipped += 1
        return True

    def hold_exposure(self, wanted: bool) -> None:
        """Note whether the exposure is to be held."""
        assert threading.get_ident() == self._opened_on, "held on another thread than opened"
        self.holds_exposure = wanted

    def close(self) -> None:
        """Suffer the fault of `close_source`."""
        assert threading.get_ident() == self._opened_on, "closed on another thread than opened"
        self._faults.at("close_source")
        self.closed_on = threading.get_ident()
