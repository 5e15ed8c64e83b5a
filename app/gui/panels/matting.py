"""Controls of the matting: model and edge for everybody, and in the preferences what experts ask for."""

from __future__ import annotations

from pathlib import Path

from app.core.settings import EdgeSettings
from app.gui.i18n.messages import decimal, translated
from app.gui.panels.form import Form, say
from app.gui.panels.network import NetworkControls
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import Segments
from app.gui.widgets.value_slider import STEPS
from app.runtime.status import PipelineStatus
from app.system.device_holders import LINUX

SHAPE = {"contrast": 0.0, "threshold": 0.5, "grow_px": 0, "feather_px": 0}
PRESETS: tuple[dict[str, float], ...] = ({**SHAPE, "feather_px": 4}, SHAPE, {**SHAPE, "contrast": 0.4})
"""Settings of the edge's shape, soft, normal and crisp; smoothing over time and colour fringe do not depend on it."""
Network = tuple[str, Path | None]
"""Model, and the weights file that the settings name."""


class QualityControls(Form):
    """Chooses the model, the edge, and what counts as a person."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self.network = NetworkControls(store, tasks)
        self.add(self.network)
        presets = Segments((
            (self.tr("Soft"), self.tr("A wide, soft edge"), "edge_soft"),
            (self.tr("Normal"), self.tr("The matte as the network computes it"), "edge_normal"),
            (self.tr("Crisp"), self.tr("A narrow, hard edge"), "edge_crisp"),
        ))  # fmt: skip
        presets.chosen.connect(lambda number: store.edit("matting.edges", **PRESETS[number]))
        self.on_settings(lambda settings: presets.show_chosen(_preset_of(settings.matting.edges)))
        self.add_row(self.tr("Edge"), presets)
        self.row(
            "edges.strict", self.tr("Hide things mistaken for people"),
            self.tr("Off: nothing is hidden. Balanced: hides things mistaken for people, and nothing of a person."),
        )  # fmt: skip
        self.row(
            "matting.governor", self.tr("Lower quality when this computer is busy"),
            self.tr("Lowers automatic settings and the frame rate while this computer cannot keep up"),
        )  # fmt: skip


def _preset_of(edges: EdgeSettings) -> int | None:
    """Return the number of the preset with these values; None while the sliders hold others."""
    fitting = (number for number, preset in enumerate(PRESETS) if preset.items() <= dict(edges).items())
    return next(fitting, None)


class AdvancedControls(Form):
    """Sliders of the edge, detail, device, executor, precision, refiner and the backend of the virtual camera.

    Says what "Automatic" takes: the size of the network's input, and the precision, with how much faster it was
    measured to be.
    """

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self._tasks = tasks
        self._devices: tuple[tuple[str, str], ...] = (("cpu", "CPU"),)
        self._network: Network | None = None
        """The one that the sentence about the precision is about."""
        self._add_edge()
        self._ratio = self.add_slider(
            "matting.downsample_ratio", self.tr("Detail"),
            self.tr("Resolution of the network's input: more is finer and slower"),
        )  # fmt: skip
        self._pixels = self.add_hint(object_name="downsampleSize")
        self.add_check(
            "matting.downsample_ratio", self.tr("Automatic detail"), self.tr("Choose the detail by the frame size"),
            self._set_auto, lambda ratio: ratio is None, "downsampleAuto",
        )  # fmt: skip
        self.device = self.row(
            "matting.device", self.tr("Device"), self.tr("Processor that runs the network"),
            lambda: [(self.tr("Automatic"), "auto"), *((name, value) for value, name in self._devices)],
        )  # fmt: skip
        self.row("matting.executor", self.tr("Executor"), self.tr("Software that runs the network"))
        self.row("matting.precision", self.tr("Precision"), self.tr("Number format of the computation"))
        self._precision = self.add_hint(object_name="precisionChosen")
        self.row("matting.refiner", self.tr("Refiner"), self.tr("How the matte is upsampled"))
        if LINUX:
            self.row("output.virtual_camera_backend", self.tr("Virtual camera backend"),
                     self.tr("Library that writes to the virtual camera"))  # fmt: skip
        tasks.run(services.devices, self._show_devices)

    def _add_edge(self) -> None:
        self.row("edges.contrast", self.tr("Hardness"), self.tr("From the soft matte to a hard mask"))
        self.row("edges.threshold", self.tr("Threshold"),
                 self.tr("Alpha above which pixels stay when the edge is hardened"))  # fmt: skip
        self.row("edges.grow_px", self.tr("Shrink or grow"), self.tr("Moves the edge inward or outward"))
        self.row("edges.feather_px", self.tr("Feather outward"), self.tr("Softens the edge without eroding the person"))
        self.row("edges.temporal_smoothing", self.tr("Temporal smoothing"), self.tr("Reduces flicker of the edge"))
        self.row("edges.despill", self.tr("Remove colour fringe"), self.tr("Removes a green cast from hair and edges"))
        defaults = {field: getattr(EdgeSettings(), field) for field in (*SHAPE, "temporal_smoothing", "despill")}
        self.add_link(self.tr("Reset edge"), self.tr("Use the matte as the network computes it"), "edgeReset",
                      lambda: self.store.edit("matting.edges", **defaults))  # fmt: skip

    def show_status(self, status: PipelineStatus) -> None:
        """Show the input of the network in use, and its precision where OpenVINO has a choice that is measured."""
        engine = status.engine
        if engine is None:
            self._pixels.hide()
            return
        if self.store.current.matting.downsample_ratio is None:
            self._ratio.show_value(round(engine.downsample_ratio * STEPS))
        say(self._pixels, self.tr("Input of the network: {0} × {1} px").format(*engine.small_size))
        network = (engine.model, self.store.current.matting.weights) if engine.executor == "openvino" else None
        if network != self._network:
            self._network = network
            self._precision.hide()
            if network is not None:
                self._tasks.run(lambda: (network, services.precision_choice(*network)), self._show_choice)

    def _set_auto(self, automatic: bool) -> None:
        self.store.set("matting.downsample_ratio", None if automatic else self._ratio.slider.value() / STEPS)

    def _show_devices(self, devices: tuple[tuple[str, str], ...]) -> None:
        self._devices = devices
        self.refresh()

    def _show_choice(self, found: tuple[Network, services.PrecisionChoice | None]) -> None:
        network, choice = found
        if network == self._network:
            say(self._precision, self._describe(choice) if choice else "")

    def _describe(self, choice: services.PrecisionChoice) -> str:
        taken = translated(choice.precision)
        if choice.provisional:
            return self.tr("Automatic: {0} until this computer has been measured").format(taken)
        if choice.gain is None:
            return self.tr("Automatic: {0}").format(taken)
        if choice.gain <= 1:
            return self.tr("Automatic: {0}, the best choice on this computer").format(taken)
        return self.tr("Automatic: {0}, {1} times as fast as float32 on this computer").format(
            taken, decimal(choice.gain, 1)
        )
