"""What other programs receive: virtual camera, PipeWire and stand-by card."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal

from app.core.settings import Settings
from app.gui.i18n.messages import standby_text
from app.gui.panels.form import Entries, Form, say
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button
from app.runtime.status import PipelineStatus
from app.system.device_holders import LINUX


class VirtualCameraControls(Form):
    """Switches the virtual camera on or off and names the one in use."""

    help_requested = pyqtSignal()
    """The user asks how to set up a virtual camera."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self._cameras: tuple[tuple[str, str], ...] | None = None
        self._chosen = "auto"
        """Device to use when the virtual camera is switched on again."""
        self.add_check(
            "output.virtual_camera", self.tr("Send to other programs"),
            self.tr("They choose the virtual camera as their camera"), "virtualCameraToggle",
            change=lambda on: self.store.set("output.virtual_camera", self._chosen if on else "off"),
            shows=lambda device: device != "off",
        )  # fmt: skip
        self._state = self.add_hint()
        self._help = button(
            self.tr("Set up a virtual camera…"), self.tr("Shows what this system needs"), "virtualCameraHelp",
            self.help_requested.emit, name=self.tr("Set up a virtual camera"), link=True,
        )  # fmt: skip
        self.add(self._help)
        self.on_settings(self._remember)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._cameras = cameras

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

    def _remember(self, settings: Settings) -> None:
        if settings.output.virtual_camera != "off":
            self._chosen = settings.output.virtual_camera


class OutputControls(Form):
    """Chooses devices and formats of the output. Whether there is one is chosen in `VirtualCameraControls`."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self._cameras: tuple[tuple[str, str], ...] = ()
        off = (self.tr("Off"), "off")
        self.add_choice(
            "output.alpha_output", self.tr("Send cut-out person to OBS"),
            self.tr("For programs that put another picture behind the person"), "alphaOutputCombo",
            [off, (self.tr("In the PipeWire camera (BGRA)"), "bgra")],
            visible=LINUX,
        )  # fmt: skip
        device = self.add_choice(
            "output.virtual_camera", self.tr("Virtual camera device"), self.tr("The device that other programs read"),
            "virtualCameraCombo", self._devices, shows=lambda device: "auto" if device == "off" else device,
        )  # fmt: skip
        self.add_choice(
            "output.pipewire", self.tr("PipeWire camera"),
            self.tr("Browsers and Flatpak programs find it through the camera portal"), "pipewireCombo",
            [(self.tr("Automatic"), "auto"), (self.tr("On"), "on"), off], visible=LINUX,
        )  # fmt: skip
        self.add_check("output.mirror", self.tr("Mirror the output"), self.tr("Also mirrors text in the video"),
                       "mirrorOutputCheck")  # fmt: skip
        self.add_check("output.on_demand", self.tr("Switch the real camera off while nobody watches"),
                       self.tr("Only while this window is hidden"), "onDemandCheck")  # fmt: skip
        self.enable_while(lambda settings: settings.output.virtual_camera != "off", device)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._cameras = cameras
        self.refresh()

    def _devices(self) -> Entries:
        return [(self.tr("Automatic"), "auto"), *((f"{title} ({device})", device) for device, title in self._cameras)]


IMAGE_FILTER = "*.png *.jpg *.jpeg *.webp *.bmp"


class StandbyControls(Form):
    """Edits the card that other programs see during a pause."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, spacing=4)
        shown = self.tr("Shown on the card while you are paused")
        text = self.make_text("output.standby_text", self.tr("Stand-by text"), shown, "standbyText")
        text.setPlaceholderText(standby_text())
        image = self.make_file(
            "output.standby_image", self.tr("Stand-by image"), shown, "standbyImage",
            caption=self.tr("Image…"), name_filter=self.tr("Images ({0})").format(IMAGE_FILTER),
        )  # fmt: skip
        self.add_beside(text, image, grows=text)
        removal = self.tr("Remove image")
        self.add(
            self.make_removal(
                "output.standby_image", removal, removal, self.tr("Use the default stand-by card"), "noStandbyImage"
            )
        )
