"""Looks for cameras and virtual cameras every few seconds, off the GUI thread."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from app.gui.state import services
from app.gui.state.tasks import Tasks

INTERVAL_MS = 2500
LOOKS_PER_VIRTUAL = 4
"""Virtual cameras seldom come or go, and looking at one that another program feeds takes a second."""


class DeviceWatcher(QObject):
    """Tells what is plugged in; one look at a time, however long it takes."""

    cameras_found = pyqtSignal(object)
    """tuple[services.Camera, ...]"""
    virtual_cameras_found = pyqtSignal(object)
    """tuple of (what the settings call it, label)"""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._looking = False
        self._looks = 0
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Look now and from now on."""
        self.look()
        self._timer.start()

    def look(self) -> None:
        """Look once."""
        if self._looking:
            return
        self._looking = True
        self._tasks.run(services.cameras, self._found, self._failed)
        if self._looks % LOOKS_PER_VIRTUAL == 0:
            self._tasks.run(services.virtual_cameras, self.virtual_cameras_found.emit)
        self._looks += 1

    def _found(self, cameras: tuple[services.Camera, ...]) -> None:
        self._looking = False
        self.cameras_found.emit(cameras)

    def _failed(self, error: Exception) -> None:
        self._looking = False
        raise error  # reaches the log through sys.excepthook: listing cameras is not meant to fail
