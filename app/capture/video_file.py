"""A video file, or an image, as a frame source."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

from app.capture.base import FrameSource
from app.core.errors import BackgroundError, Remedy, SourceLostError, SourceOpenError, t
from app.core.files import exists
from app.core.paths import program_command
from app.core.types import BgrImage, Frame, SourceInfo
from app.media.container import VideoError, no_longer_readable
from app.media.image_file import kind_of_file, read_image, reading_note
from app.media.video_input import LIVE_MAX_PIXELS
from app.media.video_reader import VideoReader

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 1.0
# If playback is further behind (a slow decoder, a suspended machine), its clock is reset.
LATEST_S = 0.5


# Images are downscaled to this.
STILL_SIDE = 1920


class _Still:
    """An image, read as a video of one frame."""

    fps = Fraction(30)
    codec = "image"
    reshaped = 0
    end_s = Fraction(1, 30)

    def __init__(self, path: Path) -> None:
        """Raise BackgroundError."""
        self.path = path
        self._image = read_image(path, max_side=STILL_SIDE)
        if warning := reading_note(path):
            log.warning("%s", warning)
        self.height, self.width = self._image.shape[:2]

    def frames(self) -> Generator[tuple[Fraction, BgrImage], None, None]:
        """Yield the image at the time 0."""
        yield Fraction(0), self._image


class VideoFileSource(FrameSource):
    """Plays a video file, or an image, in a loop, at the rate of its time stamps."""

    def __init__(self, path: Path, *, realtime: bool = True) -> None:
        """realtime: False delivers frames as fast as they are read. Raises SourceOpenError."""
        if exists(path) and path.is_dir():
            raise SourceOpenError(
                t(
                    "{file} is a folder; choose a video or an image in it⟦ (`{program} convert` "
                    "converts folders)⟧.",
                    file=path,
                    program=program_command(),
                ),
                Remedy.SOURCE,
            )
        try:
            still = kind_of_file(path) == "image"
            self._reader = _Still(path) if still else VideoReader(path, max_pixels=LIVE_MAX_PIXELS)
        except (BackgroundError, VideoError) as error:
            raise SourceOpenError(error.text, Remedy.SOURCE) from error
        reader = self._reader
        # Size and mean frame rate of the file; the format is its codec.
        self.info = SourceInfo(
            "file",
            path.name,
            str(path.resolve()),
            reader.width,
            reader.height,
            float(reader.fps),
            reader.codec,
        )
        self._realtime = realtime
        self._closed = threading.Event()
        self._frames = reader.frames()
        self._waiting: tuple[Fraction, BgrImage] | None = None
        self._current: BgrImage | None = None
        self._round_s = Fraction(0)
        self._reported_shape = False
        self._start_s: float | None = None
        self._index = 0

    def read(self) -> Frame | None:
        """Return the next frame at its time, or after a second the last one again.

        None after `close`.

        Recordings of screens have no frames while nothing changes. Raises SourceLostError if the
        file becomes unreadable.
        """
        if self._closed.is_set():
            return None
        if self._waiting is None:
            self._waiting = self._next()
        due_s, image = self._waiting
        if not self._realtime or self._wait_until(due_s):
            self._current = image
            self._waiting = None
        if self._closed.is_set() or self._current is None:
            return None
        frame = Frame(self._current, self._index, time.perf_counter())
        self._index += 1
        return frame

    def close(self) -> None:
        """Release the file. Idempotent."""
        self._closed.set()
        self._waiting = None
        self._current = None
        self._frames.close()

    def _wait_until(self, due_s: Fraction) -> bool:
        now = time.perf_counter()
        if self._start_s is None:
            self._start_s = now - float(due_s)
        wait_s = self._start_s + float(due_s) - now
        if wait_s < -LATEST_S:
            self._start_s = now - float(due_s)
        if wait_s <= 0:
            return True
        self._closed.wait(min(wait_s, READ_TIMEOUT_S))
        return wait_s <= READ_TIMEOUT_S and not self._closed.is_set()

    def _next(self) -> tuple[Fraction, BgrImage]:
        """Return the next frame and its time since the first; restart the file at its end."""
        timed = self._decode()
        if timed is None:
            self._round_s += self._reader.end_s or 0
            self._frames = self._reader.frames()
            timed = self._decode()
        if timed is None:
            raise SourceLostError(no_longer_readable(self._reader.path), Remedy.SOURCE)
        if self._reader.reshaped and not self._reported_shape:
            self._reported_shape = True
            log.warning(
                "Frames of %s have another shape than the first; they are given bars, not "
                "stretched.",
                self._reader.path,
            )
        return self._round_s + timed[0], timed[1]

    def _decode(self) -> tuple[Fraction, BgrImage] | None:
        try:
            return next(self._frames, None)
        except VideoError as error:
            raise SourceLostError(error.text, Remedy.SOURCE) from error
