"""The output thread: at a steady rate it hands the newest permitted picture to every sink, new ones at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import Settings
from app.core.types import Picture
from app.runtime.board import StatusBoard
from app.runtime.guard import may_leave
from app.runtime.pacing import SteadyClock
from app.runtime.sink_worker import SinkWorker
from app.runtime.slot import LatestSlot, SlotClosed
from app.runtime.standby_pictures import StandbyPictures

log = logging.getLogger(__name__)

DRAWING_LIMIT_S = 5.0
STALE_S = 2.0
"""A composite older than this is replaced by the stand-by card: the matting hangs."""
STALE_STEPS = 4.0
"""On a machine whose step is slow: stale after so many steps."""


class OutputClock:
    """Repeats the last composite when the matting is late, so that readers never see a stall."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        pictures: LatestSlot[Picture],
        standby: StandbyPictures,
        sinks: Sequence[SinkWorker[Any, Any]],
        board: StatusBoard,
    ) -> None:
        self._settings = settings
        self._pictures = pictures
        self._standby = standby
        self._sinks = sinks
        self._board = board
        self._latest: Picture | None = None
        self._arrived_s = 0.0
        self._sent: Picture | None = None
        self._mirrored: tuple[Picture, Picture] | None = None

    def run(self, stop: threading.Event) -> None:
        """The thread's body; it ends with `stop` or the slot's end."""
        self._standby.start()
        try:
            self._tick(stop)
        finally:
            if not self._standby.stop(DRAWING_LIMIT_S):
                log.warning("drawing the stand-by card did not end in time")

    def _tick(self, stop: threading.Event) -> None:
        clock = SteadyClock(self._settings().capture.fps)
        while clock.wait(stop):
            try:
                arrived = self._pictures.get(clock.left_s)
            except SlotClosed:
                return
            if arrived is not None:
                clock.news()
            settings = self._settings()
            clock.rate_hz = settings.capture.fps
            picture = self._choose(arrived, settings)
            fresh, self._sent = picture is not self._sent, picture
            outgoing = self._mirror(picture) if settings.output.mirror else picture
            for sink in self._sinks:
                sink.send(outgoing, fresh=fresh)
            if any(sink.active for sink in self._sinks):
                self._board.frames_sent.tick()

    def _choose(self, arrived: Picture | None, settings: Settings) -> Picture:
        now_s = time.monotonic()
        if arrived is not None:
            self._latest, self._arrived_s = arrived, now_s
        latest = self._latest
        if latest is not None and may_leave(latest, settings):
            stale_s = max(STALE_S, STALE_STEPS * self._board.step_ms.read().p95 / 1e3)
            if settings.frozen or now_s - self._arrived_s < stale_s:
                return latest
        width, height = latest.size if latest else (settings.capture.width, settings.capture.height)
        return self._standby.soon(settings.output, width, height)

    def _mirror(self, picture: Picture) -> Picture:
        if self._mirrored is None or self._mirrored[0] is not picture:
            alpha = None if picture.alpha is None else _flip(picture.alpha)
            flipped = Picture(_flip(picture.image), picture.kind, alpha, frame=picture.frame)
            self._mirrored = (picture, flipped)
        return self._mirrored[1]


def _flip(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.flip(image, 1), dtype=np.uint8)
