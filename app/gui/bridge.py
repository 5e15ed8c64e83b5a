"""Connects Qt to the pipeline: its views, status, recordings and snapshots."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from app.core.errors import SinkError, t, text_of
from app.core.files import new_file, new_file_held, why_not_written
from app.core.types import Outgoing, Picture
from app.gui.preview.rendering import BgrxImage, ViewMode, ViewRequest, render, to_qimage
from app.gui.store import SettingsStore
from app.gui.tasks import Tasks
from app.gui.translation import tr
from app.gui.widgets.qt import timer
from app.media.image_file import write_picture
from app.runtime.pipeline import Pipeline
from app.runtime.status import PipelineStatus
from app.runtime.worker import LatestSlot, SlotClosed, Worker

STATUS_INTERVAL_MS = 300
"""Between two looks at the status."""


class Bridge(QObject):
    """Turns events of the pipeline into signals, and renders the view that is requested of its newest picture.

    The thread of the preview sleeps until a picture or a request arrives.
    """

    frame_ready = pyqtSignal()
    """A new image waits in `take_image`. At most one such signal is pending."""
    status_changed = pyqtSignal(object)
    """The newest PipelineStatus, several times a second."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self.pipeline = pipeline
        self.picture: Picture | None = None
        """The newest picture at full size, for a snapshot."""
        self._images: LatestSlot[BgrxImage] = LatestSlot()
        self._signalled = False
        self._request: ViewRequest | None = None
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
        pipeline_ended = self.pipeline.stop(timeout_s)
        self._thread.request_stop()
        self._woken.set()
        return self._thread.join(timeout_s) and pipeline_ended

    def poll(self) -> None:
        """Emit the status now."""
        self.status_changed.emit(self.status)

    @property
    def status(self) -> PipelineStatus:
        """The pipeline's current status."""
        return self.pipeline.status()

    def request_view(self, request: ViewRequest | None) -> None:
        """Set what the preview shows from now on, also of the last picture; None while it is hidden."""
        self.pipeline.demand.watched = request is not None
        self.pipeline.demand.want_foreground = request is not None and request.mode is ViewMode.FOREGROUND
        self._request = request
        self._woken.set()

    def take_image(self) -> QImage | None:
        """Return the newest rendered view, in physical pixels; None if it was taken."""
        self._signalled = False  # before the image is taken: a newer one is signalled again
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
            picture, request = self.picture, self._request
            if picture is not None and request is not None:
                self._images.put(render(picture, request))
                if not self._signalled:
                    self._signalled = True
                    self.frame_ready.emit()


class Recording(QObject):
    """Starts and stops recordings through the settings; takes snapshots of the output."""

    failed = pyqtSignal(object)  # a str would lose the message of a Text
    saved = pyqtSignal(object)
    """Path of a new snapshot or of a finished recording."""

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        self._bridge = bridge
        self._tasks = tasks
        self._started_s: float | None = None
        self._file: Path | None = None
        """The file being recorded, or of the recording that is ending."""
        self._requested = False
        self.broken = False
        """The recording that is wanted ended by itself, such as on a full disk."""

    def set_on(self, on: bool) -> None:
        """Start a recording under a new name, or stop it."""
        self._requested = on
        if on:
            taken = self._store.current.output.record  # by a recording that failed, and perhaps left no file
            find = partial(new_file, self._store.recordings_dir, dated_name(), ".mp4", taken)
            self._tasks.run(find, self._start, self._fail_to_start)
        else:
            if not self.broken:
                self._file = self._file or self._store.current.output.record  # it may end before a status tells of it
            self._store.edit("output", record=None)

    def snapshot(self) -> None:
        """Save the newest output frame as a PNG file."""
        picture = self._bridge.picture
        if picture is None:
            self.failed.emit(tr("There is no frame yet. Try again when the preview shows one."))
            return
        folder = self._store.recordings_dir
        release = partial(self._bridge.pipeline.release, picture)  # when it is written: the user may pause until then
        self._tasks.run(partial(_snapshot, folder, release), self.saved.emit, self._tell)

    def _tell(self, error: Exception) -> None:
        self.failed.emit(text_of(error))

    def follow(self, status: PipelineStatus) -> str:
        """Return the elapsed time, such as 1:05; empty while nothing is recorded. Emit `saved` after the end."""
        failed = any(problem.part == "recording" for problem in status.problems)
        self.broken = failed and status.recording is None
        file = None if status.recording is None else Path(status.recording)
        if self._file not in (None, file):  # it has ended, and another may have begun since the last status
            self._started_s = None
            self._tasks.run(self._file.is_file, partial(self._report, self._file))
        self._file = file
        if file is None:
            return ""
        now = time.monotonic()
        if self._started_s is None:
            self._started_s = now
        seconds = int(now - self._started_s)
        return f"{seconds // 60}:{seconds % 60:02d}"

    def _report(self, file: Path, is_there: bool) -> None:
        if is_there:  # a recording that failed does not get its final name
            self.saved.emit(file)

    def _start(self, path: Path) -> None:
        if self._requested:  # not stopped in the meantime
            self._store.edit("output", record=path)

    def _fail_to_start(self, error: Exception) -> None:
        self._tell(error)
        self._store.edit("output", record=None)


def dated_name() -> str:
    """Return the name of a new recording or snapshot, without its suffix."""
    return datetime.now().strftime("Mattecam %Y-%m-%d %H.%M.%S")


def _snapshot(folder: Path, release: Callable[[], Outgoing]) -> Path:
    """Write a PNG file of what `release` lets leave at this moment; return its path. Raises MattecamError."""
    with new_file_held(folder, dated_name(), ".png") as path:  # several may be taken within a second
        try:
            write_picture(path, release().image)
        except OSError as error:
            raise SinkError(
                t("{file} could not be written: {reason}.", file=path, reason=why_not_written(error))
            ) from error
    return path
