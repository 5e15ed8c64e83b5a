"""Controls of the matting: edge and quality for everybody, and device, executor and precision for experts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.settings import EdgeSettings
from app.gui.i18n.messages import decimal, translated
from app.gui.panels.form import Form, say
from app.gui.panels.network import NetworkControls
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import Segments, label
from app.gui.widgets.value_slider import STEPS, percent
from app.runtime.status import PipelineStatus
from app.system.device_holders import LINUX

SHAPE = {"contrast": 0.0, "threshold": 0.5, "grow_px": 0, "feather_px": 0}
PRESETS: tuple[dict[str, float], ...] = ({**SHAPE, "feather_px": 4}, SHAPE, {**SHAPE, "contrast": 0.4})
"""Settings of the edge's shape, soft, normal and crisp; smoothing over time and colour fringe do not depend on it."""


def _signed_px(value: int) -> str:
    return f"{value:+d} px" if value else "0 px"


PRECISIONS = ("float32", "float16", "bfloat16", "int8")
Network = tuple[str, Path | None]
"""Model, and the weights file that the settings name."""


class QualityControls(Form):
    """Chooses the model, the edge, and what counts as a person."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self.network = NetworkControls(store, tasks)
        self.add(self.network)
        self.add_check("matting.governor", self.tr("Lower quality when this computer is busy"),
                       self.tr("Lowers automatic settings and the frame rate while this computer cannot keep up"),
                       "governorCheck")  # fmt: skip
        presets = Segments((
            (self.tr("Soft"), self.tr("A wide, soft edge"), "edge_soft"),
            (self.tr("Normal"), self.tr("The matte as the network computes it"), "edge_normal"),
            (self.tr("Crisp"), self.tr("A narrow, hard edge"), "edge_crisp"),
        ))  # fmt: skip
        presets.chosen.connect(lambda number: store.edit("matting.edges", **PRESETS[number]))
        self.on_settings(lambda settings: presets.show_chosen(_preset_of(settings.matting.edges)))
        self.add(label(self.tr("Edge")), presets)
        self.add_choice(
            "edges.strict", self.tr("Hide things mistaken for people"),
            self.tr("Off: nothing is hidden. Balanced: hides things mistaken for people, and nothing of a person."),
            "strictCombo", [(self.tr("Off"), "off"), (self.tr("Balanced"), "balanced")],
        )  # fmt: skip


def _preset_of(edges: EdgeSettings) -> int | None:
    """Return the number of the preset with these values; None while the sliders hold others."""
    fitting = (number for number, preset in enumerate(PRESETS) if preset.items() <= dict(edges).items())
    return next(fitting, None)


class RatioControl(Form):
    """Sets the downsample ratio and shows the resulting size in pixels."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, spacing=4)
        self._slider = self.add_slider(
            "matting.downsample_ratio", percent, self.tr("Detail"),
            self.tr("Resolution of the network's input: more is finer and slower"), "downsampleSlider",
        )  # fmt: skip
        self._pixels = self.add_hint(object_name="downsampleSize")
        auto = self.add_check(
            "matting.downsample_ratio", self.tr("Automatic"), self.tr("Choose the detail by the frame size"),
            "downsampleAuto", change=self._set_auto, shows=lambda ratio: ratio is None,
        )  # fmt: skip
        auto.setAccessibleName(self.tr("Automatic detail"))

    def show_status(self, status: PipelineStatus) -> None:
        """Show the ratio in use and the input size of the network."""
        engine = status.engine
        if engine is None:
            self._pixels.hide()
            return
        if self.store.current.matting.downsample_ratio is None:
            self._slider.show_value(round(engine.downsample_ratio * STEPS))
        say(self._pixels, self.tr("Input of the network: {0} × {1} px").format(*engine.small_size))

    def _set_auto(self, automatic: bool) -> None:
        self.store.set("matting.downsample_ratio", None if automatic else self._slider.slider.value() / STEPS)


class PrecisionControl(Form):
    """Sets the precision, and says what "Automatic" takes and how much faster that was measured to be."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store, spacing=4)
        self._tasks = tasks
        self._network: Network | None = None
        """The one that the sentence is about."""
        self.add_choice(
            "matting.precision", self.tr("Precision"), self.tr("Number format of the computation"), "precisionCombo",
            [(self.tr("Automatic"), "auto"), *((name, name) for name in PRECISIONS)],
        )  # fmt: skip
        self._chosen = self.add_hint(object_name="precisionChosen")

    def reload(self) -> None:
        """Look again, with the next status, at what was measured."""
        self._network = None

    def show_status(self, status: PipelineStatus) -> None:
        """Follow the network in use; only OpenVINO, on this computer, has a choice that is measured."""
        engine = status.engine
        if engine is None:
            return
        if engine.executor != "openvino":
            self._network = None
            self._chosen.hide()
            return
        network = (engine.model, self.store.current.matting.weights)
        if network != self._network:
            self._network = network
            self._tasks.run(lambda: (network, services.precision_choice(*network)), self._show_choice)

    def _show_choice(self, found: tuple[Network, services.PrecisionChoice | None]) -> None:
        network, choice = found
        if network == self._network:
            say(self._chosen, self._describe(choice) if choice else "")

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


class ExpertControls(Form):
    """Sliders of the edge, detail, device, executor, precision, refiner and the backend of the virtual camera."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self._tasks = tasks
        self._devices: tuple[tuple[str, str], ...] = (("cpu", "CPU"),)
        self._add_edge_sliders()
        self.ratio = RatioControl(store)
        self.add(self.ratio)
        auto = (self.tr("Automatic"), "auto")
        self.device = self.add_choice(
            "matting.device", self.tr("Device"), self.tr("Processor that runs the network"), "deviceCombo",
            lambda: [auto, *((name, value) for value, name in self._devices)],
        )  # fmt: skip
        self.add_choice("matting.executor", self.tr("Executor"), self.tr("Software that runs the network"),
                        "executorCombo", [auto, ("PyTorch", "eager"), ("OpenVINO", "openvino")])  # fmt: skip
        self.precision = PrecisionControl(store, tasks)
        self.add(self.precision)
        self.add_choice(
            "matting.refiner", self.tr("Refiner"), self.tr("How the matte is upsampled"), "refinerCombo",
            [auto, (self.tr("Deep guided filter"), "deep-guided-filter"),
             (self.tr("Fast guided filter"), "fast-guided-filter")],
        )  # fmt: skip
        self.add_choice(
            "output.virtual_camera_backend", self.tr("Virtual camera backend"),
            self.tr("Library that writes to the virtual camera"), "virtualCameraBackendCombo",
            [auto, ("pyvirtualcam", "pyvirtualcam"), ("V4L2", "v4l2")], visible=LINUX,
        )  # fmt: skip

    def _add_edge_sliders(self) -> None:
        rows: tuple[tuple[str, Callable[[int], str], str, str], ...] = (
            ("contrast", percent, self.tr("Hardness"), self.tr("From the soft matte to a hard mask")),
            ("threshold", percent, self.tr("Threshold"),
             self.tr("Alpha above which pixels stay when the edge is hardened")),
            ("grow_px", _signed_px, self.tr("Shrink or grow"), self.tr("Moves the edge inward or outward")),
            ("feather_px", "{} px".format, self.tr("Feather outward"),
             self.tr("Softens the edge without eroding the person")),
            ("temporal_smoothing", percent, self.tr("Temporal smoothing"), self.tr("Reduces flicker of the edge")),
            ("despill", percent, self.tr("Remove colour fringe"), self.tr("Removes a green cast from hair and edges")),
        )  # fmt: skip
        for field, text, name, description in rows:
            self.add_slider(f"edges.{field}", text, name, description, f"{field.removesuffix('_px')}Slider")
        defaults = {field: getattr(EdgeSettings(), field) for field, *_rest in rows}
        self.add_link(self.tr("Reset edge"), self.tr("Use the matte as the network computes it"), "edgeReset",
                      lambda: self.store.edit("matting.edges", **defaults))  # fmt: skip

    def reload(self) -> None:
        """Check again which devices there are, and what was measured."""
        self.precision.reload()
        self._tasks.run(services.devices, self._show_devices)

    def _show_devices(self, devices: tuple[tuple[str, str], ...]) -> None:
        self._devices = devices
        self.refresh()
