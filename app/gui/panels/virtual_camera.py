"""The switch of the virtual camera, and help where there is none."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal

from app.core.settings import Settings
from app.gui.panels.form import Form
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button
from app.runtime.status import PipelineStatus


class VirtualCameraControls(Form):
    """Switches the virtual camera on or off and names the one in use."""

    help_requested = pyqtSignal()
    """The user asks how to set up a virtual camera."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self._none_exists = False
        self._chosen = "auto"
        """Device to use when the virtual camera is switched on again."""
        self.add_check(
            "output.virtual_camera", self.tr("Send to other programs"),
            self.tr("They choose the virtual camera as their camera"), "virtualCameraToggle",
            change=lambda on: self.set("output.virtual_camera", self._chosen if on else "off"),
            shows=lambda device: device != "off",
        )  # fmt: skip
        self._state = self.add_hint()
        self._help = button(
            self.tr("Set up a virtual camera…"), self.tr("Shows what this system needs"), "virtualCameraHelp",
            self.help_requested.emit, name=self.tr("Set up a virtual camera"), link=True,
        )  # fmt: skip
        self.add(self._help)
        self.refresh()

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._none_exists = not cameras

    def show_status(self, status: PipelineStatus) -> None:
        """Show the device in use."""
        wanted = self.store.current.output.virtual_camera != "off"
        camera = status.virtual_camera or status.pipewire
        if camera is not None:
            self._state.setText(self.tr("Choose “{0}” as the camera in your meeting.").format(camera))
        elif wanted and self._none_exists:
            self._state.setText(self.tr("This computer has no virtual camera yet."))
        else:
            self._state.setText("")
        self._state.setVisible(bool(self._state.text()))
        self._help.setVisible(wanted and camera is None)

    def show_settings(self, settings: Settings) -> None:
        super().show_settings(settings)
        if settings.output.virtual_camera != "off":
            self._chosen = settings.output.virtual_camera
