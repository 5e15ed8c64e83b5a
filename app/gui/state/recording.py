"""Recordings and snapshots: where they go, and what they are called."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from app.config.private_file import write_picture
from app.core.errors import SinkError
from app.core.types import BgrImage
from app.gui.state.bridge import Bridge
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.runtime.status import PipelineStatus


class Recording(QObject):
    """Starts and ends recordings by the settings; takes snapshots of what goes out."""

    failed = pyqtSignal(str)
    saved = pyqtSignal(object)
    """The path of a new snapshot."""

    def __init__(
        self, store: SettingsStore, preferences: PreferencesStore, bridge: Bridge, tasks: Tasks, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._preferences = preferences
        self._bridge = bridge
        self._tasks = tasks
        self._started_s: float | None = None
        self._wanted = False

    def set_on(self, on: bool) -> None:
        """Start a recording under a new name, or end it."""
        self._wanted = on
        if on:
            self._tasks.run(partial(_new_path, self._preferences.recordings_dir, ".mp4"), self._start, self._fail)
        else:
            self._store.edit("output", record=None)

    def snapshot(self) -> None:
        """Keep the newest picture that goes out as a PNG file."""
        picture = self._bridge.picture
        if picture is None:
            self.failed.emit(self.tr("There is no picture yet; try again when the preview shows one."))
            return
        folder = self._preferences.recordings_dir
        self._tasks.run(partial(_write, folder, picture.image), self.saved.emit, self._fail)

    def time(self, status: PipelineStatus) -> str:
        """How long the recording runs, such as 1:05; empty while there is none."""
        if status.recording is None:
            self._started_s = None
            return ""
        now = time.monotonic()
        if self._started_s is None:
            self._started_s = now
        seconds = int(now - self._started_s)
        return f"{seconds // 60}:{seconds % 60:02d}"

    def _start(self, path: Path) -> None:
        if self._wanted:  # and not given up meanwhile
            self._store.edit("output", record=path)

    def _fail(self, error: Exception) -> None:
        self.failed.emit(str(error))
        self._store.edit("output", record=None)


def _new_path(folder: Path, suffix: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"The folder {folder} cannot be made ({error.strerror or error}); choose another.") from error
    stem = datetime.now().strftime("Mattecam %Y-%m-%d %H.%M.%S")
    number, path = 1, folder / f"{stem}{suffix}"
    while path.exists():
        number += 1
        path = folder / f"{stem} {number}{suffix}"
    return path


def _write(folder: Path, image: BgrImage) -> Path:
    path = _new_path(folder, ".png")
    try:
        write_picture(path, image)
    except OSError as error:
        raise SinkError(f"The snapshot {path} could not be written ({error.strerror or error}).") from error
    return path
