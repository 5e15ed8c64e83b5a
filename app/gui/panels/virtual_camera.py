"""The switch of the virtual camera, and help where there is none."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker, pyqtSignal
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.settings import Settings
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import check, describe, label, link_button
from app.runtime.status import PipelineStatus


class VirtualCameraControls(QWidget):
    """Switches the virtual camera on or off and names the one in use."""

    help_requested = pyqtSignal()
    """The user asks how to set up a virtual camera."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        self._none_exists = False
        self._chosen = "auto"
        """Device to use when the virtual camera is switched on again."""
        self._toggle = check(
            self.tr("Send to other programs"),
            self.tr("They choose the virtual camera as their camera"),
            "virtualCameraToggle",
        )
        self._state = label("", "faint", wrap=True)
        self._help = link_button(self.tr("Set up a virtual camera…"))
        describe(
            self._help, self.tr("Set up a virtual camera"), self.tr("Shows what this system needs"), "virtualCameraHelp"
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for widget in (self._toggle, self._state, self._help):
            column.addWidget(widget)
        self._toggle.toggled.connect(lambda on: store.edit("output", virtual_camera=self._chosen if on else "off"))
        self._help.clicked.connect(self.help_requested)
        store.changed.connect(self._show)
        self._show(store.current)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._none_exists = not cameras

    def show_status(self, status: PipelineStatus) -> None:
        """Show the device in use."""
        wanted = self._store.current.output.virtual_camera != "off"
        camera = status.virtual_camera or status.pipewire
        if camera is not None:
            self._state.setText(self.tr("Choose “{0}” as the camera in your meeting.").format(camera))
        elif wanted and self._none_exists:
            self._state.setText(self.tr("This computer has no virtual camera yet."))
        else:
            self._state.setText("")
        self._state.setVisible(bool(self._state.text()))
        self._help.setVisible(wanted and camera is None)

    def _show(self, settings: Settings) -> None:
        on = settings.output.virtual_camera != "off"
        if on:
            self._chosen = settings.output.virtual_camera
        with QSignalBlocker(self._toggle):
            self._toggle.setChecked(on)
