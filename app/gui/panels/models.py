"""Models: their choice and download, the kind of edge, and what experts ask for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QPoint, QRect, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QProgressBar, QWidget

from app.core.errors import text_of
from app.core.paths import assets_dir
from app.core.settings import EdgeSettings, Settings
from app.gui import services
from app.gui.panels.form import Form, say
from app.gui.panels.plate import PlateControls
from app.gui.questions import UserFolder, ask_for_file
from app.gui.store import SettingsStore
from app.gui.tasks import Tasks
from app.gui.translation import decimal, describe_model, tr, translated
from app.gui.widgets.controls import STEPS, Segments, button, combo, describe, fill_combo, selectable
from app.gui.widgets.page import FoldingRow, breakable
from app.gui.widgets.qt import copy_text, keep_focus, scaled, timer
from app.matting.base.interface import EngineInfo
from app.runtime.status import PipelineStatus
from app.system.process import LINUX
from models.table import WeightSpec, bundled
from models.weights import WeightReport

MEGABYTE = 1_000_000


class _Cancelled(Exception):
    """The user cancelled the download."""


class DownloadControls(QWidget):
    """Downloads the model that is offered, on a task thread; a file from elsewhere can be chosen at any time."""

    began = pyqtSignal()
    succeeded = pyqtSignal(str, object)
    """Name of the model, and its file."""
    failed = pyqtSignal(object)  # a str would lose the message of a Text
    """Why it failed, in one sentence."""
    chosen = pyqtSignal(object)
    """A file that was chosen while no model is offered."""
    _progressed = pyqtSignal(int, int)
    """(kilobytes received, kilobytes in total; 0 where that is unknown)"""

    def __init__(self, tasks: Tasks, name: str = "download") -> None:
        """name: begins the object names of the controls."""
        super().__init__()
        self._tasks = tasks
        self._offered: WeightSpec | None = None
        self._name = ""
        self._cancel: threading.Event | None = None
        """Ends the download that runs; None while there is none."""
        self._bar = QProgressBar()
        describe(self._bar, tr("Download"), tr("Progress of the download"), f"{name}Progress")
        self._get = button(tr("Download"), tr("Download and use this model"), f"{name}Button", self.start,
                           name=tr("Download the model"))  # fmt: skip
        self._choose = button(tr("Choose file…"), tr("Use weights that you downloaded elsewhere or trained"),
                              f"{name}File", self._ask_for_file)  # fmt: skip
        self._copy = button(
            tr("Copy address"), tr("Copy the address, to download the file elsewhere"), f"{name}Address",
            self._copy_address, link=True,
        )  # fmt: skip
        self._stop = button(tr("Cancel"), tr("Stop the download"), f"{name}Cancel", self.cancel,
                            name=tr("Cancel the download"))  # fmt: skip
        self.setLayout(FoldingRow(self._get, self._choose, self._copy, self._bar, self._stop, grows=self._bar))
        self._progressed.connect(self._show_progress)
        self._show()

    def offer(self, spec: WeightSpec | None) -> None:
        """Offer this model; None: there is nothing to download."""
        if spec != self._offered:
            self._copy.setText(tr("Copy address"))
        self._offered = spec
        if spec is not None:
            self._get.setText(download_caption(spec))
        self._show()

    def start(self) -> None:
        """Download the offered model; ignored while a download runs."""
        if self._offered is None:
            return
        name, cancel = self._offered.name, threading.Event()

        def progress(received: int, total: int | None) -> None:
            if cancel.is_set():
                raise _Cancelled
            self._progressed.emit(received // 1000, (total or 0) // 1000)

        with keep_focus(self._get):
            self._begin(name, cancel, partial(services.download_weights, name, progress))

    def cancel(self) -> None:
        """Cancel a running download. Received data is kept, so that the next download resumes."""
        if self._cancel is not None:
            self._cancel.set()

    def _copy_address(self) -> None:
        if self._offered is not None and self._offered.url is not None:
            copy_text(self._offered.url)
            self._copy.setText(tr("Address copied"))

    def _ask_for_file(self) -> None:
        if self._offered is None:
            title = tr("Choose a file with weights")
            ask_for_file(self, title, self.chosen.emit, folder=UserFolder.DownloadLocation)
            return
        name, size = self._offered.name, describe_size(self._offered)
        title = tr("Choose the downloaded file ({0})").format(size or name)

        def install(file: Path) -> None:
            self._begin(name, threading.Event(), partial(services.install_weights, name, file))

        ask_for_file(self, title, install, folder=UserFolder.DownloadLocation)

    def _begin(self, name: str, cancel: threading.Event, work: Callable[[], Path]) -> None:
        if self._cancel is None:
            self._name, self._cancel = name, cancel
            self._tasks.run(work, self._end, self._fail)
            self._show()
            self.began.emit()

    def _end(self, file: Path) -> None:
        self._cancel = None
        self.succeeded.emit(self._name, file)
        self._show()

    def _fail(self, error: Exception) -> None:
        self._cancel = None
        self._show()
        if not isinstance(error, _Cancelled):
            self.failed.emit(text_of(error))

    def _show_progress(self, received: int, total: int) -> None:
        self._bar.setRange(0, total)
        self._bar.setValue(received)
        self._bar.setVisible(self._cancel is not None)  # not before data arrives: a failed connection shows no progress

    def _show(self) -> None:
        running, spec = self._cancel is not None, self._offered
        offered = spec is not None and spec.url is not None and not running
        with keep_focus(self._stop):
            self._get.setVisible(offered)
            self._choose.setVisible(not running)
            self._copy.setVisible(offered)
            self._bar.setVisible(running and self._bar.value() > 0)
            if not running:
                self._bar.reset()
            self._stop.setVisible(running)


def describe_size(spec: WeightSpec) -> str:
    """Download size such as `15 MB`; empty where it is not known."""
    return f"{spec.bytes / MEGABYTE:.0f} MB" if spec.bytes else ""


def download_caption(spec: WeightSpec) -> str:
    """Caption of a download button, such as `Download (15 MB)`."""
    size = describe_size(spec)
    if not size:
        return tr("Download")
    return tr("Download ({0})").format(size)


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
        self._model = combo(tr("Model"), tr("The network that separates you from the background"),
                            "modelCombo")  # fmt: skip
        self.add_row(self._model.accessibleName(), self._model)
        self._used = self.add_hint()
        self._missing = self.add_hint(object_name="modelMissing")
        self._own = self.add_hint(object_name="ownWeights")
        self.plate = PlateControls(store, tasks)
        installed = tr("Use the installed weights")
        self.add(
            self.download,
            self.make_removal("matting.weights", installed, tr("Use no file of your own; the file stays")),
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
        self._used.setText(tr("In use: {0}").format(describe_model(used)) if used != model else "")
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
            size = describe_size(missing) or tr("size unknown")
            text = tr("Not installed: {0}, licence {1}").format(size, missing.licence)
        say(self._missing, text)
        own = settings.matting.weights
        say(self._own, "" if own is None else tr("Weights: {0}").format(breakable(own.name)))
        self.download.offer(missing)

    def _entries(self, model: str) -> list[tuple[str, object]]:
        entries: list[tuple[str, object]] = [(describe_model("auto"), "auto")]
        for report in sorted(self._reports, key=lambda report: report.path is None):
            text = describe_model(report.spec.name)
            if report.path is not None:
                entries.append((text, report.spec.name))
            elif report.spec.url is not None:  # a click can install it
                size = describe_size(report.spec)
                entries.append((tr("{0} – download {1}").format(text, size).strip(), report.spec.name))
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
            (tr("Soft"), tr("A wide, soft edge"), "edge_soft"),
            (tr("Normal"), tr("The matte as the network computes it"), "edge_normal"),
            (tr("Crisp"), tr("A narrow, hard edge"), "edge_crisp"),
        ))  # fmt: skip
        presets.chosen.connect(lambda number: store.edit("matting.edges", **PRESETS[number]))
        self.on_settings(lambda settings: presets.show_chosen(_preset_of(settings.matting.edges)))
        self.add_row(tr("Edge"), presets)
        self.row(
            "edges.strict", tr("Hide things mistaken for people"),
            tr("Off: nothing is hidden. Balanced: hides things mistaken for people, and nothing of a person."),
        )  # fmt: skip
        self.row(
            "matting.governor", tr("Lower quality when this computer is busy"),
            tr("Lowers automatic settings and the frame rate while this computer cannot keep up"),
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
            "matting.downsample_ratio", tr("Detail"),
            tr("Resolution of the network's input: more is finer and slower"),
        )  # fmt: skip
        self._pixels = self.add_hint(object_name="downsampleSize")
        self.add_check(
            "matting.downsample_ratio", tr("Automatic detail"), tr("Choose the detail by the frame size"),
            self._set_auto, lambda ratio: ratio is None, "downsampleAuto",
        )  # fmt: skip
        self.device = self.row(
            "matting.device", tr("Device"), tr("Processor that runs the network"),
            lambda: [(tr("Automatic"), "auto"), *((name, value) for value, name in self._devices)],
        )  # fmt: skip
        self.row("matting.executor", tr("Executor"), tr("Software that runs the network"))
        self.row("matting.precision", tr("Precision"), tr("Number format of the computation"))
        self._precision = self.add_hint(object_name="precisionChosen")
        self.row("matting.refiner", tr("Refiner"), tr("How the matte is upsampled"))
        if LINUX:
            self.row("output.virtual_camera_backend", tr("Virtual camera backend"),
                     tr("Library that writes to the virtual camera"))  # fmt: skip
        tasks.run(services.devices, self._show_devices)

    def _add_edge(self) -> None:
        self.row("edges.contrast", tr("Hardness"), tr("From the soft matte to a hard mask"))
        self.row("edges.threshold", tr("Threshold"),
                 tr("Alpha above which pixels stay when the edge is hardened"))  # fmt: skip
        self.row("edges.grow_px", tr("Shrink or grow"), tr("Moves the edge inward or outward"))
        self.row("edges.feather_px", tr("Feather outward"), tr("Softens the edge without eroding the person"))
        self.row("edges.temporal_smoothing", tr("Temporal smoothing"), tr("Reduces flicker of the edge"))
        self.row("edges.despill", tr("Remove colour fringe"), tr("Removes a green cast from hair and edges"))
        defaults = {field: getattr(EdgeSettings(), field) for field in (*SHAPE, "temporal_smoothing", "despill")}
        self.add_link(tr("Reset edge"), tr("Use the matte as the network computes it"), "edgeReset",
                      lambda: self.store.edit("matting.edges", **defaults))  # fmt: skip

    def show_status(self, status: PipelineStatus) -> None:
        """Show the input of the network in use, and its precision where OpenVINO has a choice that is measured."""
        engine = status.engine
        if engine is None:
            self._pixels.hide()
            return
        if self.store.current.matting.downsample_ratio is None:
            self._ratio.show_value(round(engine.downsample_ratio * STEPS))
        say(self._pixels, tr("Input of the network: {0} × {1} px").format(*engine.small_size))
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
            return tr("Automatic: {0} until this computer has been measured").format(taken)
        if choice.gain is None:
            return tr("Automatic: {0}").format(taken)
        if choice.gain <= 1:
            return tr("Automatic: {0}, the best choice on this computer").format(taken)
        return tr("Automatic: {0}, {1} times as fast as float32 on this computer").format(
            taken, decimal(choice.gain, 1)
        )


SAMPLE = assets_dir() / "quality.jpg"
"""The same detail with both networks beside each other; made by `tools/quality_sample.py`."""
SAMPLE_PX = 80
"""Height of the sample, in the usual font."""
MEASURED_MS = 3000
"""Interval at which it is looked for a measurement that runs beside the picture."""
STANDARD, FINE = 0, 1
"""Numbers of the buttons."""


class Sample(QWidget):
    """The sample over the whole width, each half below its button; what has no room is cut."""

    def __init__(self) -> None:
        super().__init__()
        self._picture = QPixmap(str(SAMPLE))
        self.setFixedHeight(scaled(SAMPLE_PX, self))
        self.setAccessibleName(tr("Hair in standard and in fine quality"))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter, half, width = QPainter(self), self._picture.width() // 2, self.width() // 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = QRect(0, 0, width, self.height())
        part = place.size().scaled(half, self._picture.height(), Qt.AspectRatioMode.KeepAspectRatio)
        for number in range(2):
            source = QRect(QPoint(number * half, 0), part)
            painter.drawPixmap(place.translated(number * width, 0), self._picture, source)


class QualityChoice(Form):
    """Standard and Fine, which stand for models; neither is pressed while another model is used.

    Fine takes effect after its download. Until then, and after a download that failed, the settings stay as they are.
    """

    def __init__(self, store: SettingsStore, tasks: Tasks, *, suggests: bool = False) -> None:
        """suggests: whether Fine is pressed at first where it is recommended."""
        super().__init__(store)
        self._tasks, self._suggests = tasks, suggests
        self._found: services.FineQuality | None = None
        self._wanted = False
        """Whether Fine is pressed, but still has to be downloaded."""
        self._again = timer(self, MEASURED_MS, self.reload, once=True)
        self._model = store.current.matting.model
        self._engine: EngineInfo | None = None
        self._choice = Segments((
            (tr("Standard"), tr("Comes with Mattecam and needs little of this computer"), "qualityStandard"),
            (tr("Fine"), tr("Cleaner edges and hair; needs more of this computer"), "qualityFine"),
        ))  # fmt: skip
        self.download = DownloadControls(tasks, "fineDownload")
        self.add(self._choice, Sample())
        self._about = self.add_hint(object_name="qualityAbout")
        self.add(self.download)
        self._failure = selectable("", "warning")  # it names an address
        self._failure.setObjectName("qualityFailure")
        self._failure.hide()
        self.add(self._failure)
        self._choice.chosen.connect(self._choose)
        self.download.began.connect(partial(self._choose, FINE))
        self.download.failed.connect(self._fail)
        self.download.succeeded.connect(self._install)
        self.on_settings(self._show)

    def reload(self) -> None:
        """Look again at what is installed and measured."""
        matting = self.store.current.matting
        self._tasks.run(lambda: services.fine_quality(matting), self._take)

    def show_status(self, status: PipelineStatus) -> None:
        """Look again with each engine: a model may have been installed, or measured."""
        if status.engine != self._engine:
            self._engine = status.engine
            self.reload()

    def _take(self, found: services.FineQuality) -> None:
        self._found = found
        if found.share is None and self.isVisible():
            self._again.start()
        elif self._suggests and self.store.current.matting.model == "auto":
            self._suggests, self._wanted = False, found.recommended and found.report.path is None
        self.refresh()

    def _choose(self, number: int) -> None:
        found = self._found
        if found is None:
            return
        say(self._failure, "")
        self._suggests = False
        self._wanted = number == FINE and found.report.path is None
        if number == STANDARD:
            self.download.cancel()
            self._use("auto" if found.automatic == bundled().name else bundled().name)
        elif not self._wanted:
            self._use(found.report.spec.name)
        self.refresh()

    def _use(self, model: str) -> None:
        self.store.edit("matting", model=model, weights=None)

    def _install(self, model: str, file: Path) -> None:
        if self._found is not None:  # until it is read again, the download must not be offered once more
            self._found = replace(self._found, report=replace(self._found.report, path=file))
        if self._wanted:
            self._wanted = False
            self._use(model)
        self.reload()

    def _fail(self, reason: str) -> None:
        self._wanted = False
        say(self._failure, translated(reason))
        self.refresh()

    def _show(self, settings: Settings) -> None:
        found, matting = self._found, settings.matting
        if matting.model != self._model:  # also where it was chosen elsewhere
            self._model, self._wanted = matting.model, False
        if found is None:
            return
        fine = found.report.spec.name
        used = found.automatic if matting.model == "auto" else matting.model
        shown = fine if self._wanted else used
        number = {bundled().name: STANDARD, fine: FINE}.get(shown)
        self._choice.show_chosen(number)
        about = tr("In use: {0}").format(describe_model(used)) if number is None else self._cost(found)
        say(self._about, f"{about} {tr('Fine is used once it is downloaded.')}" if self._wanted else about)
        failed = bool(self._failure.text()) and number is not None
        self._failure.setVisible(failed)
        in_settings = used == fine and matting.weights is None
        offered = found.report.path is None and (self._wanted or failed or in_settings)
        self.download.offer(found.report.spec if offered else None)
        self.download.setVisible(offered)

    def _cost(self, found: services.FineQuality) -> str:
        """Return what Fine needs of this computer."""
        if found.share is None:
            return tr("How much Fine uses of this computer is not measured yet.")
        if not found.holds_rate:
            return tr("Fine is too slow for 30 frames per second on this computer.")
        limits = (
            (0.06, tr("a small part")), (0.17, tr("about a tenth")), (0.29, tr("about a quarter")),
            (0.42, tr("about a third")), (0.62, tr("about half")), (0.87, tr("about three quarters")),
        )  # fmt: skip
        part = next((words for limit, words in limits if found.share < limit), tr("almost all"))
        if found.recommended:
            return tr("Recommended: Fine uses {0} of this computer.").format(part)
        return tr("Fine uses {0} of this computer.").format(part)
