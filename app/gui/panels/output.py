"""How other programs receive the video: device, PipeWire, the cut-out person for OBS."""

from __future__ import annotations

from app.core.settings import Settings
from app.gui.panels.form import Entries, Form
from app.gui.state.store import SettingsStore
from app.system.device_holders import LINUX


class OutputControls(Form):
    """Chooses devices and formats of the output. Whether there is one is chosen in `VirtualCameraControls`."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self._cameras: tuple[tuple[str, str], ...] = ()
        off = (self.tr("Off"), "off")
        self.add_choice(
            "output.alpha_output", self.tr("Send cut-out person to OBS"),
            self.tr("For programs that put another picture behind the person"), "alphaOutputCombo",
            [off, (self.tr("In the PipeWire camera (BGRA)"), "bgra"),
             (self.tr("Beside the person in the virtual camera"), "side-by-side")],
            visible=LINUX,
        )  # fmt: skip
        self._device = self.add_choice(
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
        self.refresh()

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._cameras = cameras
        self.refresh()

    def _devices(self) -> Entries:
        return [(self.tr("Automatic"), "auto"), *((f"{title} ({device})", device) for device, title in self._cameras)]

    def show_settings(self, settings: Settings) -> None:
        super().show_settings(settings)
        self._device.setEnabled(settings.output.virtual_camera != "off")
