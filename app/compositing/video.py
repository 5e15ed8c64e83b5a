"""Video backgrounds."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from app.compositing.still import layout_of
from app.core import geometry
from app.core.errors import BackgroundError
from app.core.geometry import Layout
from app.core.settings import BackgroundSettings
from app.core.text import t
from app.core.types import BgrImage
from app.media.alpha import BLACK, over_colour
from app.media.video_input import (
    LIVE_MAX_PIXELS,
    VideoError,
    VideoInput,
    colour_matrix,
    is_mirrored,
    is_turned,
    upright,
)

log = logging.getLogger(__name__)
_THREADS = 2
"""Of the decoder: the network needs the other cores."""

END_S = 5.0
"""Limit for the end of the thread that reads."""


class ReadingThread:
    """Runs `read` on a thread until `close`. Guard what both sides use with `condition`; `closing` ends the loop."""

    def __init__(self, read: Callable[[], None], name: str, what: str) -> None:
        """Do not start the thread yet. name: of the thread. what: names it in the log."""
        self.condition = threading.Condition()
        self.closing = False
        self._what = what
        # A daemon only so that a drive that never answers cannot keep the process alive.
        self._thread = threading.Thread(target=read, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; what `read` uses must exist."""
        self._thread.start()

    def close(self) -> None:
        """End the thread. Idempotent. On the thread itself, where the garbage collector may call it, do not wait."""
        with self.condition:
            self.closing = True
            self.condition.notify_all()
        if self._thread is threading.current_thread():
            return
        self._thread.join(END_S)
        if self._thread.is_alive():
            log.error("The %s does not stop.", self._what)


class LoopingVideo:
    """The frames of a video file, round after round."""

    def __init__(self, path: Path, colour: tuple[int, int, int] = BLACK) -> None:
        """colour: (blue, green, red) behind transparent parts.

        Raises BackgroundError for a file without a single readable frame.
        """
        try:
            self._video = VideoInput(path, max_pixels=LIVE_MAX_PIXELS, threads=_THREADS)
        except VideoError as error:
            raise BackgroundError(error.text) from error
        self.interval_s = float(1 / self._video.fps)
        self._round = self._video.timed_frames()
        first = next(self._round, None)
        if first is None:
            self._video.close()
            raise BackgroundError(t("The video {file} contains no readable frame; choose another file.", file=path))
        self._first_s: Fraction = first[0]
        self.first: VideoFrame = first[1]
        self._shape: tuple[int, int] | None = self._video.shape_of(self.first)
        """Of the first frame; None once a frame of another shape has been reported."""
        self._mirrored = is_mirrored(self.first)
        self._colour = colour
        self._scaler = VideoReformatter()
        """One for all frames: each has threads, and a frame with side data would keep its own until it is collected."""
        self.round_s: float | None = None
        """Duration of a round; None until the first one has been decoded."""

    def frames(self) -> Iterator[tuple[float, VideoFrame]]:
        """Yield every frame after the first, in an endless loop; ends after the only frame.

        Before each frame comes its time, in seconds since the first frame of the first round. Raises VideoError if no
        frame can be read any more.
        """
        begun_s = -self._first_s
        while True:
            count = 0
            for time_s, frame in self._round:
                count += 1
                self._tell_shape(frame)
                yield float(begun_s + time_s), frame
            if count == 0 and self.round_s is None:
                return  # a single frame
            if count == 0 or not self._video.rewind():
                raise VideoError(
                    t("The video {file} can no longer be read; choose another file.", file=self._video.path)
                )
            begun_s += self._video.end_s - self._first_s
            self.round_s = self.round_s or float(begun_s + self._first_s)
            self._round = self._video.timed_frames()

    def _tell_shape(self, frame: VideoFrame) -> None:
        if self._shape is not None and not geometry.is_alike(self._video.shape_of(frame), self._shape):
            self._shape = None
            log.warning(
                "%s",
                t(
                    "Frames of {file} have another shape than the first; they are cropped or given bars, not "
                    "stretched.",
                    file=self._video.path,
                ),
            )

    def picture(self, frame: VideoFrame, layout: Layout, width: int, height: int) -> BgrImage:
        """Return the frame upright, with square pixels, scaled to this size: (height, width, 3) uint8 BGR."""
        shape = self._video.shape_of(frame)
        size = (height, width) if is_turned(frame) else (width, height)
        covering = (geometry.cover_size if layout.fit == "fill" else geometry.contain_size)(*shape, *size)
        wanted = round(covering[0] * layout.zoom), round(covering[1] * layout.zoom)
        # downscale during the conversion, so that the full size never exists in BGR; upscale only after the crop
        new_size = min(shape, wanted, key=lambda side: side[0] * side[1])
        matrix = colour_matrix(frame)
        opaque = over_colour(frame, matrix, self._colour)
        small = self._scaler.reformat(opaque, *new_size, "bgr24", src_colorspace=matrix, interpolation="AREA")
        return geometry.lay_out(upright(frame, small.to_ndarray(), self._mirrored), layout, width, height)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._video.close()


_AHEAD = 5
"""Frames decoded ahead: enough to hide the seek to the start of the file."""
_MOST_SKIPPED = 3
"""Late frames dropped in a row before one is shown nevertheless, so that a slow decoder still advances."""
_LATEST_S = 1.0
"""If playback is further behind (a slow decoder, a suspended machine), its clock is reset."""
_ROUNDING_S = 1e-3
"""Tolerance for rounding errors in sums of frame intervals."""


class VideoBackground:
    """Plays a video in a loop at its own rate.

    A thread decodes ahead and scales to the size requested last; `backdrop` returns what is ready. realtime: False
    makes `backdrop` wait for the exact frame, for conversions. colour: behind transparent parts.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout = Layout(),
        *,
        colour: tuple[int, int, int] = BLACK,
        realtime: bool = True,
    ) -> None:
        self._path = path
        self._layout = layout
        self._realtime = realtime
        self._video = LoopingVideo(path, colour)
        self._reader = ReadingThread(
            self._decode_ahead, "background video", f"decoder of the background video {path.name}"
        )
        self._condition = self._reader.condition
        self._ahead: deque[tuple[float, BgrImage]] = deque()
        self._shown: BgrImage | None = None
        self._size: tuple[int, int] | None = None
        self._origin_s: float | None = None
        self._due_s = 0.0
        self._decoded_s = 0.0
        self._ended = False
        self.problem: BackgroundError | None = None
        self._reader.start()

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the frame for `time_s`; the first call returns the first frame."""
        with self._condition:
            if self._shown is None:
                self._shown = self._video.picture(self._video.first, self._layout, width, height)
            self._size = width, height
            self._advance(time_s)
            self._condition.notify_all()
            while not self._realtime and not self._ahead and not self._ended and not self._reader.closing:
                self._condition.wait()
                self._take_due()
            shown = self._shown
            # after a change of size, frames decoded before still have the old size
            self._shown = geometry.lay_out(shown, Layout(self._layout.fit), width, height)
            return self._shown

    @property
    def clock(self) -> tuple[float, float] | None:
        """The time of the first frame and the position, in seconds; None before the first call of `backdrop`.

        Before it, the clock of another background of this video can be set; the first call then decodes up to there.
        """
        return None if self._origin_s is None else (self._origin_s, self._due_s)

    @clock.setter
    def clock(self, clock: tuple[float, float]) -> None:
        self._origin_s, self._due_s = clock

    def follow(self, settings: BackgroundSettings) -> None:
        """Take over fit, zoom and pan, from the next frame that is decoded."""
        self._layout = layout_of(settings)

    def close(self) -> None:
        """End the thread and release the file. Idempotent."""
        self._reader.close()

    def _advance(self, time_s: float) -> None:
        if self._origin_s is None:
            self._origin_s = time_s
        late_s = time_s - self._origin_s - self._decoded_s
        if self._realtime and late_s > _LATEST_S:
            self._origin_s += late_s
        self._due_s = max(self._due_s, time_s - self._origin_s)
        self._take_due()

    def _take_due(self) -> None:
        if self._origin_s is not None and self._video.round_s is not None and not self._realtime:
            # a time far ahead is the same as one in the next round
            skipped_s = max(0, (self._due_s - self._decoded_s) // self._video.round_s) * self._video.round_s
            self._origin_s += skipped_s
            self._due_s -= skipped_s
        while self._ahead and self._ahead[0][0] <= self._due_s + _ROUNDING_S:
            self._shown = self._ahead.popleft()[1]
            self._condition.notify_all()

    def _decode_ahead(self) -> None:
        try:
            skipped = 0
            for at_s, frame in self._video.frames():
                size = self._wait_for_space()
                if size is None:
                    break
                if self._is_late(at_s) and skipped < _MOST_SKIPPED:
                    skipped += 1
                    continue
                skipped = 0
                image = self._video.picture(frame, self._layout, *size)
                with self._condition:
                    self._ahead.append((at_s, image))
                    self._condition.notify_all()
        except Exception as error:  # the boundary of the thread
            log.warning("The background video %s stopped: %s", self._path.name, error, exc_info=error)
            self.problem = BackgroundError(
                t("The video {file} can no longer be read; choose another file.", file=self._path)
            )
        finally:
            with self._condition:
                self._ended = True
                self._condition.notify_all()
            self._video.close()

    def _wait_for_space(self) -> tuple[int, int] | None:
        """Wait until a frame is needed and return its size; None after `close`."""
        with self._condition:
            self._condition.wait_for(
                lambda: self._reader.closing or (self._size is not None and len(self._ahead) < _AHEAD)
            )
            return None if self._reader.closing else self._size

    def _is_late(self, at_s: float) -> bool:
        with self._condition:
            self._decoded_s = at_s
            return self._realtime and at_s + self._video.interval_s <= self._due_s
