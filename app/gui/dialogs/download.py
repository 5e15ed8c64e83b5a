"""The download of a model's weights, with progress and an end at the user's word."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from app.gui.state import services
from app.gui.state.tasks import Tasks


class _Cancelled(Exception):
    """The user does not want the download any more."""


class Download(QObject):
    """One download at a time, on a task's thread."""

    progressed = pyqtSignal(int, int)
    """(kilobytes on hand, kilobytes in all; 0 where not known)"""
    ended = pyqtSignal()
    """It came, failed or was cancelled."""
    failed = pyqtSignal(str)
    """Why it failed, in one sentence."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._cancel: threading.Event | None = None

    @property
    def running(self) -> bool:
        """Whether something is being downloaded."""
        return self._cancel is not None

    def start(self, name: str) -> None:
        """Get the weights of a model; while a download runs, nothing."""
        if self._cancel is not None:
            return
        cancel = self._cancel = threading.Event()

        def progress(got: int, total: int | None) -> None:
            if cancel.is_set():
                raise _Cancelled
            self.progressed.emit(got // 1000, (total or 0) // 1000)

        self._tasks.run(partial(services.download, name, progress), self._done, self._fail)

    def cancel(self) -> None:
        """End a running download; what has come stays for the next time."""
        if self._cancel is not None:
            self._cancel.set()

    def _done(self, _path: Path) -> None:
        self._cancel = None
        self.ended.emit()

    def _fail(self, error: Exception) -> None:
        self._cancel = None
        self.ended.emit()
        if not isinstance(error, _Cancelled):
            self.failed.emit(str(error))
