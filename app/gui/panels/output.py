"""What other programs receive: the virtual camera, and the PipeWire camera beside it."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal

from app.core.settings import Settings
from app.gui.panels.form import Entries, Form, say
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button
from app.runtime.status import PipelineStatus
from app.system.device_holders import LINUX

DEVICE = "output.virtual_camera"


class VirtualCameraControls(Form):
    """Switches the virtual camera on or off, names the one in use, and says what it sends."""

    help_requested = pyqtSignal()
    """The user asks how to set up a virtual camera."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self._cameras: tuple[tuple[str, str], ...] | None = None
        self._chosen = "auto"
        """Device to use when the virtual camera is switched on again."""
        self.add_check(
            DEVICE, self.tr("Send to other programs"), self.tr("They choose the virtual camera as their camera"),
            lambda on: self.store.set(DEVICE, self._chosen if on else "off"),
            lambda device: device != "off", "virtualCameraToggle",
        )  # fmt: skip
        self._state = self.add_hint()
        self._help = button(
            self.tr("Set up a virtual camera…"), self.tr("Shows what this system needs"), "virtualCameraHelp",
            self.help_requested.emit, name=self.tr("Set up a virtual camera"), link=True,
        )  # fmt: skip
        self.add(self._help)
        device = self.add_list(
            DEVICE, self.tr("Device"), self.tr("The device that other programs read"), self._devices,
            lambda device: self.store.set(DEVICE, device), lambda device: "auto" if device == "off" else device,
        )  # fmt: skip
        self.enable_while(lambda settings: settings.output.virtual_camera != "off", device)
        self.only_with_all_settings(
            device,
            self.row("output.mirror", self.tr("Mirror the output"), self.tr("Also mirrors text in the video")),
            self.row("output.on_demand", self.tr("Switch the real camera off while nobody watches"),
                     self.tr("Only while this window is hidden")),
        )  # fmt: skip
        if LINUX:
            self.only_with_all_settings(
                self.row("output.pipewire", self.tr("PipeWire camera"),
                         self.tr("Browsers and Flatpak programs find it through the camera portal")),
                self.row("output.alpha_output", self.tr("Send cut-out person to OBS"),
                         self.tr("For programs that put another picture behind the person")),
            )  # fmt: skip
        self.on_settings(self._remember)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._cameras = cameras
        self.refresh()

    def name_of(self, status: PipelineStatus) -> str | None:
        """Return the virtual camera in use as other programs list it; None while there is none."""
        return dict(self._cameras or ()).get(status.virtual_camera or "", status.virtual_camera)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the device in use."""
        wanted = self.store.current.output.virtual_camera != "off"
        camera = self.name_of(status) or status.pipewire
        if camera is not None:
            say(self._state, self.tr("Choose “{0}” as the camera in your meeting.").format(camera))
        else:
            missing = wanted and self._cameras == ()
            say(self._state, self.tr("This computer has no virtual camera yet.") if missing else "")
        self._help.setVisible(wanted and camera is None)

    def _devices(self) -> Entries:
        cameras = self._cameras or ()
        return [(self.tr("Automatic"), "auto"), *((f"{title} ({device})", device) for device, title in cameras)]

    def _remember(self, settings: Settings) -> None:
        if settings.output.virtual_camera != "off":
            self._chosen = settings.output.virtual_camera
