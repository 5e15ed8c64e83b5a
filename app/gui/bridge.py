"""Connects Qt to the pipeline: views of its pictures, status, recordings and snapshots."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage
from PyQt6.sip import voidptr

from app.core.errors import all_done, text_of
from app.core.files import new_file, new_file_held
from app.core.geometry import contain_size
from app.core.threads import on_own_thread
from app.core.types import AlphaImage, BgrImage, Outgoing, Picture, PictureKind
from app.core.worker import LatestSlot, SlotClosed, Worker
from app.gui.state import SettingsStore, Tasks
from app.gui.widgets.qt import existing, timer
from app.output.base import write_snapshot
from app.runtime.capture_worker import Preview
from app.runtime.pipeline import Pipeline
from app.runtime.status import PipelineStatus
from app.settings import Settings


def to_qimage(image: NDArray[np.uint8]) -> QImage:
    """Return a QImage over the pixels of an array, which must not change from now on.

    image: (H, W, 3) BGR or (H, W, 4) BGRX, uint8; copied unless C-contiguous.
    """
    height, width, channels = image.shape
    pixels = np.ascontiguousarray(image)
    memory = voidptr(pixels.ctypes.data)
    bytes_per_line = channels * width
    layout = {3: QImage.Format.Format_BGR888, 4: QImage.Format.Format_RGB32}[channels]
    # Qt keeps the array, as the argument of `_release`, until nothing uses the pixels any more.
    made: QImage = QImage(
        memory,
        width,
        height,
        bytes_per_line,
        layout,
        _release,
        pixels,
    )  # type: ignore[call-overload]
    return made


def from_qimage(image: QImage) -> BgrImage:
    """Copy a QImage to a BgrImage; alpha is dropped."""
    converted = image.convertToFormat(QImage.Format.Format_BGR888)
    bits = existing(converted.bits())
    bits.setsize(converted.sizeInBytes())
    # A `voidptr` is a buffer, which the types do not tell.
    memory: NDArray[np.uint8] = np.frombuffer(bits, np.uint8)  # type: ignore[call-overload]
    padded_lines = memory.reshape(image.height(), converted.bytesPerLine())
    lines = padded_lines[:, : 3 * image.width()]
    return lines.reshape(image.height(), image.width(), 3).copy()


def _release(_pixels: object) -> None:
    """Do nothing: Qt drops its reference to the array after this call, which frees the pixels."""


CHECKER_PX = 12
CHECKER_LIGHT = 70
CHECKER_DARK = 52


class ViewMode(Enum):
    """View modes of the preview."""

    COMPOSITE = "composite"
    ORIGINAL = "original"
    MATTE = "matte"
    FOREGROUND = "foreground"


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """A view that the preview requests."""

    # The room for it, in physical pixels. The view is fitted into it with its aspect ratio.
    width: int
    height: int
    mode: ViewMode = ViewMode.COMPOSITE
    # Mirror everything but the stand-by card.
    mirror: bool = True
    # Whether the user works in the window of the preview.
    in_active_window: bool = True


# (H, W, 4) uint8, blue, green, red and an unused byte, C-contiguous.
BgrxImage = NDArray[np.uint8]


def render(picture: Picture, request: ViewRequest) -> BgrxImage:
    """Return a view of a picture in a new array.

    Without a source frame or matte, show the output in every mode.
    """
    size = contain_size(*picture.size, request.width, request.height)
    shown = _camera_view(picture, request, size)
    if shown is None:
        # The card holds text.
        mirror = request.mirror and picture.kind is not PictureKind.STANDBY
        shown = scaled(picture.image, size, mirror=mirror)
    return np.asarray(cv2.cvtColor(shown, cv2.COLOR_BGR2BGRA), np.uint8)


def scaled(
    image: NDArray[np.uint8],
    size: tuple[int, int],
    *,
    mirror: bool = False,
) -> NDArray[np.uint8]:
    """Return the image, mirrored or not, at this (width, height) in pixels.

    It is the image itself where nothing changes.
    """
    width, height = size
    resized = image
    # Bilinear interpolation aliases below half size. Area averaging is fast for exact halves only.
    while 2 * width <= resized.shape[1] and 2 * height <= resized.shape[0]:
        half_width = resized.shape[1] // 2
        half_height = resized.shape[0] // 2
        even = resized[: 2 * half_height, : 2 * half_width]
        half = cv2.resize(even, (half_width, half_height), interpolation=cv2.INTER_AREA)
        resized = np.asarray(half, np.uint8)
    if (resized.shape[1], resized.shape[0]) != size:
        exact = cv2.resize(resized, size, interpolation=cv2.INTER_LINEAR)
        resized = np.asarray(exact, np.uint8)
    if not mirror:
        return resized
    # Flip in place where `resized` is a copy; the image of the caller must not change.
    target = None if resized is image else resized
    return np.asarray(cv2.flip(resized, 1, target), np.uint8)


def _camera_view(picture: Picture, request: ViewRequest, size: tuple[int, int]) -> BgrImage | None:
    """Return what a mode shows of the camera in place of the output; None if nothing."""
    mode = request.mode
    mirror = request.mirror
    if mode is ViewMode.ORIGINAL and picture.frame is not None:
        return scaled(picture.frame.image, size, mirror=mirror)
    if picture.alpha is None:
        return None
    if mode is ViewMode.MATTE:
        return _grey_as_bgr(scaled(picture.alpha, size, mirror=mirror))
    person = picture.foreground
    if person is None and picture.frame is not None:
        person = picture.frame.image
    if mode is ViewMode.FOREGROUND and person is not None:
        alpha = scaled(picture.alpha, size, mirror=mirror)
        return _over_checkers(scaled(person, size, mirror=mirror), alpha)
    return None


def _over_checkers(person: BgrImage, alpha: AlphaImage) -> BgrImage:
    """Return the person before a checkerboard. Both arguments have the size of the view."""
    height, width = alpha.shape
    rows = np.arange(height)[:, None] // CHECKER_PX
    columns = np.arange(width)[None, :] // CHECKER_PX
    checkers = np.where((rows + columns) % 2, CHECKER_LIGHT, CHECKER_DARK).astype(np.uint8)
    weight = _grey_as_bgr(alpha)
    front = cv2.multiply(person, weight, scale=1 / 255)
    behind = cv2.multiply(_grey_as_bgr(checkers), 255 - weight, scale=1 / 255)
    return np.asarray(cv2.add(front, behind), np.uint8)


def _grey_as_bgr(image: NDArray[np.uint8]) -> BgrImage:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)


# Between two looks at the status.
STATUS_INTERVAL_MS = 300
# Interval of views during a call, while the user works in the window of the program that reads the
# camera. The people in the call still receive every picture; a view takes 2 ms of processor time.
BESIDE_A_CALL_S = 1 / 15


def pause_after_view_s(request: ViewRequest, readers: int | None) -> float:
    """Return for how long no further view is drawn.

    readers: programs that read the camera; None: unknown.
    """
    is_watched = readers is not None and readers > 0
    if is_watched and not request.in_active_window:
        return BESIDE_A_CALL_S
    return 0.0


class Bridge(QObject):
    """Turns events of the pipeline into signals, and renders views of its newest picture.

    `_run` is the preview thread, which sleeps until a picture or a request arrives. Everything else
    is called on the GUI thread.
    """

    # A new image waits in `take_image`. At most one such signal is pending.
    frame_ready = pyqtSignal()
    # The newest PipelineStatus, several times a second.
    status_changed = pyqtSignal(object)

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self.pipeline = pipeline
        # The newest one, at full size. Written by the preview thread.
        self.picture: Picture | None = None
        self._images: LatestSlot[BgrxImage] = LatestSlot()
        # Whether `frame_ready` tells of an image that still waits. Set by the preview thread,
        # cleared by the GUI thread.
        self._signalled = False
        # None while the preview is hidden. Written by the GUI thread.
        self._request: ViewRequest | None = None
        # Set where the preview thread has something to do (any thread).
        self._woken = threading.Event()
        self._thread = Worker("preview", self._run)
        pipeline.watch(self._thread)
        self._timer = timer(self, STATUS_INTERVAL_MS, self.poll)

    def start(self) -> None:
        """Start the pipeline, the preview thread and the status timer."""
        self._thread.start()
        self.pipeline.listen(self._woken.set)
        self.pipeline.owner.listen(self._woken.set)
        self.pipeline.start()
        self._timer.start()

    def stop(self, timeout_s: float = 10) -> bool:
        """Stop them; return False if a thread did not end in time."""
        self._timer.stop()
        return all_done(
            partial(self.pipeline.stop, timeout_s),
            self._thread.request_stop,
            self._woken.set,
            partial(self._thread.join, timeout_s),
        )

    def retry(self) -> None:
        """Try again what failed, on a thread: its files may be on a disk that does not answer."""
        on_own_thread("retry", self.pipeline.retry)

    def read_files_again(self) -> None:
        """Read the files of background, plate and card again, if they failed or were changed, on a
        thread.
        """
        on_own_thread("retry", self.pipeline.read_files_again)

    def poll(self) -> None:
        """Emit the status now."""
        self.status_changed.emit(self.status)

    @property
    def status(self) -> PipelineStatus:
        """The pipeline's current status."""
        return self.pipeline.status()

    def request_view(self, request: ViewRequest | None) -> None:
        """Set what the preview shows from now on, also of the last picture.

        request: None while it is hidden.
        """
        preview = Preview()
        if request is not None:
            shows_foreground = request.mode is ViewMode.FOREGROUND
            preview = Preview(visible=True, with_foreground=shows_foreground)
        self.pipeline.demand.show_preview(preview)
        self._request = request
        self._woken.set()

    def take_image(self) -> QImage | None:
        """Return the newest rendered view, in physical pixels; None if it was taken already."""
        # Cleared before the image is taken, so that one that is rendered meanwhile is signalled.
        self._signalled = False
        waiting = self._images.get(timeout_s=0)
        return None if waiting is None else to_qimage(waiting)

    def _run(self, stop: threading.Event) -> None:
        while True:
            self._woken.wait()
            self._woken.clear()
            if stop.is_set():
                return
            with suppress(SlotClosed):
                self.picture = self.pipeline.preview.get(timeout_s=0) or self.picture
            picture = self.picture
            request = self._request
            if picture is not None and request is not None:
                self._images.put(render(picture, request))
                if not self._signalled:
                    self._signalled = True
                    self.frame_ready.emit()
                stop.wait(pause_after_view_s(request, self.pipeline.demand.readers))


class RecordingSwitch(QObject):
    """Starts and stops recordings through the settings; takes snapshots of the output.

    Used on the GUI thread; `Tasks` reads and writes the files on another one.
    """

    failed = pyqtSignal(object)  # a str would lose the message of a Text
    # Path of a new snapshot or of a finished recording.
    saved = pyqtSignal(object)

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        self._bridge = bridge
        self._tasks = tasks
        self._started_s: float | None = None
        # File of the recording that goes on, or of the one that is ending.
        self._file: Path | None = None
        # Whether the user wants to record. It may change while a new name is looked for.
        self._is_requested = False

    def set_on(self, on: bool) -> None:
        """Start a recording under a new name, or stop it."""
        self._is_requested = on
        if on:
            find = partial(new_file, self._store.recordings_dir, dated_name(), ".mp4")
            self._tasks.run(find, self._start, self._tell, file=self._store.recordings_dir)
        else:
            # A short recording may end before any status has named its file.
            self._file = self._file or self._store.current.output.record
            self._store.edit("output", record=None)

    def snapshot(self) -> None:
        """Save the newest output frame as a PNG file."""
        take = partial(_snapshot, self._store.recordings_dir, self._bridge.pipeline.still)
        self._tasks.run(take, self.saved.emit, self._tell, file=self._store.recordings_dir)

    def _tell(self, error: Exception) -> None:
        self.failed.emit(text_of(error))

    def follow(self, status: PipelineStatus) -> str:
        """Return the elapsed time, such as 1:05; empty while nothing is recorded.

        Called for each status. `saved` is emitted soon after the status that shows the end.
        """
        file = None if status.recording is None else Path(status.recording)
        before = self._file
        # One has ended, and another may have begun since the last status.
        if before is not None and before != file:
            self._started_s = None
            self._tasks.run(before.is_file, partial(self._report, before), file=before)
        self._file = file
        if file is None:
            return ""
        self._started_s = self._started_s or time.monotonic()
        seconds = int(time.monotonic() - self._started_s)
        return f"{seconds // 60}:{seconds % 60:02d}"

    def _report(self, file: Path, is_there: bool) -> None:
        # A recording that failed does not get its final name.
        if is_there:
            self.saved.emit(file)

    def _start(self, path: Path) -> None:
        def begin(now: Settings) -> Settings:
            # A recording that `ctl` has begun meanwhile goes on.
            if now.output.record is not None:
                return now
            return now.replaced_at(["output"], record=path)

        # The user may have stopped it while the name was looked for.
        if self._is_requested:
            self._store.change(begin)


def dated_name() -> str:
    """Return the name of a new recording or snapshot, without its suffix."""
    return datetime.now().strftime("Mattecam %Y-%m-%d %H.%M.%S")


def _snapshot(folder: Path, still: Callable[[], Outgoing]) -> Path:
    """Write a PNG file and return its path. Raises MattecamError.

    still: returns the picture that may leave at this moment, as `Pipeline.still`.
    """
    # Held, as several snapshots may be taken within a second and would get the same name. `still`
    # is called at the moment of the write: until then the user may have paused.
    with new_file_held(folder, dated_name(), ".png") as path:
        write_snapshot(path, still().image)
    return path
