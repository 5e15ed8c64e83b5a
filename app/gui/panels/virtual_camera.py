"""Choice of the virtual camera, and help where there is none."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker, pyqtSignal
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.settings import Settings
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import check, combo, describe, fill_combo, label, link_button
from app.gui.widgets.page import field_row
from app.runtime.status import PipelineStatus
from app.system.device_holders import LINUX


class VirtualCameraControls(QWidget):
    """Switches the virtual camera on or off and chooses the device."""

    help_requested = pyqtSignal()
    """The user asks how to set up a virtual camera."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        self._cameras: tuple[tuple[str, str], ...] | None = None
        self._chosen = "auto"
        """Device to use when the virtual camera is switched on again."""
        self._toggle = check(
            self.tr("Send to other programs"),
            self.tr("They choose the virtual camera as their camera"),
            "virtualCameraToggle",
        )
        self._device = combo(
            self.tr("Virtual camera device"), self.tr("The device that other programs read"), "virtualCameraCombo"
        )
        self._pipewire = combo(
            self.tr("PipeWire camera"),
            self.tr("Browsers and Flatpak programs find it through the camera portal"),
            "pipewireCombo",
        )
        self._alpha = combo(
            self.tr("Person with alpha"),
            self.tr("For programs that put another picture behind the person"),
            "alphaOutputCombo",
        )
        self._backend = combo(
            self.tr("Virtual camera backend"),
            self.tr("Library that writes to the virtual camera"),
            "virtualCameraBackendCombo",
        )
        self._state = label("", "faint", wrap=True)
        self._help = link_button(self.tr("Set up a virtual camera…"))
        describe(
            self._help, self.tr("Set up a virtual camera"), self.tr("Shows what this system needs"), "virtualCameraHelp"
        )
        self._on_demand = check(
            self.tr("Turn the camera off when no program uses it"),
            self.tr("Only while this window is hidden"),
            "onDemandCheck",
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        boxes = self._device, self._pipewire, self._alpha, self._backend
        rows = [field_row(box.accessibleName(), box) for box in boxes]
        for widget in (self._toggle, *rows, self._state, self._help, self._on_demand):
            column.addWidget(widget)
        self._toggle.toggled.connect(lambda on: store.edit("output", virtual_camera=self._chosen if on else "off"))
        self._device.activated.connect(lambda _row: store.edit("output", virtual_camera=self._device.currentData()))
        self._pipewire.activated.connect(lambda _row: store.edit("output", pipewire=self._pipewire.currentData()))
        self._alpha.activated.connect(lambda _row: store.edit("output", alpha_output=self._alpha.currentData()))
        self._backend.activated.connect(
            lambda _row: store.edit("output", virtual_camera_backend=self._backend.currentData())
        )
        for row in rows[1:]:  # of PipeWire and V4L2
            row.setHidden(not LINUX)
        self._help.clicked.connect(self.help_requested)
        self._on_demand.toggled.connect(lambda on: store.edit("output", on_demand=on))
        store.changed.connect(self._show)
        self._show(store.current)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        if cameras != self._cameras:
            self._cameras = cameras
            self._show(self._store.current)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the device in use."""
        wanted = self._store.current.output.virtual_camera != "off"
        camera = status.virtual_camera or status.pipewire
        if camera is not None:
            self._state.setText(self.tr("Choose “{0}” as the camera in your meeting.").format(camera))
        elif wanted and self._cameras == ():
            self._state.setText(self.tr("This computer has no virtual camera yet."))
        else:
            self._state.setText("")
        self._state.setVisible(bool(self._state.text()))
        self._help.setVisible(wanted and camera is None)

    def _show(self, settings: Settings) -> None:
        output = settings.output
        on = output.virtual_camera != "off"
        if on:
            self._chosen = output.virtual_camera
        for box, checked in ((self._toggle, on), (self._on_demand, output.on_demand)):
            with QSignalBlocker(box):
                box.setChecked(checked)
        entries: list[tuple[str, object]] = [(self.tr("Automatic"), "auto")]
        entries += [(f"{title} ({device})", device) for device, title in self._cameras or ()]
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
        choices = [
            (self.tr("Automatic"), "auto"),
            ("pyvirtualcam", "pyvirtualcam"),
            ("V4L2", "v4l2"),
        ]
        fill_combo(self._backend, choices, output.virtual_camera_backend)
