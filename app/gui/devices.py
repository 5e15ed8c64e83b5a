"""Looks for cameras and virtual cameras every few seconds, off the GUI thread."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from app.gui import services
from app.gui.tasks import Tasks

INTERVAL_MS = 2500


class DeviceWatcher(QObject):
    """Tells what is plugged in; one look at a time, however long it takes."""

    cameras_found = pyqtSignal(object)
    """tuple[services.Camera, ...]"""
    virtual_cameras_found = pyqtSignal(object)
    """tuple of (device, label)"""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._looking = False
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
        self._tasks.run(lambda: (services.cameras(), services.virtual_cameras()), self._found, self._failed)

    def _found(self, found: tuple[tuple[services.Camera, ...], tuple[tuple[str, str], ...]]) -> None:
        self._looking = False
        cameras, virtual_cameras = found
        self.cameras_found.emit(cameras)
        self.virtual_cameras_found.emit(virtual_cameras)

    def _failed(self, error: Exception) -> None:
        self._looking = False
        raise error  # reaches the log through sys.excepthook: listing devices is not meant to fail
