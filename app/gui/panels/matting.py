"""Controls of the matting: quality for everybody, and device, executor and precision for experts."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.settings import Settings
from app.gui.panels.edges import EdgePresets, EdgeSliders
from app.gui.panels.network import NetworkControls
from app.gui.panels.ratio import RatioControl
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import check, combo, fill_combo, label
from app.gui.widgets.page import field_row
from app.system.device_holders import LINUX

EXECUTORS = (
    ("eager", "PyTorch"),
    ("openvino", "OpenVINO"),
)
PRECISIONS = ("float32", "float16", "bfloat16", "int8")


class QualityControls(QWidget):
    """Chooses the model, the edge, and what counts as a person."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self.network = NetworkControls(store, tasks)
        self._governor = check(
            self.tr("Lower quality when the machine is busy"),
            self.tr("Lowers automatic settings and the frame rate while the machine cannot keep up"),
            "governorCheck",
        )
        self._strict = combo(
            self.tr("Hide things mistaken for people"),
            self.tr(
                "Off: nothing is hidden. Balanced: hides things mistaken for people, and nothing of a person. "
                "Strict: shows only people who move; someone who has not moved yet is hidden too."
            ),
            "strictCombo",
        )
        self._region = check(
            self.tr("More detail for people far away"),
            self.tr("Looks closer at people who are far away."),
            "regionCheck",
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        strict = field_row(self._strict.accessibleName(), self._strict)
        for widget in (
            self.network, self._governor, label(self.tr("Edge")), EdgePresets(store), strict, self._region,
        ):  # fmt: skip
            column.addWidget(widget)
        self._governor.toggled.connect(lambda on: store.edit("matting", governor=on))
        self._strict.activated.connect(lambda _row: store.set_strict(self._strict.currentData()))
        self._region.toggled.connect(lambda on: store.edit_edges(person_region=on))
        store.changed.connect(self._show)
        self._show(store.current)

    def _show(self, settings: Settings) -> None:
        matting = settings.matting
        with QSignalBlocker(self._governor):
            self._governor.setChecked(matting.governor)
        levels: list[tuple[str, object]] = [
            (self.tr("Off"), "off"),
            (self.tr("Balanced"), "balanced"),
            (self.tr("Strict: only people who move"), "strict"),
        ]
        level = matting.edges.strict
        if matting.location == "remote":  # the mattes of a server are never trusted so far
            levels, level = levels[1:], "balanced" if level == "off" else level
        fill_combo(self._strict, levels, level)
        with QSignalBlocker(self._region):
            self._region.setChecked(matting.edges.person_region)


class ExpertControls(QWidget):
    """Sliders of the edge, detail, device, executor, precision, refiner and the backend of the virtual camera."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self._store, self._tasks = store, tasks
        self._devices: tuple[tuple[str, str], ...] = (("cpu", "CPU"),)
        self.ratio = RatioControl(store)
        self.device = combo(self.tr("Device"), self.tr("Processor that runs the network"), "deviceCombo")
        self._executor = combo(self.tr("Executor"), self.tr("Software that runs the network"), "executorCombo")
        self._precision = combo(self.tr("Precision"), self.tr("Number format of the computation"), "precisionCombo")
        self._refiner = combo(self.tr("Refiner"), self.tr("How the matte is upsampled"), "refinerCombo")
        self._backend = combo(
            self.tr("Virtual camera backend"),
            self.tr("Library that writes to the virtual camera"),
            "virtualCameraBackendCombo",
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(EdgeSliders(store))
        column.addWidget(self.ratio)
        for box in (self.device, self._executor, self._precision, self._refiner, self._backend):
            row = field_row(box.accessibleName(), box)
            column.addWidget(row)
        row.setHidden(not LINUX)  # the backends of V4L2
        for box, field in (
            (self.device, "device"),
            (self._executor, "executor"),
            (self._precision, "precision"),
            (self._refiner, "refiner"),
        ):
            box.activated.connect(
                lambda _row, box=box, field=field: store.edit("matting", **{field: box.currentData()})
            )
        self._backend.activated.connect(
            lambda _row: store.edit("output", virtual_camera_backend=self._backend.currentData())
        )
        store.changed.connect(self._show)
        self._show(store.current)

    def reload(self) -> None:
        """Check again which devices there are."""
        self._tasks.run(services.devices, self._show_devices)

    def _show_devices(self, devices: tuple[tuple[str, str], ...]) -> None:
        self._devices = devices
        self._show(self._store.current)

    def _show(self, settings: Settings) -> None:
        matting = settings.matting
        auto: list[tuple[str, object]] = [(self.tr("Automatic"), "auto")]
        devices = [*auto, *((name, value) for value, name in self._devices)]
        if matting.device not in (value for _name, value in devices):
            devices.append((matting.device, matting.device))
        fill_combo(self.device, devices, matting.device)
        fill_combo(self._executor, [*auto, *((name, value) for value, name in EXECUTORS)], matting.executor)
        fill_combo(self._precision, [*auto, *((name, name) for name in PRECISIONS)], matting.precision)
        refiners = [
            *auto,
            (self.tr("Deep guided filter"), "deep-guided-filter"),
            (self.tr("Fast guided filter"), "fast-guided-filter"),
        ]
        fill_combo(self._refiner, refiners, matting.refiner)
        backends: list[tuple[str, object]] = [*auto, ("pyvirtualcam", "pyvirtualcam"), ("V4L2", "v4l2")]
        fill_combo(self._backend, backends, settings.output.virtual_camera_backend)
