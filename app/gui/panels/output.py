"""How other programs receive the video: device, PipeWire, the cut-out person for OBS."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.settings import Settings
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import check, combo, fill_combo
from app.gui.widgets.page import field_row
from app.system.device_holders import LINUX


class OutputControls(QWidget):
    """Chooses devices and formats of the output. Whether there is one is chosen in `VirtualCameraControls`."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        self._cameras: tuple[tuple[str, str], ...] = ()
        self._alpha = combo(
            self.tr("Send cut-out person to OBS"),
            self.tr("For programs that put another picture behind the person"),
            "alphaOutputCombo",
        )
        self._device = combo(
            self.tr("Virtual camera device"), self.tr("The device that other programs read"), "virtualCameraCombo"
        )
        self._pipewire = combo(
            self.tr("PipeWire camera"),
            self.tr("Browsers and Flatpak programs find it through the camera portal"),
            "pipewireCombo",
        )
        self._mirror = check(
            self.tr("Mirror the output"), self.tr("Also mirrors text in the video"), "mirrorOutputCheck"
        )
        self._on_demand = check(
            self.tr("Switch the real camera off while nobody watches"),
            self.tr("Only while this window is hidden"),
            "onDemandCheck",
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        rows = {box: field_row(box.accessibleName(), box) for box in (self._alpha, self._device, self._pipewire)}
        for widget in (*rows.values(), self._mirror, self._on_demand):
            column.addWidget(widget)
        for of_linux in (self._alpha, self._pipewire):
            rows[of_linux].setHidden(not LINUX)
        self._alpha.activated.connect(lambda _row: store.edit("output", alpha_output=self._alpha.currentData()))
        self._device.activated.connect(lambda _row: store.edit("output", virtual_camera=self._device.currentData()))
        self._pipewire.activated.connect(lambda _row: store.edit("output", pipewire=self._pipewire.currentData()))
        self._mirror.toggled.connect(lambda on: store.edit("output", mirror=on))
        self._on_demand.toggled.connect(lambda on: store.edit("output", on_demand=on))
        store.changed.connect(self._show)
        self._show(store.current)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        if cameras != self._cameras:
            self._cameras = cameras
            self._show(self._store.current)

    def _show(self, settings: Settings) -> None:
        output = settings.output
        for box, checked in ((self._mirror, output.mirror), (self._on_demand, output.on_demand)):
            with QSignalBlocker(box):
                box.setChecked(checked)
        on = output.virtual_camera != "off"
        entries: list[tuple[str, object]] = [(self.tr("Automatic"), "auto")]
        entries += [(f"{title} ({device})", device) for device, title in self._cameras]
        if on and output.virtual_camera not in (data for _text, data in entries):
            entries.append((output.virtual_camera, output.virtual_camera))
        fill_combo(self._device, entries, output.virtual_camera if on else "auto")
        self._device.setEnabled(on)
        choices: list[tuple[str, object]] = [
            (self.tr("Automatic"), "auto"),
            (self.tr("On"), "on"),
            (self.tr("Off"), "off"),
        ]
        fill_combo(self._pipewire, choices, output.pipewire)
        choices = [
            (self.tr("Off"), "off"),
            (self.tr("In the PipeWire camera (BGRA)"), "bgra"),
            (self.tr("Beside the person in the virtual camera"), "side-by-side"),
        ]
        fill_combo(self._alpha, choices, output.alpha_output)
