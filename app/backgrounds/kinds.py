"""Backgrounds: image, colour, blurred room and video, opened as the settings name them; and those that there are."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from av.video.frame import VideoFrame

from app.core import geometry
from app.core.errors import BackgroundError, Stage, t
from app.core.files import is_of_kind, no_answer
from app.core.geometry import Layout
from app.core.paths import assets_dir, backgrounds_dir
from app.core.settings import BackgroundSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground
from app.core.worker import FILE_LIMIT_S, Worker
from app.media.container import VideoError, no_longer_readable
from app.media.frame_filters import BLACK
from app.media.image_file import READ_SUFFIXES, read_image, reading_note
from app.media.video_input import LIVE_MAX_PIXELS, VideoInput, is_turned

log = logging.getLogger(__name__)


class Background(Protocol):
    """Provides the image behind the person, for frames of any size.

    `open_background` opens it on any thread and raises BackgroundError; it is used and closed on one thread.
    """

    @property
    def problem(self) -> BackgroundError | None:
        """Why the backdrop no longer changes; None while it works (any thread)."""
        return None

    def backdrop(self, width: int, height: int, time_s: float) -> Backdrop:
        """Return the backdrop in this size for this time, without waiting for a file.

        time_s: seconds of any monotonic clock; only videos use it. The image must not be written to. The same object is
        returned while the image is unchanged.
        """
        ...

    def apply_layout(self, settings: BackgroundSettings) -> None:
        """Take over the settings without a stage from the next backdrop on; the others are those it was opened with."""
        return

    def close(self) -> None:
        """Release the file. Idempotent."""
        return


LEAST_SIDE = 540
"""Short side from which smaller copies of an image are kept."""


def parse_colour(text: str) -> tuple[int, int, int]:
    """Convert `#RRGGBB` to (blue, green, red), each 0..255."""
    value = int(text.removeprefix("#"), 16)
    return value & 255, value >> 8 & 255, value >> 16


def layout_of(settings: BackgroundSettings) -> Layout:
    """Return how these settings lay out an image; a colour fills the frame."""
    if settings.kind == "colour":
        return Layout()
    return Layout(settings.fit, settings.zoom, settings.pan_x, settings.pan_y)


class ImageBackground(Background):
    """An image that fills the frame (`fill`), or fits into it over a blur of itself (`fit`).

    Smaller copies make a change of the layout cheap.
    """

    def __init__(self, image: BgrImage, layout: Layout = Layout()) -> None:
        self.layout = layout
        """How the next backdrop shows the image."""
        self._sizes = [image]
        while min(self._sizes[-1].shape[:2]) > LEAST_SIDE:
            half = cv2.resize(self._sizes[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            self._sizes.append(np.asarray(half, np.uint8))
        self._backdrop_shown: tuple[object, BgrImage] | None = None

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the image in this size; the same object while size and layout are unchanged."""
        key = self.layout, width, height
        if self._backdrop_shown is None or self._backdrop_shown[0] != key:
            full_height, full_width = self._sizes[0].shape[:2]
            size = geometry.cover_size(full_width, full_height, width, height)[0] * self.layout.zoom
            image = next((each for each in reversed(self._sizes) if each.shape[1] >= size), self._sizes[0])
            self._backdrop_shown = key, geometry.lay_out(image, *key)
        return self._backdrop_shown[1]

    def apply_layout(self, settings: BackgroundSettings) -> None:
        """Take over fit, zoom and pan."""
        self.layout = layout_of(settings)


class BlurBackground(Background):
    """The camera's own background, blurred by the frame step."""

    def __init__(self, strength: float, *, bokeh: bool = False) -> None:
        """strength: 0..100. bokeh: see `BlurredBackground`."""
        self._backdrop = BlurredBackground(strength, bokeh)

    def backdrop(self, width: int, height: int, time_s: float) -> BlurredBackground:
        """Return the same value for every size."""
        return self._backdrop


_THREADS = 2
"""Of the decoder: the network needs the other cores."""

END_S = 5.0
"""Limit for the end of the thread that reads."""


_AHEAD = 5
"""Frames decoded ahead: enough to hide the seek to the start of the file."""
_MOST_SKIPPED = 3
"""Late frames dropped in a row before one is shown nevertheless, so that a slow decoder still advances."""
_LATEST_S = 1.0
"""If playback is further behind (a slow decoder, a suspended machine), its clock is reset."""
_ROUNDING_S = 1e-3
"""Tolerance for rounding errors in sums of frame intervals."""


class VideoBackground(Background):
    """Plays a video in a loop at its own rate.

    A thread decodes ahead and scales to the size requested last; `backdrop` returns what is ready. realtime: False
    makes `backdrop` wait for the exact frame, for conversions. colour: (blue, green, red) behind transparent parts.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout = Layout(),
        *,
        colour: tuple[int, int, int] = BLACK,
        realtime: bool = True,
    ) -> None:
        """Raises BackgroundError for a file without a single readable frame."""
        try:
            self._video = VideoInput(path, max_pixels=LIVE_MAX_PIXELS, threads=_THREADS, colour=colour)
        except VideoError as error:
            raise BackgroundError(error.text) from error
        self._round = self._video.timed_frames()
        first = next(self._round, None)
        if first is None:
            self._video.close()
            raise BackgroundError(t("The video {file} contains no readable frame; choose another file.", file=path))
        self._first_s, self._first = first
        self._round_s: float | None = None
        """Duration of a round; None until the first one has been decoded."""
        self._layout = layout
        self._realtime = realtime
        self._condition = threading.Condition()
        """Guards what both sides use."""
        self._closing = False
        self._worker = Worker("background video", self._decode_ahead, Stage.BACKGROUND)
        self._ahead: deque[tuple[float, BgrImage]] = deque()
        self._current: BgrImage | None = None
        self._size: tuple[int, int] | None = None
        self._origin_s: float | None = None
        self._due_s = 0.0
        self._decoded_s = 0.0
        self._ended = False
        self._failure: BackgroundError | None = None
        """Why no further frame is decoded."""
        self._delay: BackgroundError | None = None
        """Why the next frame is late: the disk does not answer."""
        self._worker.start()

    @property
    def problem(self) -> BackgroundError | None:
        """See `Background.problem`; a delay is noted with each backdrop."""
        return self._failure or self._delay

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the frame for `time_s`; the first call returns the first frame."""
        with self._condition:
            if self._current is None:
                self._current = self._picture(self._first, width, height)
            self._size = width, height
            self._advance(time_s)
            self._condition.notify_all()
            while not self._realtime and not self._ahead and not self._ended and not self._closing:
                self._condition.wait()
                self._show_due()
            self._follow_delay()
            shown = self._current
            # after a change of size, frames decoded before still have the old size
            self._current = geometry.lay_out(shown, Layout(self._layout.fit), width, height)
            return self._current

    def apply_layout(self, settings: BackgroundSettings) -> None:
        """Take over fit, zoom and pan, from the next frame that is decoded."""
        self._layout = layout_of(settings)

    def close(self) -> None:
        """End the thread and release the file. Idempotent."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self._worker.is_this_thread:  # where the garbage collector may call it
            return
        if not self._worker.stop(END_S):
            log.error("The decoder of the background video %s does not stop.", self._video.path.name)

    def _advance(self, time_s: float) -> None:
        if self._origin_s is None:
            self._origin_s = time_s
        late_s = time_s - self._origin_s - self._decoded_s
        if self._realtime and late_s > _LATEST_S:
            self._origin_s += late_s
        self._due_s = max(self._due_s, time_s - self._origin_s)
        self._show_due()

    def _show_due(self) -> None:
        if self._origin_s is not None and self._round_s is not None and not self._realtime:
            # a time far ahead is the same as one in the next round
            skipped_s = max(0, (self._due_s - self._decoded_s) // self._round_s) * self._round_s
            self._origin_s += skipped_s
            self._due_s -= skipped_s
        while self._ahead and self._ahead[0][0] <= self._due_s + _ROUNDING_S:
            self._current = self._ahead.popleft()[1]
            self._condition.notify_all()

    def _follow_delay(self) -> None:
        """Note why the next frame is late: the same error until it comes."""
        overdue = self._worker.overdue_call()
        if overdue is None:
            self._delay = None
        elif self._delay is None:
            self._delay = BackgroundError(overdue)

    def _read_frames(self) -> Iterator[tuple[float, VideoFrame]]:
        """Yield what `_frames` does. A disk that stands still blocks in between."""
        frames = self._frames()
        path = self._video.path
        while True:
            with self._worker.blocking_call(lambda: no_answer(path), FILE_LIMIT_S):
                timed_frame = next(frames, None)
            if timed_frame is None:
                return
            yield timed_frame

    def _decode_ahead(self, _stop: threading.Event) -> None:
        try:
            skipped = 0
            for at_s, frame in self._read_frames():
                with self._condition:
                    self._condition.wait_for(
                        lambda: self._closing or (self._size is not None and len(self._ahead) < _AHEAD)
                    )
                    if self._closing or self._size is None:
                        break
                    size, self._decoded_s = self._size, at_s
                    is_late = self._realtime and at_s + float(1 / self._video.fps) <= self._due_s
                if is_late and skipped < _MOST_SKIPPED:
                    skipped += 1
                    continue
                skipped = 0
                image = self._picture(frame, *size)
                with self._condition:
                    self._ahead.append((at_s, image))
                    self._condition.notify_all()
        except Exception as error:  # the boundary of the thread
            log.warning("The background video %s stopped: %s", self._video.path.name, error, exc_info=error)
            self._failure = BackgroundError(no_longer_readable(self._video.path))
        finally:
            with self._condition:
                self._ended = True
                self._condition.notify_all()
            self._video.close()

    def _frames(self) -> Iterator[tuple[float, VideoFrame]]:
        """Yield every frame after the first, in an endless loop; ends after the only frame.

        Before each frame comes its time, in seconds since the first frame of the first round. Raises VideoError if no
        frame can be read any more.
        """
        begun_s = -self._first_s
        while True:
            count = 0
            for time_s, frame in self._round:
                count += 1
                yield float(begun_s + time_s), frame
            if count == 0 and self._round_s is None:
                return  # a single frame
            if count == 0 or not self._video.rewind():
                raise VideoError(no_longer_readable(self._video.path))
            begun_s += self._video.end_s - self._first_s
            self._round_s = self._round_s or float(begun_s + self._first_s)
            self._round = self._video.timed_frames()

    def _picture(self, frame: VideoFrame, width: int, height: int) -> BgrImage:
        """Return the frame upright, with square pixels, scaled to this size: (height, width, 3) uint8 BGR."""
        layout, shape = self._layout, self._video.shape_of(frame)
        size = (height, width) if is_turned(frame) else (width, height)
        covering = (geometry.cover_size if layout.fit == "fill" else geometry.contain_size)(*shape, *size)
        wanted = round(covering[0] * layout.zoom), round(covering[1] * layout.zoom)
        # downscale during the conversion, so that the full size never exists in BGR; upscale only after the crop
        new_size = min(shape, wanted, key=lambda side: side[0] * side[1])
        small = self._video.picture(frame, new_size, "AREA")
        return geometry.lay_out(small, layout, width, height)


def open_background(settings: BackgroundSettings, *, realtime: bool = True) -> Background:
    """Open the background of these settings.

    realtime: False for conversions: a video then waits for the exact frame of each time. May block for a moment while a
    large image is decoded. Raises BackgroundError if the file cannot be used, and ValueError for the kind "none", which
    has no backdrop.
    """
    if settings.kind == "blur":
        return BlurBackground(settings.blur_strength, bokeh=settings.bokeh)
    if settings.kind == "colour":
        return ImageBackground(np.full((1, 1, 3), parse_colour(settings.colour), np.uint8))
    if settings.kind == "none":
        raise ValueError('the kind "none" has no backdrop')
    if settings.path is None:
        raise BackgroundError(
            t("No video is chosen for the background; choose a file.")
            if settings.kind == "video"
            else t("No image is chosen for the background; choose a file.")
        )
    path, layout, colour = settings.path, layout_of(settings), parse_colour(settings.colour)
    if settings.kind == "video":
        return VideoBackground(path, layout, colour=colour, realtime=realtime)
    background = ImageBackground(read_image(path, colour), layout)
    if warning := reading_note(path):
        log.warning("%s", warning)
    return background


VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".gif"})
BACKGROUND_SUFFIXES = (*VIDEO_SUFFIXES, *READ_SUFFIXES)


def bundled_backgrounds() -> tuple[Path, ...]:
    """Return the bundled images in display order (their names start with a number)."""
    return tuple(sorted((assets_dir() / "backgrounds").glob("*.jpg")))


def title(path: Path) -> str:
    """Return the English name of a bundled background, such as `Dusk hills` for `3-dusk-hills.jpg`."""
    words = path.stem.split("-")
    return " ".join(words[1:] if words[0].isdigit() else words).capitalize()


def own_backgrounds() -> tuple[tuple[Path, str], ...]:
    """Return (file, shown name) of the user's images and videos, by name.

    Files that differ by their suffixes alone are shown with them.
    """
    folder = backgrounds_dir()
    if not folder.is_dir():
        return ()
    found = (path for path in folder.iterdir() if is_of_kind(path, BACKGROUND_SUFFIXES))
    files = sorted(found, key=lambda path: (path.stem.lower(), path.name))
    stems = Counter(path.stem for path in files)
    return tuple((path, path.stem if stems[path.stem] == 1 else path.name) for path in files)


def named_backgrounds() -> tuple[tuple[Path, str], ...]:
    """Return (file, shown name) of every background in the order of the window; names are in English."""
    bundled = ((path, title(path)) for path in bundled_backgrounds())
    return (*own_backgrounds(), *bundled)
