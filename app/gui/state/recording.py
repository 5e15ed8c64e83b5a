"""Recordings and snapshots: file names, start, stop, and elapsed time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from app.core.errors import SinkError, t, text_of
from app.core.files.disk_errors import why_not_written
from app.core.files.names import new_file, new_file_held
from app.core.files.private_file import write_picture
from app.core.types import Outgoing
from app.gui.state.bridge import Bridge
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.runtime.status import PipelineStatus


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
            find = partial(new_file, self._store.recordings_dir, _name(), ".mp4", taken)
            self._tasks.run(find, self._start, self._fail_to_start)
        else:
            if not self.broken:
                self._file = self._file or self._store.current.output.record  # it may end before a status tells of it
            self._store.edit("output", record=None)

    def snapshot(self) -> None:
        """Save the newest output frame as a PNG file."""
        picture = self._bridge.picture
        if picture is None:
            self.failed.emit(self.tr("There is no frame yet. Try again when the preview shows one."))
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
            self._tasks.run(partial(_finished, self._file), self._report)
        self._file = file
        if file is None:
            return ""
        now = time.monotonic()
        if self._started_s is None:
            self._started_s = now
        seconds = int(now - self._started_s)
        return f"{seconds // 60}:{seconds % 60:02d}"

    def _report(self, file: Path | None) -> None:
        if file is not None:
            self.saved.emit(file)

    def _start(self, path: Path) -> None:
        if self._requested:  # not stopped in the meantime
            self._store.edit("output", record=path)

    def _fail_to_start(self, error: Exception) -> None:
        self._tell(error)
        self._store.edit("output", record=None)


def _finished(file: Path) -> Path | None:
    """Return the file of a recording that has ended; None if it did not get its final name, because it failed."""
    return file if file.is_file() else None


def local_time() -> datetime:
    """Return the time in the zone that the machine is in now: the C library reads the zone at its first use alone."""
    if sys.platform != "win32":
        time.tzset()
    return datetime.now()


def _name() -> str:
    return local_time().strftime("Mattecam %Y-%m-%d %H.%M.%S")


def _snapshot(folder: Path, release: Callable[[], Outgoing]) -> Path:
    """Write a PNG file of what `release` lets leave at this moment; return its path. Raises MattecamError."""
    with new_file_held(folder, _name(), ".png") as path:  # several may be taken within a second
        try:
            write_picture(path, release().image)
        except OSError as error:
            raise SinkError(
                t("{file} could not be written: {reason}.", file=path, reason=why_not_written(error))
            ) from error
    return path
