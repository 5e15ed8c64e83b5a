"""The kinds of background: image, colour, blurred room and video; and the files to choose from.

`open_background` opens what the settings name.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from app.core import geometry
from app.core.errors import BackgroundError, Stage, t
from app.core.files import is_of_kind, no_answer, why_not_read
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

    `open_background` opens it on any thread and raises BackgroundError; it is used and closed on
    one thread.
    """

    # Why the backdrop no longer changes; None while it works (any thread).
    problem: BackgroundError | None = None

    def backdrop(self, width: int, height: int, time_s: float) -> Backdrop:
        """Return the backdrop in this size for this time, without waiting for a file.

        time_s: seconds of any monotonic clock; only videos use it. The image must not be written
        to. The same object is returned while the image is unchanged.
        """
        ...

    def apply_layout(self, settings: BackgroundSettings) -> None:
        """Take over fit, zoom and pan from the next backdrop on.

        They are the settings declared with `stage=None`; a change of any other one opens the
        background anew.
        """
        return

    def close(self) -> None:
        """Release the file. Idempotent."""
        return


# Copies of an image, each half as large as the last, are made until the short side is at most this.
LEAST_SIDE = 540


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
        self.layout = layout  # of the next backdrop
        self._sizes = [image]  # each half as large as the one before
        while min(self._sizes[-1].shape[:2]) > LEAST_SIDE:
            half = cv2.resize(self._sizes[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            self._sizes.append(np.asarray(half, np.uint8))
        # The last backdrop, and the layout and size that it was made for.
        self._last_backdrop: BgrImage | None = None
        self._last_key: tuple[Layout, int, int] | None = None

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the image in this size; the same object while size and layout are unchanged."""
        key = (self.layout, width, height)
        if self._last_backdrop is None or key != self._last_key:
            image = self._smallest_for(width, height)
            self._last_backdrop = geometry.lay_out(image, self.layout, width, height)
            self._last_key = key
        return self._last_backdrop

    def _smallest_for(self, width: int, height: int) -> BgrImage:
        """Return the smallest copy that need not be enlarged; the image itself if there is none."""
        full_height, full_width = self._sizes[0].shape[:2]
        cover_width, _ = geometry.cover_size(full_width, full_height, width, height)
        for image in reversed(self._sizes):
            if image.shape[1] >= cover_width * self.layout.zoom:
                return image
        return self._sizes[0]

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


# The network needs the other cores.
_DECODER_THREADS = 2
# Limit for the end of the decoding thread.
END_S = 5.0
# Frames decoded ahead: enough to hide the seek to the start of the file.
_MOST_AHEAD = 5
# Late frames dropped in a row before one is shown nevertheless, so that a slow decoder still
# advances.
_MOST_SKIPPED = 3
# If playback is further behind (a slow decoder, a suspended machine), its clock is reset.
_LATEST_S = 1.0
# Tolerance for rounding errors in sums of frame intervals.
_ROUNDING_S = 1e-3


class VideoLoop:
    """The frames of a video in an endless loop, a round of which is one pass over the file.

    After the constructor, the decoding thread reads them. Times of playback are seconds since the
    first frame of the first round.
    """

    def __init__(self, video: VideoInput) -> None:
        """Raises BackgroundError for a file without a single readable frame."""
        self._video = video
        # What is left of the round.
        self._round = video.timed_frames()
        first = next(self._round, None)
        if first is None:
            raise BackgroundError(
                t(
                    "The video {file} contains no readable frame; choose another file.",
                    file=video.path,
                )
            )
        self._first_s, self.first = first
        # Duration of a round; unknown until the first one has been decoded.
        self.round_s: float | None = None

    def frames_after_first(self) -> Iterator[tuple[float, VideoFrame]]:
        """Yield (time of playback, frame) after the first frame, in an endless loop.

        Ends at once if the first frame is the only one. Raises VideoError if no frame can be read
        any more.
        """
        # What a time of the file lacks to be one of playback, in the current round.
        offset_s = -self._first_s
        while True:
            count = 0
            for time_s, frame in self._round:
                count += 1
                yield float(offset_s + time_s), frame
            if count == 0 and self.round_s is None:
                return
            if count == 0 or not self._video.rewind():
                raise VideoError(no_longer_readable(self._video.path))
            offset_s += self._video.end_s - self._first_s
            if self.round_s is None:
                self.round_s = float(offset_s + self._first_s)
            self._round = self._video.timed_frames()


class PlaybackClock:
    """Which moment of a looped video is due. Used with the lock of its background."""

    def __init__(self, *, realtime: bool) -> None:
        """realtime: whether a slow decoder makes the video fall behind."""
        self._realtime = realtime
        # The time of the caller at which the first frame was due; moved when the clock is reset.
        self._origin_s: float | None = None
        # Times of playback: of the backdrop requested last, and of the frame decoded last.
        self.due_s = 0.0
        self.decoded_s = 0.0

    def advance(self, time_s: float) -> None:
        """Move playback to the caller's time."""
        if self._origin_s is None:
            self._origin_s = time_s
        late_s = time_s - self._origin_s - self.decoded_s
        if self._realtime and late_s > _LATEST_S:
            self._origin_s += late_s
        self.due_s = max(self.due_s, time_s - self._origin_s)

    def skip_rounds(self, round_s: float) -> None:
        """Leave out whole rounds before a time far ahead: as all are the same, none of these need
        be decoded.
        """
        if self._origin_s is None:
            return
        rounds = max(0, (self.due_s - self.decoded_s) // round_s)
        skipped_s = rounds * round_s
        self._origin_s += skipped_s
        self.due_s -= skipped_s


class VideoBackground(Background):
    """Plays a video in a loop at its own rate.

    A thread decodes ahead and scales to the size requested last; `backdrop` returns what is ready.
    realtime: False makes `backdrop` wait for the exact frame, for conversions. colour:
    (blue, green, red) behind transparent parts.
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
            self._video = VideoInput(
                path,
                max_pixels=LIVE_MAX_PIXELS,
                threads=_DECODER_THREADS,
                colour=colour,
            )
        except VideoError as error:
            raise BackgroundError(error.text) from error
        try:
            self._loop = VideoLoop(self._video)
        except BackgroundError:
            self._video.close()
            raise
        self._layout = layout
        self._realtime = realtime
        # Guards what both threads use, from here on; not the errors, each of which one thread
        # writes.
        self._condition = threading.Condition()
        self._closing = False
        self._worker = Worker("background video", self._decode_ahead, Stage.BACKGROUND)
        self._newest_frame = self._loop.first
        # The last frame in full size, once no further one is decoded; and how it is shown.
        self._last_image: BgrImage | None = None
        self._last_shown_as: object = None
        # (time of playback, image) of the frames that are decoded and not due yet.
        self._ahead: deque[tuple[float, BgrImage]] = deque()
        self._current: BgrImage | None = None
        # (width, height) of the backdrop requested last.
        self._size: tuple[int, int] | None = None
        self._playback = PlaybackClock(realtime=realtime)
        self._ended = False
        # Why no further frame is decoded.
        self._failure: BackgroundError | None = None
        self._worker.start()

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the frame for `time_s`; the first call returns the first frame."""
        with self._condition:
            if self._current is None:
                self._current = self._picture(self._loop.first, width, height)
            self._size = width, height
            self._playback.advance(time_s)
            self._show_due()
            self._condition.notify_all()
            # A conversion waits for a later frame: only then is it certain that this one is due.
            while not self._realtime and not self._ahead and not self._ended and not self._closing:
                self._condition.wait()
                self._show_due()
            self._note_problem()
            if self._last_image is not None and not self._ahead:
                self._show_last(self._last_image)
            # After a change of size, frames decoded before still have the old size.
            self._current = geometry.lay_out(self._current, Layout(self._layout.fit), width, height)
            return self._current

    def apply_layout(self, settings: BackgroundSettings) -> None:
        """Take over fit, zoom and pan, from the next frame that is decoded."""
        self._layout = layout_of(settings)

    def close(self) -> None:
        """End the thread and release the file. Idempotent."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self._worker.is_this_thread:
            # The garbage collector may call this on the decoding thread, which cannot await itself.
            return
        if not self._worker.stop(END_S):
            name = self._video.path.name
            log.error("The decoder of the background video %s does not stop.", name)

    def _show_due(self) -> None:
        """Take the last decoded frame that is due. Called with the lock."""
        if not self._realtime and self._loop.round_s is not None:
            self._playback.skip_rounds(self._loop.round_s)
        due_s = self._playback.due_s + _ROUNDING_S
        while self._ahead and self._ahead[0][0] <= due_s:
            self._current = self._ahead.popleft()[1]
            self._condition.notify_all()

    def _show_last(self, image: BgrImage) -> None:
        """Show the last frame, or the only one, in another size or layout: no further one does."""
        assert self._size is not None
        shown_as = self._size, self._layout
        if shown_as != self._last_shown_as:
            self._last_shown_as = shown_as
            self._current = geometry.lay_out(image, self._layout, *self._size)

    def _note_problem(self) -> None:
        """Note why no further frame comes, or why the next one is late.

        The error stays the same object until the frame comes.
        """
        overdue = self._worker.overdue_call()
        if self._failure is not None:
            self.problem = self._failure
        elif overdue is None:
            self.problem = None
        elif self.problem is None:
            self.problem = BackgroundError(overdue)

    def _read_frames(self) -> Iterator[tuple[float, VideoFrame]]:
        """Yield what the loop does, and tell how long a read blocks, as on a disk that is gone."""
        frames = self._loop.frames_after_first()
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
                    self._condition.wait_for(self._may_go_on)
                    if self._closing or self._size is None:
                        break
                    width, height = self._size
                    self._playback.decoded_s = at_s
                    end_s = at_s + float(1 / self._video.fps)
                    is_late = self._realtime and end_s <= self._playback.due_s
                if is_late and skipped < _MOST_SKIPPED:
                    skipped += 1
                    continue
                skipped = 0
                # Without the lock: `backdrop` does not wait for the conversion.
                image = self._picture(frame, width, height)
                self._newest_frame = frame
                with self._condition:
                    self._ahead.append((at_s, image))
                    self._condition.notify_all()
        except Exception as error:  # the boundary of the thread
            name = self._video.path.name
            log.warning("The background video %s stopped: %s", name, error, exc_info=error)
            self._failure = BackgroundError(no_longer_readable(self._video.path))
        finally:
            with self._condition:
                # With the lock, as the first backdrop may be converted at this moment.
                self._keep_last_frame()
                self._ended = True
                self._condition.notify_all()
            self._video.close()

    def _keep_last_frame(self) -> None:
        """Keep the last frame in full size; without the open file it cannot be converted."""
        if self._closing:
            return
        # Without it, what was shown last is scaled.
        with suppress(FFmpegError, ValueError, MemoryError):
            size = self._video.shape_of(self._newest_frame)
            self._last_image = self._video.pictures.picture(self._newest_frame, size)

    def _may_go_on(self) -> bool:
        """Return whether the thread may decode the next frame, or must end."""
        if self._closing:
            return True
        return self._size is not None and len(self._ahead) < _MOST_AHEAD

    def _picture(self, frame: VideoFrame, width: int, height: int) -> BgrImage:
        """Return the frame upright, with square pixels, as (height, width, 3) uint8 BGR."""
        layout = self._layout
        self._last_shown_as = (width, height), layout
        # Both are (width, height) before the turn.
        full_size = self._video.shape_of(frame)
        size = (height, width) if is_turned(frame) else (width, height)
        if layout.fit == "fill":
            fitted_width, fitted_height = geometry.cover_size(*full_size, *size)
        else:
            fitted_width, fitted_height = geometry.contain_size(*full_size, *size)
        zoomed_width = round(fitted_width * layout.zoom)
        zoomed_height = round(fitted_height * layout.zoom)
        # Downscale during the conversion, so that the full size never exists in BGR; upscale only
        # after the crop.
        new_size = (zoomed_width, zoomed_height)
        if full_size[0] * full_size[1] <= zoomed_width * zoomed_height:
            new_size = full_size
        small = self._video.pictures.picture(frame, new_size, "AREA")
        return geometry.lay_out(small, layout, width, height)


def open_background(settings: BackgroundSettings, *, realtime: bool = True) -> Background:
    """Open the background of these settings.

    realtime: False for conversions: a video then waits for the exact frame of each time. May block
    for a moment while a large image is decoded. Raises BackgroundError if the file cannot be used,
    and ValueError for the kind "none", which has no backdrop.
    """
    if settings.kind == "blur":
        return BlurBackground(settings.blur_strength, bokeh=settings.bokeh)
    if settings.kind == "colour":
        return ImageBackground(np.full((1, 1, 3), parse_colour(settings.colour), np.uint8))
    if settings.kind == "none":
        raise ValueError('the kind "none" has no backdrop')
    path = settings.path
    if path is None:
        if settings.kind == "video":
            raise BackgroundError(t("No video is chosen for the background; choose a file."))
        raise BackgroundError(t("No image is chosen for the background; choose a file."))
    layout = layout_of(settings)
    colour = parse_colour(settings.colour)
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
    """Return the English name of a bundled background: `Dusk hills` for `3-dusk-hills.jpg`."""
    words = path.stem.split("-")
    if words[0].isdigit():
        words = words[1:]
    return " ".join(words).capitalize()


def own_backgrounds() -> tuple[tuple[Path, str], ...]:
    """Return (file, shown name) of the user's images and videos, by name.

    The suffix is part of the name only where two files differ by nothing else. Raises
    BackgroundError where the folder cannot be read.
    """
    folder = backgrounds_dir()
    try:
        files = [path for path in folder.iterdir() if is_of_kind(path, BACKGROUND_SUFFIXES)]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BackgroundError(
            t(
                "Your backgrounds in {folder} cannot be read: {reason}.",
                folder=folder,
                reason=why_not_read(error),
            ),
        ) from error
    files.sort(key=lambda path: (path.stem.lower(), path.name))
    stems = Counter(path.stem for path in files)
    named = []
    for path in files:
        is_unique = stems[path.stem] == 1
        named.append((path, path.stem if is_unique else path.name))
    return tuple(named)


def named_backgrounds() -> tuple[tuple[Path, str], ...]:
    """Return (file, English name) of every background in the order of the window."""
    bundled = [(path, title(path)) for path in bundled_backgrounds()]
    return (*own_backgrounds(), *bundled)
