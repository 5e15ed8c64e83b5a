"""Download of a model's weights, with progress and cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from app.core.errors import text_of
from app.gui.state import services
from app.gui.state.tasks import Tasks


class _Cancelled(Exception):
    """The user cancelled the download."""


class Download(QObject):
    """One download at a time, on a task thread."""

    began = pyqtSignal()
    progressed = pyqtSignal(int, int)
    """(kilobytes received, kilobytes in total; 0 where that is unknown)"""
    ended = pyqtSignal()
    """The download succeeded, failed or was cancelled."""
    succeeded = pyqtSignal(str)
    """Name of the model."""
    failed = pyqtSignal(object)  # a str would lose the message of a Text
    """Why it failed, in one sentence."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._name = ""
        self._cancel: threading.Event | None = None

    @property
    def running(self) -> bool:
        """Whether a download runs."""
        return self._cancel is not None

    def start(self, name: str) -> None:
        """Download the weights of a model; ignored while a download runs."""
        cancel = threading.Event()

        def progress(received: int, total: int | None) -> None:
            if cancel.is_set():
                raise _Cancelled
            self.progressed.emit(received // 1000, (total or 0) // 1000)

        self._begin(name, cancel, partial(services.download, name, progress))

    def install(self, name: str, file: Path) -> None:
        """Install the weights of a model from a file that was downloaded elsewhere; ignored while a download runs."""
        self._begin(name, threading.Event(), partial(services.install_weights, name, file))

    def _begin(self, name: str, cancel: threading.Event, work: Callable[[], Path]) -> None:
        if self._cancel is None:
            self._name, self._cancel = name, cancel
            self._tasks.run(work, self._done, self._fail)
            self.began.emit()

    def cancel(self) -> None:
        """Cancel a running download. Received data is kept, so that the next download resumes."""
        if self._cancel is not None:
            self._cancel.set()

    def _done(self, _path: Path) -> None:
        self._cancel = None
        self.succeeded.emit(self._name)
        self.ended.emit()

    def _fail(self, error: Exception) -> None:
        self._cancel = None
        self.ended.emit()
        if not isinstance(error, _Cancelled):
            self.failed.emit(text_of(error))
