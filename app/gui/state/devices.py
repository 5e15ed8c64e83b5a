"""Watches which cameras and virtual cameras exist, off the GUI thread."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from app.capture.devices import CameraDevice
from app.gui.state import services
from app.gui.state.tasks import Tasks

INTERVAL_MS = 2500
CHECKS_PER_VIRTUAL = 4
"""Virtual cameras change rarely, and probing one that another program feeds takes a second."""


class DeviceWatcher(QObject):
    """Lists the devices every few seconds; one check at a time, however long it takes."""

    cameras_found = pyqtSignal(object)
    """tuple[CameraDevice, ...]"""
    virtual_cameras_found = pyqtSignal(object)
    """tuple of (device, label)"""

    microphones_found = pyqtSignal(object)
    """tuple[app.output.sound.devices.MicrophoneName, ...]"""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._checking = False
        self._checks = 0
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.check)

    def start(self) -> None:
        """Check now and at every interval."""
        self.check()
        self._timer.start()

    def check(self) -> None:
        """Check once."""
        if self._checking:
            return
        self._checking = True
        self._tasks.run(services.list_cameras, self._found, self._failed)
        if self._checks % CHECKS_PER_VIRTUAL == 0:
            self._tasks.run(services.virtual_cameras, self.virtual_cameras_found.emit)
        self._checks += 1

    def check_microphones(self) -> None:
        """List the microphones once."""
        self._tasks.run(services.microphones, self.microphones_found.emit)

    def _found(self, cameras: tuple[CameraDevice, ...]) -> None:
        self._checking = False
        self.cameras_found.emit(cameras)

    def _failed(self, error: Exception) -> None:
        self._checking = False
        raise error  # a defect: listing cameras does not fail; sys.excepthook logs it
