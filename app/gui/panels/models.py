"""Models: their choice and download, the kind of edge, and what experts ask for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QPoint, QRect, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QApplication, QProgressBar, QWidget

from app.core.paths import assets_dir
from app.core.process import LINUX
from app.core.settings import EdgeSettings
from app.gui.panels.form import Form, say
from app.gui.panels.plate import PlateControls
from app.gui.questions import UserFolder, ask_for_file
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import describe_model, tr, translated_error
from app.gui.widgets.controls import SCALES, Segments, button, combo, describe, fill_combo, selectable
from app.gui.widgets.page import FoldingRow, breakable
from app.gui.widgets.qt import AfterLayout, column, copy_text, reveal, scaled, timer
from app.matting.choice import choice, hardware
from app.matting.choice.choice import FineQuality
from app.matting.interface import EngineInfo
from app.runtime.status import PipelineStatus
from app.settings import Settings
from models import weights
from models.table import WeightSpec, bundled, recommended
from models.weights import WeightReport

MEGABYTE = 1_000_000
STANDARD, FINE = bundled().name, recommended().name
QUALITIES = ("auto", STANDARD, FINE)
"""The models that the buttons of the quality stand for, in their order."""


class _Cancelled(Exception):
    """The user cancelled the download."""


class _Fetch:
    """A download, or a copy, of a model. Cancelled, it may go on until its server answers, and changes nothing then."""

    def __init__(self, model: str) -> None:
        self.model = model
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Let it end at its next step."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise _Cancelled if it was cancelled (on the thread of the download)."""
        if self._cancelled.is_set():
            raise _Cancelled


class Models(QObject):
    """What is known of the models, which one is wanted, and its download: the panels and the assistant show it.

    A model that is not installed is only wanted: the settings change after its download.
    """

    changed = pyqtSignal()
    installed = pyqtSignal()
    """A model was installed: what failed without it can be tried again."""
    _progressed = pyqtSignal(object, int, int)
    """A _Fetch, kilobytes received and in total."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self.store, self._tasks = store, tasks
        self.reports: tuple[WeightReport, ...] = ()
        """Every model but `auto`, and its file if it is installed; empty before they were looked for."""
        self.fine: FineQuality | None = None
        """What finer quality takes; None before it was looked for."""
        self.wanted: str | None = None
        """The model to use once it is installed."""
        self.failure = ""
        """Why the last download failed."""
        self.progress = 0, 0
        """Of the download: (kilobytes received, kilobytes in total; 0 where that is unknown)"""
        self._running: _Fetch | None = None
        self._shown = store.current.matting
        self.engine: EngineInfo | None = None
        """The one in use."""
        self._progressed.connect(self._show_progress)
        store.changed.connect(self._follow)

    @property
    def running(self) -> bool:
        """Whether a download runs."""
        return self._running is not None

    @property
    def missing_model(self) -> WeightSpec | None:
        """The model of the settings if it is not installed, so that another one is used in its place."""
        matting = self.store.current.matting
        return self.missing(matting.model) if matting.weights is None else None

    @property
    def offered(self) -> WeightSpec | None:
        """The model that can be installed now: the wanted one, or that of the settings."""
        return self.missing_model if self.wanted is None else self.missing(self.wanted)

    def missing(self, name: str) -> WeightSpec | None:
        """Return a model if it is not installed."""
        return next((each.spec for each in self.reports if each.spec.name == name and each.path is None), None)

    def reload(self) -> None:
        """Look again at what is installed and measured."""
        matting = self.store.current.matting
        self._tasks.run(lambda: (weights.describe(), choice.fine_quality(matting)), self._take, newest=True)

    def show_status(self, status: PipelineStatus) -> None:
        """Look again with each engine: a model may have been installed, or measured."""
        if status.engine != self.engine:
            self.engine = status.engine
            self.changed.emit()
            self.reload()

    def choose(self, name: str) -> None:
        """Use a model with its own weights, once it is installed. The download of another one ends."""
        if self._running is not None and self._running.model != name:
            self.stop()
        self.wanted = name
        self.failure = ""
        self._use_wanted()

    def forget(self) -> None:
        """Want no model that is not installed, and end its download."""
        self.stop()
        self.wanted = None
        self.changed.emit()

    def download(self) -> None:
        """Download the offered model; ignored while a download runs."""
        offered = self.offered
        if offered is None:
            return
        from models.download import download  # the window starts without it

        fetch = _Fetch(offered.name)

        def progress(received: int, total: int | None) -> None:
            self._progressed.emit(fetch, received // 1000, (total or 0) // 1000)

        self._begin(fetch, partial(download, fetch.model, progress, check=fetch.check))

    def install(self, name: str, file: Path) -> None:
        """Install a model from a file that was downloaded elsewhere."""
        from models.download import install

        self._begin(_Fetch(name), partial(install, name, file))

    def stop(self) -> None:
        """Cancel a running download at once, also where its server does not answer.

        Received data is kept, so that the next download resumes.
        """
        if self._running is not None:
            self._running.cancel()
            self._forget_running()
            self.changed.emit()

    def _begin(self, fetch: _Fetch, work: Callable[[], Path]) -> None:
        if self._running is None:
            self._running = fetch
            self.wanted = fetch.model
            self.failure = ""
            self._tasks.run(work, partial(self._end, fetch), partial(self._fail, fetch))
            self.changed.emit()

    def _forget_running(self) -> None:
        self._running = None
        self.progress = 0, 0

    def _end(self, fetch: _Fetch, file: Path) -> None:
        name = fetch.model
        if fetch is not self._running:  # cancelled when it was done already: it is installed, and not used
            self.reload()
            return
        self._forget_running()
        # Until they are read again, the download must not be offered once more.
        self.reports = tuple(replace(one, path=file) if one.spec.name == name else one for one in self.reports)
        self._use_wanted()
        self.installed.emit()
        self.reload()

    def _fail(self, fetch: _Fetch, error: Exception) -> None:
        if fetch is self._running:
            self._forget_running()
            self.failure = translated_error(error)
            self.changed.emit()

    def _use_wanted(self) -> None:
        if self.wanted is not None and self.missing(self.wanted) is None:
            name, self.wanted = self.wanted, None
            self.store.edit("matting", model=name, weights=None)
        self.changed.emit()

    def _take(self, found: tuple[tuple[WeightReport, ...], FineQuality]) -> None:
        self.reports, self.fine = found
        self.changed.emit()

    def _show_progress(self, fetch: _Fetch, received: int, total: int) -> None:
        if fetch is self._running:
            self.progress = received, total
            self.changed.emit()

    def _follow(self, settings: Settings) -> None:
        """Want no other model any more where one was chosen elsewhere."""
        before, self._shown = self._shown, settings.matting
        if self._shown.model != before.model:
            self.wanted, self.failure = None, ""
        if self._shown != before:
            self.changed.emit()


class DownloadControls(QWidget):
    """Downloads the model that is offered, or takes a file from elsewhere, also while none is offered."""

    def __init__(self, models: Models, name: str = "download") -> None:
        """name: begins the object names of the controls."""
        super().__init__()
        self._models = models
        self._bar = QProgressBar()
        describe(self._bar, tr("Download"), tr("Progress of the download"), f"{name}Progress")
        self._get = button(tr("Download"), tr("Download and use this model"), f"{name}Button", models.download,
                           name=tr("Download the model"))  # fmt: skip
        self._choose = button(tr("Choose file…"), tr("Use weights that you downloaded elsewhere or trained"),
                              f"{name}File", self._ask_for_file)  # fmt: skip
        self._copy = button(
            tr("Copy address"), tr("Copy the address, to download the file elsewhere"), f"{name}Address",
            self._copy_address, link=True,
        )  # fmt: skip
        self._stop = button(tr("Cancel"), tr("Stop the download"), f"{name}Cancel", models.stop,
                            name=tr("Cancel the download"))  # fmt: skip
        self._failure = selectable("", "warning")  # it names an address
        self._failure.setObjectName(f"{name}Failure")
        self._began_at: QWidget | None = None
        """The button that a download began with, while *Cancel* has the focus in its place."""
        self._revealing = AfterLayout(self._failure, self._reveal_failure)
        line = FoldingRow(self._get, self._choose, self._copy, self._bar, self._stop, grows=self._bar)
        column(self, line, self._failure, spacing=10)
        models.changed.connect(self._show)
        self._show()

    def _copy_address(self) -> None:
        spec = self._models.offered
        if spec is not None and spec.url is not None:
            copy_text(spec.url)

    def _ask_for_file(self) -> None:
        spec, models = self._models.offered, self._models
        title, take = tr("Choose a file with weights"), partial(models.store.set, "matting.weights")
        if spec is not None:
            title = tr("Choose the downloaded file ({0})").format(describe_size(spec) or spec.name)
            take = partial(models.install, spec.name)
        ask_for_file(self, title, take, folder=UserFolder.DownloadLocation)

    def _show(self) -> None:
        running, spec = self._models.running, self._models.offered
        offered = spec is not None and spec.url is not None and not running
        focused = QApplication.focusWidget()  # before Qt moves it away from a button that disappears
        if spec is not None:
            self._get.setText(download_caption(spec))
        self._get.setVisible(offered)
        self._choose.setVisible(not running)
        self._copy.setVisible(offered)
        received, total = self._models.progress
        self._bar.setRange(0, total)
        self._bar.setValue(received)
        self._bar.setVisible(received > 0)  # not before data arrives: a failed connection shows no progress
        self._stop.setVisible(running)
        self._keep_focus(focused, running=running)
        is_new = self._models.failure not in ("", self._failure.text())
        say(self._failure, self._models.failure)
        if is_new:
            self._revealing.start()

    def _keep_focus(self, focused: QWidget | None, *, running: bool) -> None:
        """Move the focus from a button that disappeared to the one in its place, and back after the download."""
        if running and focused in (self._get, self._choose, self._copy):
            self._began_at = focused
            self._stop.setFocus()
        elif not running and focused is self._stop and self._began_at is not None:
            back = self._began_at if self._began_at.isVisible() else self._choose
            back.setFocus()

    def _reveal_failure(self) -> None:
        """Scroll to the sentence about a failure, once it has its height."""
        if self._failure.isVisible():
            reveal(self._failure)


def describe_size(spec: WeightSpec) -> str:
    """Download size such as `15 MB`; empty where it is not known."""
    return f"{spec.bytes / MEGABYTE:.0f} MB" if spec.bytes else ""


def download_caption(spec: WeightSpec) -> str:
    """Caption of a download button, such as `Download (15 MB)`."""
    size = describe_size(spec)
    return tr("Download ({0})").format(size) if size else tr("Download")


_RATIO = SCALES["share"]
"""Of the slider of the detail."""
SHAPE = {"contrast": 0.0, "threshold": 0.5, "grow_px": 0, "feather_px": 0}
PRESETS: tuple[dict[str, float], ...] = ({**SHAPE, "feather_px": 4}, SHAPE, {**SHAPE, "contrast": 0.4})
"""Settings of the edge's shape, soft, normal and crisp; smoothing over time and colour fringe do not depend on it."""


class QualityControls(Form):
    """Chooses the model, installed ones first, with its plate; its detail, the edge, and what counts as a person."""

    def __init__(self, models: Models, tasks: Tasks) -> None:
        store = models.store
        super().__init__(store)
        self._models = models
        self.list = combo(tr("Model"), tr("The network that separates you from the background"), "modelCombo")
        self.list.activated.connect(lambda _row: models.choose(str(self.list.currentData())))
        self.add_row(self.list.accessibleName(), self.list)
        self._used = self.add_hint()
        self._missing = self.add_hint(object_name="modelMissing")
        self._own = self.add_hint(object_name="ownWeights")
        self.plate = PlateControls(store, tasks)
        installed = tr("Use the installed weights")
        self.add(
            DownloadControls(models),
            self.make_removal("matting.weights", installed, tr("Use no file of your own; the file stays")),
            self.plate,
        )
        models.changed.connect(self.refresh)
        self.on_settings(self._show)
        self._ratio = self.add_slider("matting.downsample_ratio", name="downsampleSlider")
        self._pixels = self.add_hint(object_name="downsampleSize")
        self.add_check(
            "matting.downsample_ratio", tr("Automatic detail"), tr("Choose the detail by the frame size"),
            self._set_auto, lambda ratio: ratio is None, "downsampleAuto",
        )  # fmt: skip
        self._add_edge()

    def show_status(self, status: PipelineStatus) -> None:
        """Show what the status says of the plate, and the input of the network in use."""
        self.plate.show_status(status)
        engine = status.engine
        if engine is None:
            self._pixels.hide()
            return
        if self.store.current.matting.downsample_ratio is None:
            self._ratio.show_value(round(engine.downsample_ratio * _RATIO.steps))
        say(self._pixels, tr("Input of the network: {0} × {1} px").format(*engine.small_size))

    def _show(self, settings: Settings) -> None:
        chosen, missing = settings.matting.model, self._models.offered
        used = chosen if self._models.engine is None else self._models.engine.model
        self._used.setText(tr("In use: {0}").format(describe_model(used)) if used != chosen else "")
        self._used.setVisible(used != chosen or chosen == "auto")  # before it is known: the page must not jump
        model = self._models.wanted or chosen
        fill_combo(self.list, self._entries(model), model)
        text = ""
        if missing is not None:
            size = describe_size(missing) or tr("size unknown")
            text = tr("Not installed: {0}, licence {1}").format(size, missing.licence)
        say(self._missing, text)
        own = settings.matting.weights
        say(self._own, "" if own is None else tr("Weights: {0}").format(breakable(own.name)))

    def _entries(self, model: str) -> list[tuple[str, object]]:
        entries: list[tuple[str, object]] = [(describe_model("auto"), "auto")]
        for report in sorted(self._models.reports, key=lambda report: report.path is None):
            text = describe_model(report.spec.name)
            if report.path is not None:
                entries.append((text, report.spec.name))
            elif report.spec.url is not None:  # a click can install it
                size = describe_size(report.spec)
                entries.append((tr("{0} – download {1}").format(text, size).strip(), report.spec.name))
        if model not in (data for _text, data in entries):
            entries.append((describe_model(model), model))
        return entries

    def _add_edge(self) -> None:
        store = self.store
        presets = Segments((
            (tr("Soft"), tr("A wide, soft edge"), "edge_soft"),
            (tr("Normal"), tr("The matte as the network computes it"), "edge_normal"),
            (tr("Crisp"), tr("A narrow, hard edge"), "edge_crisp"),
        ))  # fmt: skip
        presets.chosen.connect(lambda number: store.edit("matting.edges", **PRESETS[number]))
        self.on_settings(lambda settings: presets.show_chosen(_preset_of(settings.matting.edges)))
        self.add_row(tr("Edge"), presets)
        self.add_check(
            "edges.strict", tr("Hide things mistaken for people"), tr("Hides no part of a person"),
            lambda on: store.set("edges.strict", "balanced" if on else "off"), lambda level: level != "off",
        )  # fmt: skip
        self.rows("matting.governor")

    def _set_auto(self, automatic: bool) -> None:
        self.store.set("matting.downsample_ratio", None if automatic else self._ratio.slider.value() / _RATIO.steps)


def _preset_of(edges: EdgeSettings) -> int | None:
    """Return the number of the preset with these values; None while the sliders hold others."""
    fitting = (number for number, preset in enumerate(PRESETS) if preset.items() <= dict(edges).items())
    return next(fitting, None)


class AdvancedControls(Form):
    """Sliders of the edge, device, executor, precision, refiner and the backend of the virtual camera.

    Says which precision "Automatic" takes.
    """

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self._devices: tuple[tuple[str, str], ...] = (("cpu", "CPU"),)
        self.rows(
            "edges.contrast", "edges.threshold", "edges.grow_px", "edges.feather_px", "edges.temporal_smoothing",
            "edges.despill",
        )  # fmt: skip
        defaults = {field: getattr(EdgeSettings(), field) for field in (*SHAPE, "temporal_smoothing", "despill")}
        self.add_link(tr("Reset edge"), tr("Use the matte as the network computes it"), "edgeReset",
                      lambda: store.edit("matting.edges", **defaults),
                      lambda now: not defaults.items() <= dict(now.matting.edges).items())  # fmt: skip
        self.device = self.row(
            "matting.device",
            lambda: [(tr("Automatic"), "auto"), *((name, value) for value, name in self._devices)],
        )
        self.rows("matting.executor", "matting.precision")
        self._precision = self.add_hint(object_name="precisionUsed")
        self.rows("matting.refiner", *(["output.virtual_camera_backend"] if LINUX else []))
        tasks.run(hardware.devices, self._show_devices)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the precision of the network in use."""
        if status.engine is not None:
            say(self._precision, tr("In use: {0}").format(status.engine.precision))

    def _show_devices(self, devices: tuple[tuple[str, str], ...]) -> None:
        self._devices = devices
        self.refresh()


SAMPLE = assets_dir() / "quality.jpg"
"""The same detail with both networks beside each other: a gap, where one shows the wall (`tools/quality_sample.py`)."""
SAMPLE_PX = 80
"""Height of the sample, in the usual font."""
SAMPLE_GAP_PX = 4
"""Between its halves."""
MEASURED_MS = 3000
"""Interval at which it is looked for a measurement that runs beside the picture."""


class Sample(QWidget):
    """The sample over the whole width, each half below its button; what has no room is cut."""

    def __init__(self) -> None:
        super().__init__()
        self._picture = QPixmap(str(SAMPLE))
        self.setFixedHeight(scaled(SAMPLE_PX, self))
        self.setAccessibleName(tr("The gap beside an arm in standard and in fine quality"))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        half = self._picture.width() // 2
        width = (self.width() - SAMPLE_GAP_PX) // 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = QRect(0, 0, width, self.height())
        part = place.size().scaled(half, self._picture.height(), Qt.AspectRatioMode.KeepAspectRatio)
        for number in range(2):
            source = QRect(QPoint(number * half, 0), part)
            painter.drawPixmap(place.translated(number * (width + SAMPLE_GAP_PX), 0), self._picture, source)


class QualityChoice(Form):
    """Auto, Standard and Fine, which stand for models; none is pressed while another model is used.

    Fine takes effect after its download; until then the settings stay as they are.
    """

    def __init__(self, models: Models, *, suggests: bool = False) -> None:
        """suggests: whether Fine is pressed at first where it is recommended."""
        super().__init__(models.store)
        self._models, self._suggests = models, suggests
        self._again = timer(self, MEASURED_MS, models.reload, once=True)
        self._choice = Segments((
            (tr("Auto"), tr("Fine where this computer has the time for it, else standard"), "qualityAutomatic"),
            (tr("Standard"), tr("Comes with Mattecam and needs little of this computer"), "qualityStandard"),
            (tr("Fine"), tr("Cleaner gaps, edges and hair; needs more of this computer"), "qualityFine"),
        ))  # fmt: skip
        self._download = DownloadControls(models, "fineDownload")
        self.add(self._choice, Sample())
        self._about = self.add_hint(object_name="qualityAbout")
        self.add(self._download)
        self._choice.chosen.connect(self._choose)
        models.changed.connect(self._follow)
        self.on_settings(self._show)

    def _follow(self) -> None:
        found = self._models.fine
        if found is not None and found.share is None:
            if self.isVisible():
                self._again.start()
        elif found is not None and self._suggests and self.store.current.matting.model == "auto":
            self._suggests = False
            if found.recommended and self._models.missing(FINE) is not None:
                self._models.choose(FINE)
        self.refresh()

    def _choose(self, number: int) -> None:
        self._suggests = False
        self._models.choose(QUALITIES[number])

    def _show(self, settings: Settings) -> None:
        found, wanted, offered = self._models.fine, self._models.wanted, self._models.offered
        self._download.setVisible(offered is not None and offered.name == FINE)
        if found is None:
            return
        used = found.automatic if settings.matting.model == "auto" else settings.matting.model
        chosen = wanted or settings.matting.model
        number = QUALITIES.index(chosen) if chosen in QUALITIES else None
        self._choice.show_chosen(number)
        about = self._cost(found)
        if number is None:
            about = tr("In use: {0}").format(describe_model(used))
        elif chosen == "auto":
            about = tr("In use: {0}. {1}").format(describe_model(used), about)
        say(self._about, f"{about} {tr('Fine is used once it is downloaded.')}" if wanted == FINE else about)

    def _cost(self, found: FineQuality) -> str:
        """Return what Fine needs of this computer."""
        if found.share is None:
            return tr("How much Fine uses of this computer is not measured yet.")
        if not found.holds_rate:
            return tr("Fine is too slow for 30 frames per second on this computer.")
        share = 5 * max(1, round(20 * min(found.share, 1)))  # in steps that a measurement can tell
        if found.recommended:
            return tr("Recommended: Fine uses about {0} % of this computer.").format(share)
        return tr("Fine uses about {0} % of this computer.").format(share)
