"""The matting page: model, edge, and under Advanced the sliders, detail, device and executor."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QSignalBlocker, QTimer, pyqtSignal
from PyQt6.QtWidgets import QWidget
from PyQt6.sip import isdeleted

from app.core.settings import Settings
from app.gui.panels.edges import EdgePresets, EdgeSliders
from app.gui.panels.light import LightSliders
from app.gui.panels.network import NetworkControls
from app.gui.panels.ratio import RatioControl
from app.gui.panels.server import ServerControls
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import check, combo, fill_combo
from app.gui.widgets.page import Collapsible, Page, field_row
from app.runtime.status import PipelineStatus

EXECUTORS = (
    ("eager", "PyTorch"),
    ("cuda-graph", "CUDA graph"),
    ("openvino", "OpenVINO"),
)
PRECISIONS = ("float32", "float16", "bfloat16", "int8")


class MattingPage(Page):
    """Shows the matting settings and the engine in use."""

    retry_requested = pyqtSignal()
    """An engine that failed may work now."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self._store = store
        self._tasks = tasks
        self._devices: tuple[tuple[str, str], ...] = (("cpu", "CPU"),)
        self.network = NetworkControls(store, tasks)
        self.ratio = RatioControl(store)
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
            self.tr("The network sees the part of the frame around people in place of the whole frame"),
            "regionCheck",
        )
        self._device = combo(self.tr("Device"), self.tr("Processor that runs the network"), "deviceCombo")
        self._executor = combo(self.tr("Executor"), self.tr("Software that runs the network"), "executorCombo")
        self._precision = combo(self.tr("Precision"), self.tr("Number format of the computation"), "precisionCombo")
        self._refiner = combo(self.tr("Refiner"), self.tr("How the matte is upsampled"), "refinerCombo")
        self.server = ServerControls(store, tasks)
        self.advanced = Collapsible(self.tr("Advanced"), self.tr("Edge sliders, detail, device"), "advancedToggle")
        self.add_heading(self.tr("Network"))
        self.add(self.network)
        self.add(self._governor)
        self.add_heading(self.tr("Edge"))
        self.add(EdgePresets(store))
        self.add(field_row(self.tr("Hide things mistaken for people"), self._strict))
        self.add(self._region)
        self.add_heading(self.tr("Light"))
        self.add(LightSliders(store))
        self.add_separator()
        self.add(self.advanced)
        self.advanced.add(EdgeSliders(store))
        self.advanced.add(self.ratio)
        for caption, box in (
            (self.tr("Device"), self._device),
            (self.tr("Executor"), self._executor),
            (self.tr("Precision"), self._precision),
            (self.tr("Refiner"), self._refiner),
        ):
            self.advanced.add(field_row(caption, box))
        for box, field in (
            (self._device, "device"),
            (self._executor, "executor"),
            (self._precision, "precision"),
            (self._refiner, "refiner"),
        ):
            box.activated.connect(
                lambda _row, box=box, field=field: store.edit("matting", **{field: box.currentData()})
            )
        self._remote = Collapsible(
            self.tr("Matting on a server"), self.tr("Let another machine compute the matte"), "serverToggle"
        )
        self._remote.add(self.server)
        self.add(self._remote)
        self.network.model_installed.connect(self.retry_requested)
        self.server.retry_requested.connect(self.retry_requested)
        self._governor.toggled.connect(lambda on: store.edit("matting", governor=on))
        self._strict.activated.connect(lambda _row: store.edit_edges(strict=self._strict.currentData()))
        self._region.toggled.connect(lambda on: store.edit_edges(person_region=on))
        store.changed.connect(self._show)
        self._show(store.current)

    def reload(self) -> None:
        """Check again which devices and models there are."""
        self._tasks.run(services.devices, self._show_devices)
        self.network.reload()

    def open_advanced(self) -> None:
        """Show device, executor and the other advanced settings."""
        self._open(self.advanced, self._device)

    def open_server(self) -> None:
        """Show the settings of the server."""
        self._open(self._remote, self.server.address)

    def _open(self, group: Collapsible, first: QWidget) -> None:
        group.toggle.setChecked(True)
        first.setFocus()
        QTimer.singleShot(0, partial(self._scroll_to, group))  # once the page has its new height

    def _scroll_to(self, group: QWidget) -> None:
        if not isdeleted(self):
            self.ensureWidgetVisible(group, 0, 0)

    def _show_devices(self, devices: tuple[tuple[str, str], ...]) -> None:
        self._devices = devices
        self._show(self._store.current)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the engine in use."""
        self.ratio.show_status(status)
        self.network.show_status(status)
        self.server.show_status(status)

    def _show(self, settings: Settings) -> None:
        matting = settings.matting
        with QSignalBlocker(self._governor):
            self._governor.setChecked(matting.governor)
        levels: list[tuple[str, object]] = [
            (self.tr("Off"), "off"),
            (self.tr("Balanced"), "balanced"),
            (self.tr("Strict: only people who move"), "strict"),
        ]
        fill_combo(self._strict, levels, matting.edges.strict)
        with QSignalBlocker(self._region):
            self._region.setChecked(matting.edges.person_region)
        auto: list[tuple[str, object]] = [(self.tr("Automatic"), "auto")]
        devices = [*auto, *((name, value) for value, name in self._devices)]
        if matting.device not in (value for _name, value in devices):
            devices.append((matting.device, matting.device))
        fill_combo(self._device, devices, matting.device)
        fill_combo(self._executor, [*auto, *((name, value) for value, name in EXECUTORS)], matting.executor)
        fill_combo(self._precision, [*auto, *((name, name) for name in PRECISIONS)], matting.precision)
        refiners = [
            *auto,
            (self.tr("Deep guided filter"), "deep-guided-filter"),
            (self.tr("Fast guided filter"), "fast-guided-filter"),
        ]
        fill_combo(self._refiner, refiners, matting.refiner)
