"""Recording the output or the matte to a video file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np

from app.core import geometry
from app.core.errors import SinkLostError, SinkOpenError
from app.core.messages.output import RecordingText
from app.core.text import Text
from app.core.types import Picture
from app.media.disk_errors import why_not_written
from app.media.video_writer import VideoWriter
from app.output import unfinished


class Recorder:
    """Writes the composite, or with `alpha` the matte in grey, as H.264.

    Frame times follow the clock, rounded to multiples of the frame interval: a recording keeps real time even if frames
    arrive late. A frame of another size than the first is letterboxed. Without a matte, a matte recording is black.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: float,
        *,
        alpha: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """width, height: pixels. fps: nominal frame rate. Raises SinkOpenError if the file cannot be written."""
        self.name = str(path)
        self._alpha = alpha
        self._clock = clock
        self._rate = Fraction(fps).limit_denominator(1001)
        self._started_s: float | None = None
        self._tick = -1
        self._closed = False
        try:
            self._writer = VideoWriter(path, width, height, self._rate, live=True)
        except OSError as error:
            raise SinkOpenError(RecordingText.NOT_STARTED(file=path, reason=why_not_written(error))) from error
        unfinished.begin(self._writer.temporary_path)

    def send(self, picture: Picture) -> None:
        """Append the frame. Raises SinkLostError if it cannot be written; the file so far is finished then."""
        if self._closed:
            raise SinkLostError(RecordingText.FINISHED(file=self.name))
        now_s = self._clock()
        if self._started_s is None:
            self._started_s = now_s
        self._tick = max(self._tick + 1, round((now_s - self._started_s) * self._rate))
        try:
            self._writer.write(self._image(picture), self._tick / self._rate)
        except OSError as error:
            kept = self._salvage()
            raise SinkLostError(RecordingText.STOPPED(reason=why_not_written(error), kept=kept)) from error

    def close(self) -> None:
        """Finish the file, or remove it if it is empty. Idempotent. Raises SinkLostError if it cannot be finished."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._tick < 0:
                self._writer.abort()
            else:
                self._writer.close()
        except OSError as error:
            raise SinkLostError(
                RecordingText.NOT_FINISHED(reason=why_not_written(error), kept=self._salvage())
            ) from error
        finally:
            unfinished.end(self._writer.temporary_path)

    def _image(self, picture: Picture) -> geometry.Image:
        if not self._alpha:
            image = picture.image
        elif picture.alpha is None:
            image = np.zeros(picture.image.shape[:2], np.uint8)
        else:
            image = picture.alpha
        return geometry.letterbox(image, *self._writer.size)

    def _salvage(self) -> Text:
        """Finish the file after a failure and return where it is."""
        self._closed = True
        with suppress(OSError):
            self._writer.close()
        path, temporary_path = self._writer.path, self._writer.temporary_path
        if temporary_path.exists() and not path.exists():
            # the end could not be written, but a fragmented file can be played without it
            with suppress(OSError):
                temporary_path.rename(path)
        unfinished.end(temporary_path)
        if temporary_path.exists():
            return RecordingText.KEPT(file=temporary_path)
        return RecordingText.KEPT(file=path) if path.exists() else RecordingText.NOTHING_KEPT()
