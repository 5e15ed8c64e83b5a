"""Controls of the matting: model, edge and plate for everybody, and in the preferences what experts ask for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QDateTime, QLocale, pyqtSignal
from PyQt6.QtGui import QPixmap
from PyQt6.QtWidgets import QLabel

from app.core.settings import EdgeSettings, Settings
from app.core.types import BgrImage
from app.gui.dialogs.download_controls import DownloadControls, describe_size
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.i18n.messages import decimal, describe_model, translated
from app.gui.panels.form import Form, say
from app.gui.preview.rendering import to_qimage
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import STEPS, Segments, button, combo, fill_combo
from app.gui.widgets.page import breakable
from app.matting.base.interface import EngineInfo
from app.matting.plate.capture import PlateInfo
from app.runtime.status import PipelineStatus
from app.system.device_holders import LINUX
from models.spec import WeightSpec
from models.table import needs_plate
from models.weights import WeightReport

THUMBNAIL_WIDTH = 160


class PlateControls(Form):
    """Visible while a model is chosen that needs a plate, or one is chosen automatically and there is a plate."""

    capture_requested = pyqtSignal()
    """The user wants to capture a plate now."""
    chosen_again = pyqtSignal()
    """The file in use was chosen again: it may be edited."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self._tasks = tasks
        self._path: Path | None = None
        self._taken_with: tuple[str, int, int] | None = None
        """Camera and size of the plate in use; None where the program did not capture it."""
        self._searched: tuple[str, int, int] | None = None
        """Camera and size for which a stored plate was last searched."""
        self.thumbnail = QLabel()
        self.thumbnail.setAccessibleName(self.tr("Picture of the empty room"))
        self.add(self.thumbnail)
        self.age = self.add_hint()
        self.warning = self.add_hint(
            self.tr("This picture was taken with another camera. Take a new one."), role="warning"
        )
        self.unused = self.add_hint(
            self.tr("The model in use does not compare with this picture. Background Matting does.")
        )
        take = button(
            self.tr("Take a picture of the empty room…"), self.tr("The camera takes it while you step aside"),
            "plateTake", self.capture_requested.emit, name=self.tr("Take a picture of the empty room"),
        )  # fmt: skip
        choose = button(
            self.tr("Use an existing picture…"),
            self.tr("This model compares each frame with a picture of the room without people"), "plateButton",
            self.ask_for_plate, name=self.tr("Use an existing picture"),
        )  # fmt: skip
        removal = self.tr("Remove picture of the empty room")
        drop = self.make_removal("matting.plate", removal, self.tr("Compare with no picture; its file stays"))
        self.add(take, choose, drop)
        self.thumbnail.hide()
        self.warning.hide()
        self.unused.hide()
        self.on_settings(self._follow)

    def ask_for_plate(self) -> None:
        """Ask for an image file of the empty background."""
        title = self.tr("Picture of the empty room")
        ask_for_file(self, title, self._use, folder=UserFolder.PicturesLocation)

    def _use(self, path: Path) -> None:
        again = path == self._path
        self.store.set("matting.plate", path)
        if again:
            self.reload()
            self.chosen_again.emit()

    def show_status(self, status: PipelineStatus) -> None:
        """Use the stored plate of the running camera; without one, warn if the plate is from another camera."""
        source, taken_with = status.source, self._taken_with
        engine = status.engine
        self.unused.setVisible(self._path is not None and engine is not None and not needs_plate(engine.model))
        if source is None or taken_with is None:
            self.warning.hide()
            return
        self.warning.setVisible(source.viewpoint != taken_with[0])
        running = source.viewpoint, source.width, source.height
        if running not in (taken_with, self._searched):
            self._searched = running
            stored = services.stored_plate(*running)
            if stored is not None:
                self.store.edit("matting", plate=stored)

    def _follow(self, settings: Settings) -> None:
        matting = settings.matting
        self.setVisible(needs_plate(matting.model) or (matting.model == "auto" and matting.plate is not None))
        if matting.plate != self._path:
            self._path = matting.plate
            self.reload()

    def reload(self) -> None:
        """Read the plate's file again."""
        self._taken_with = self._searched = None
        self.thumbnail.clear()
        self.thumbnail.hide()
        self.age.hide()
        if self._path is not None:
            self._tasks.run(partial(services.plate_view, self._path, THUMBNAIL_WIDTH), self._show_view)

    def _show_view(self, view: tuple[BgrImage | None, PlateInfo | None]) -> None:
        thumbnail, info = view
        if thumbnail is not None:
            self.thumbnail.setPixmap(QPixmap.fromImage(to_qimage(thumbnail)))
            self.thumbnail.show()
        if info is not None:
            self._taken_with = info.camera, info.width, info.height
            taken = QDateTime.fromSecsSinceEpoch(int(info.taken_at_s))
            say(self.age, self.tr("Taken {0}").format(QLocale().toString(taken, QLocale.FormatType.ShortFormat)))
        elif self._path is not None:
            say(self.age, breakable(self._path.name))


class NetworkControls(Form):
    """The list of models, installed ones first, with a download button, progress and cancel.

    A model that is not installed is only marked for download: the settings change after the download.
    """

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self._tasks = tasks
        self._reports: tuple[WeightReport, ...] = ()
        self._pending: str | None = None
        """The model chosen in the list that has to be downloaded before it can be used."""
        self._model_shown = store.current.matting.model
        self.download = DownloadControls(tasks)
        self._model = combo(self.tr("Model"), self.tr("The network that separates you from the background"),
                            "modelCombo")  # fmt: skip
        self.add_row(self._model.accessibleName(), self._model)
        self._used = self.add_hint()
        self._missing = self.add_hint(object_name="modelMissing")
        self._own = self.add_hint(object_name="ownWeights")
        self.plate = PlateControls(store, tasks)
        installed = self.tr("Use the installed weights")
        self.add(
            self.download,
            self.make_removal("matting.weights", installed, self.tr("Use no file of your own; the file stays")),
            self.plate,
        )
        self.download.chosen.connect(partial(self.store.set, "matting.weights"))
        self._model.activated.connect(lambda _row: self._choose(str(self._model.currentData())))
        self.download.succeeded.connect(self._use_downloaded)
        self.on_settings(self._show)
        self._show_used(None)

    @property
    def missing_model(self) -> WeightSpec | None:
        """The model of the settings if it is not installed, so that another one is used in its place."""
        matting = self.store.current.matting
        return self._missing_spec(matting.model) if matting.weights is None else None

    def reload(self) -> None:
        """Check again which models are installed."""
        self._tasks.run(services.models, self._set_reports)

    def show_status(self, status: PipelineStatus) -> None:
        """Name the model in use where it differs from the chosen one."""
        self._show_used(status.engine)
        self.plate.show_status(status)

    def _show_used(self, engine: EngineInfo | None) -> None:
        """Show the model in use; the row of "Automatic" is there before it is known, so that the page does not jump."""
        model = self.store.current.matting.model
        used = engine.model if engine is not None else model
        self._used.setText(self.tr("In use: {0}").format(describe_model(used)) if used != model else "")
        self._used.setVisible(used != model or model == "auto")

    def open_model_list(self) -> None:
        """Open the list of models."""
        self._model.setFocus()
        self._model.showPopup()

    def download_missing(self) -> None:
        """Download the model of the settings, which is not installed."""
        self._pending = self.store.current.matting.model
        self.refresh()
        self.download.start()

    def _missing_spec(self, name: str) -> WeightSpec | None:
        """Return a model if it is not installed."""
        return next((each.spec for each in self._reports if each.spec.name == name and each.path is None), None)

    def _choose(self, name: str) -> None:
        if self._missing_spec(name) is not None:
            self._pending = name
        else:
            self._pending = None
            self.store.set("matting.model", name)
        self.refresh()

    def _use_downloaded(self, name: str, file: Path) -> None:
        # The list is read again in the background; until then the button must not offer the download once more.
        self._reports = tuple(replace(one, path=file) if one.spec.name == name else one for one in self._reports)
        if self._pending == name:
            self._pending = None
            self.store.set("matting.model", name)
        self.reload()

    def _set_reports(self, reports: tuple[WeightReport, ...]) -> None:
        self._reports = reports
        self.refresh()

    def _show(self, settings: Settings) -> None:
        if settings.matting.model != self._model_shown:
            self._model_shown, self._pending = settings.matting.model, None
        model = self._pending or settings.matting.model
        fill_combo(self._model, self._entries(model), model)
        missing = self._missing_spec(model) if self._pending or settings.matting.weights is None else None
        text = ""
        if missing is not None:
            size = describe_size(missing) or self.tr("size unknown")
            text = self.tr("Not installed: {0}, licence {1}").format(size, missing.licence)
        say(self._missing, text)
        own = settings.matting.weights
        say(self._own, "" if own is None else self.tr("Weights: {0}").format(breakable(own.name)))
        self.download.offer(missing)

    def _entries(self, model: str) -> list[tuple[str, object]]:
        entries: list[tuple[str, object]] = [(describe_model("auto"), "auto")]
        for report in sorted(self._reports, key=lambda report: report.path is None):
            text = describe_model(report.spec.name)
            if report.path is not None:
                entries.append((text, report.spec.name))
            elif report.spec.url is not None:  # a click can install it
                size = describe_size(report.spec)
                entries.append((self.tr("{0} – download {1}").format(text, size).strip(), report.spec.name))
        if model not in (data for _text, data in entries):
            entries.append((describe_model(model), model))
        return entries


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
