"""What experts ask for: model and plate, the kind of edge, device, executor and precision."""

from __future__ import annotations

from app.core.process import LINUX
from app.core.settings import EdgeSettings
from app.gui.panels.form import Entries, Form, say
from app.gui.panels.models import DownloadControls, Models, describe_size
from app.gui.panels.plate import PlateControls
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import describe_model, tr
from app.gui.widgets.controls import SCALES, Segments, combo, fill_combo
from app.gui.widgets.page import breakable
from app.matting.choice import hardware
from app.runtime.status import PipelineStatus
from app.settings import Settings

DETAIL_SCALE = SCALES["share"]
SHAPE = {"contrast": 0.0, "threshold": 0.5, "grow_px": 0, "feather_px": 0}
# Settings of the edge's shape, soft, normal and crisp; smoothing over time and colour
# fringe do not depend on it.
PRESETS: tuple[dict[str, float], ...] = (
    {**SHAPE, "feather_px": 4},
    SHAPE,
    {**SHAPE, "contrast": 0.4},
)


class ModelControls(Form):
    """Chooses the model, installed ones first, with its plate, and how it is used.

    How it is used: its detail, the edge, and what counts as a person.
    """

    def __init__(self, models: Models, tasks: Tasks) -> None:
        store = models.store
        super().__init__(store)
        self._models = models
        self.list = combo(
            tr("Model"),
            tr("The network that separates you from the background"),
            "modelCombo",
        )
        self.list.activated.connect(lambda _row: models.choose(str(self.list.currentData())))
        self.add_row(self.list.accessibleName(), self.list)
        self._used = self.add_hint()
        self._missing = self.add_hint(object_name="modelMissing")
        self._own = self.add_hint(object_name="ownWeights")
        self.plate = PlateControls(store, tasks)
        installed = tr("Use the installed weights")
        self.add(
            DownloadControls(models),
            self.make_removal(
                "matting.weights",
                installed,
                tr("Use no file of your own; the file stays"),
            ),
            self.plate,
        )
        models.changed.connect(self.refresh)
        self.on_settings(self._show)
        self._ratio = self.add_slider("matting.downsample_ratio", name="downsampleSlider")
        self._pixels = self.add_hint(object_name="downsampleSize")
        self.add_check(
            "matting.downsample_ratio",
            tr("Automatic detail"),
            tr("Choose the detail by the frame size"),
            self._set_auto,
            lambda ratio: ratio is None,
            "downsampleAuto",
        )
        self._add_edge()

    def show_status(self, status: PipelineStatus) -> None:
        """Show what the status says of the plate, and the input of the network in use."""
        self.plate.show_status(status)
        engine = status.engine
        if engine is None:
            self._pixels.hide()
            return
        if self.store.current.matting.downsample_ratio is None:
            self._ratio.show_value(round(engine.downsample_ratio * DETAIL_SCALE.steps))
        say(self._pixels, tr("Input of the network: {0} × {1} px").format(*engine.small_size))

    def _show(self, settings: Settings) -> None:
        chosen = settings.matting.model
        engine = self._models.engine
        model_in_use = chosen if engine is None else engine.model
        self._show_model_in_use(model_in_use, chosen)
        model = self._models.wanted or chosen
        fill_combo(self.list, self._entries(model), model)
        missing = self._models.offered
        text = ""
        if missing is not None:
            size = describe_size(missing) or tr("size unknown")
            text = tr("Not installed: {0}, licence {1}").format(size, missing.licence)
        say(self._missing, text)
        own = settings.matting.weights
        say(self._own, "" if own is None else tr("Weights: {0}").format(breakable(own.name)))

    def _show_model_in_use(self, model: str, chosen: str) -> None:
        text = ""
        if model != chosen:
            text = tr("In use: {0}").format(describe_model(model))
        self._used.setText(text)
        # With `auto` also before it is known: the page must not jump.
        self._used.setVisible(model != chosen or chosen == "auto")

    def _entries(self, model: str) -> list[tuple[str, object]]:
        entries: list[tuple[str, object]] = [(describe_model("auto"), "auto")]
        for report in sorted(self._models.reports, key=lambda report: report.path is None):
            text = describe_model(report.spec.name)
            if report.path is not None:
                entries.append((text, report.spec.name))
            elif report.spec.url is not None:
                # A click can install it.
                offer = tr("{0} – download {1}").format(text, describe_size(report.spec))
                entries.append((offer.strip(), report.spec.name))
        if model not in [name for _text, name in entries]:
            entries.append((describe_model(model), model))
        return entries

    def _add_edge(self) -> None:
        store = self.store
        presets = Segments(
            (
                (tr("Soft"), tr("A wide, soft edge"), "edge_soft"),
                (tr("Normal"), tr("The matte as the network computes it"), "edge_normal"),
                (tr("Crisp"), tr("A narrow, hard edge"), "edge_crisp"),
            )
        )
        presets.chosen.connect(lambda number: store.edit("matting.edges", **PRESETS[number]))
        self.on_settings(lambda settings: presets.show_chosen(_preset_of(settings.matting.edges)))
        self.add_row(tr("Edge"), presets)
        self.add_check(
            "strict.level",
            tr("Hide things mistaken for people"),
            tr("Hides no part of a person"),
            lambda on: store.set("strict.level", "balanced" if on else "off"),
            lambda level: level != "off",
        )
        self.rows("matting.governor")

    def _set_auto(self, automatic: bool) -> None:
        ratio = None
        if not automatic:
            ratio = self._ratio.slider.value() / DETAIL_SCALE.steps
        self.store.set("matting.downsample_ratio", ratio)


def _preset_of(edges: EdgeSettings) -> int | None:
    """Return the number of the preset with these values; None while the sliders hold others."""
    for number, preset in enumerate(PRESETS):
        if preset.items() <= dict(edges).items():
            return number
    return None


class AdvancedControls(Form):
    """Sliders of the edge, and what the network and the virtual camera run on.

    Says which precision "Automatic" takes.
    """

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self._devices: tuple[tuple[str, str], ...] = (("cpu", "CPU"),)
        self.rows(
            "edges.contrast",
            "edges.threshold",
            "edges.grow_px",
            "edges.feather_px",
            "edges.temporal_smoothing",
            "edges.despill",
        )
        reset_fields = (*SHAPE, "temporal_smoothing", "despill")
        defaults = {field: getattr(EdgeSettings(), field) for field in reset_fields}
        self.add_link(
            tr("Reset edge"),
            tr("Use the matte as the network computes it"),
            "edgeReset",
            lambda: store.edit("matting.edges", **defaults),
            lambda now: not defaults.items() <= dict(now.matting.edges).items(),
        )
        self.device = self.row("matting.device", self._device_entries)
        self.rows("matting.executor", "matting.precision")
        self._precision = self.add_hint(object_name="precisionUsed")
        self.rows("matting.refiner")
        if LINUX:
            self.rows("output.virtual_camera_backend")
        tasks.run(hardware.devices, self._show_devices)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the precision of the network in use."""
        if status.engine is not None:
            say(self._precision, tr("In use: {0}").format(status.engine.precision))

    def _device_entries(self) -> Entries:
        entries: Entries = [(tr("Automatic"), "auto")]
        entries += [(name, device) for device, name in self._devices]
        return entries

    def _show_devices(self, devices: tuple[tuple[str, str], ...]) -> None:
        self._devices = devices
        self.refresh()
