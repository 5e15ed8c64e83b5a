"""A video as background."""

from __future__ import annotations

import logging
import threading
from collections import deque
from pathlib import Path
from typing import Literal

from av.error import FFmpegError

from app.compositing.video_loop import LoopingVideo, TimedFrame
from app.core import geometry
from app.core.types import BgrImage

log = logging.getLogger(__name__)

_AHEAD = 5
"""Frames kept ready: enough to hide the jump to the start of the file."""
_MOST_SKIPPED = 3
"""Late frames left out in a row; then one is shown all the same, so that a slow decoder still moves."""
_LATEST_S = 1.0
"""Further behind than this (a slow decoder, a suspended machine), the clock waits for the video."""
_ROUNDING_S = 1e-3
"""A frame this little early is due: sums of frame intervals are not exact."""
_JOIN_TIMEOUT_S = 5.0


class VideoBackground:
    """Loops a video at its own rate.

    A thread of its own decodes ahead and scales to the size last asked for, so `backdrop` takes what is ready.
    realtime: False lets `backdrop` wait for the right frame: for conversions, which run at any speed.
    """

    def __init__(self, path: Path, fit: Literal["fill", "fit"] = "fill", *, realtime: bool = True) -> None:
        self.name = path.name
        self._fit: Literal["fill", "fit"] = fit
        self._realtime = realtime
        self._video = LoopingVideo(path)
        self._condition = threading.Condition()
        self._ahead: deque[tuple[float, BgrImage]] = deque()
        self._shown: BgrImage | None = None
        self._size: tuple[int, int] | None = None
        self._origin_s: float | None = None
        self._due_s = 0.0
        self._decoded_s = 0.0
        self._ended = False
        self._closing = False
        self._thread = threading.Thread(target=self._decode_ahead, name="background video")
        self._thread.start()

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """The frame for `time_s`, where the first call shows the first frame."""
        with self._condition:
            if self._shown is None:
                self._shown = self._video.picture(self._video.first, self._fit, width, height)
            self._size = width, height
            self._advance(time_s)
            self._condition.notify_all()
            while not self._realtime and not self._ahead and not self._ended and not self._closing:
                self._condition.wait()
                self._take_due()
            shown = self._shown
            # right after a change of size what was decoded before still has the old one
            self._shown = (geometry.fill if self._fit == "fill" else geometry.fit)(shown, width, height)
            return self._shown

    def close(self) -> None:
        """End the thread and release the file."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(_JOIN_TIMEOUT_S)
        if self._thread.is_alive():
            log.error("The background video %s does not end.", self.name)

    def _advance(self, time_s: float) -> None:
        if self._origin_s is None:
            self._origin_s = time_s
        late_s = time_s - self._origin_s - self._decoded_s
        if self._realtime and late_s > _LATEST_S:
            self._origin_s += late_s
        self._due_s = max(self._due_s, time_s - self._origin_s)
        self._take_due()

    def _take_due(self) -> None:
        while self._ahead and self._ahead[0][0] <= self._due_s + _ROUNDING_S:
            self._shown = self._ahead.popleft()[1]
            self._condition.notify_all()

    def _decode_ahead(self) -> None:
        try:
            skipped = 0
            for timed in self._video.frames():
                size = self._wait_for_room()
                if size is None:
                    break
                if self._is_late(timed) and skipped < _MOST_SKIPPED:
                    skipped += 1
                    continue
                skipped = 0
                image = self._video.picture(timed.frame, self._fit, *size)
                with self._condition:
                    self._ahead.append((timed.at_s, image))
                    self._condition.notify_all()
        except (FFmpegError, OSError, ValueError, MemoryError) as error:
            log.warning("The background video %s stands still: %s", self.name, error)
        finally:
            with self._condition:
                self._ended = True
                self._condition.notify_all()
            self._video.close()

    def _wait_for_room(self) -> tuple[int, int] | None:
        """The size wanted, once a frame is wanted; None when it is time to end."""
        with self._condition:
            self._condition.wait_for(lambda: self._closing or (self._size is not None and len(self._ahead) < _AHEAD))
            return None if self._closing else self._size

    def _is_late(self, timed: TimedFrame) -> bool:
        with self._condition:
            self._decoded_s = timed.at_s
            return self._realtime and timed.at_s + self._video.interval_s <= self._due_s
