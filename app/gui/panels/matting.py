"""Controls of the matting: quality for everybody, and device, executor and precision for experts."""

from __future__ import annotations

from app.gui.panels.edges import EdgePresets, EdgeSliders
from app.gui.panels.form import Entries, Form
from app.gui.panels.network import NetworkControls
from app.gui.panels.ratio import RatioControl
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import label
from app.system.device_holders import LINUX

PRECISIONS = ("float32", "float16", "bfloat16", "int8")


class QualityControls(Form):
    """Chooses the model, the edge, and what counts as a person."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self.network = NetworkControls(store, tasks)
        self.add(self.network)
        self.add_check("matting.governor", self.tr("Lower quality when the machine is busy"),
                       self.tr("Lowers automatic settings and the frame rate while the machine cannot keep up"),
                       "governorCheck")  # fmt: skip
        self.add(label(self.tr("Edge")), EdgePresets(store))
        self.add_choice(
            "matting.edges.strict", self.tr("Hide things mistaken for people"),
            self.tr(
                "Off: nothing is hidden. Balanced: hides things mistaken for people, and nothing of a person. "
                "Strict: shows only people who move; someone who has not moved yet is hidden too."
            ),
            "strictCombo", self._levels, choose=store.set_strict,
            shows=lambda level: "balanced" if level == "off" and self._is_served() else level,
        )  # fmt: skip
        self.add_check("matting.edges.person_region", self.tr("More detail for people far away"),
                       self.tr("Looks closer at people who are far away."), "regionCheck")  # fmt: skip

    def _is_served(self) -> bool:
        """Whether a server makes the mattes; strict mode is never off then."""
        return self.store.current.matting.location == "remote"

    def _levels(self) -> Entries:
        off = [] if self._is_served() else [(self.tr("Off"), "off")]
        return [*off, (self.tr("Balanced"), "balanced"), (self.tr("Strict: only people who move"), "strict")]


class ExpertControls(Form):
    """Sliders of the edge, detail, device, executor, precision, refiner and the backend of the virtual camera."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self._tasks = tasks
        self._devices: tuple[tuple[str, str], ...] = (("cpu", "CPU"),)
        self.ratio = RatioControl(store)
        self.add(EdgeSliders(store), self.ratio)
        auto = (self.tr("Automatic"), "auto")
        self.device = self.add_choice(
            "matting.device", self.tr("Device"), self.tr("Processor that runs the network"), "deviceCombo",
            lambda: [auto, *((name, value) for value, name in self._devices)],
        )  # fmt: skip
        self.add_choice("matting.executor", self.tr("Executor"), self.tr("Software that runs the network"),
                        "executorCombo", [auto, ("PyTorch", "eager"), ("OpenVINO", "openvino")])  # fmt: skip
        self.add_choice("matting.precision", self.tr("Precision"), self.tr("Number format of the computation"),
                        "precisionCombo", [auto, *((name, name) for name in PRECISIONS)])  # fmt: skip
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

    def reload(self) -> None:
        """Check again which devices there are."""
        self._tasks.run(services.devices, self._show_devices)

    def _show_devices(self, devices: tuple[tuple[str, str], ...]) -> None:
        self._devices = devices
        self.refresh()
