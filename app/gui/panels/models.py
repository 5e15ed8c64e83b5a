"""Models: what is known of them, which one the user wants, and its download."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QApplication, QProgressBar, QWidget

from app.gui.panels.form import say
from app.gui.questions import UserFolder, ask_for_file
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr, translated_error
from app.gui.widgets.controls import button, describe, selectable
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import AfterLayout, column, copy_text, reveal
from app.matting.choice import choice
from app.matting.choice.choice import FineQuality
from app.matting.interface import EngineInfo
from app.runtime.status import PipelineStatus
from app.settings import Settings
from models import weights
from models.table import WeightSpec
from models.weights import WeightReport

MEGABYTE = 1_000_000


class _Cancelled(Exception):
    """The user cancelled the download."""


class _Fetch:
    """A download, or a copy, of a model.

    Cancelled, it may go on until its server answers, and changes nothing then.
    """

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
    """What is known of the models, which one the user wants, and its download.

    The panels and the assistant show it. A model that is not installed is only wanted: the settings
    change after its download.
    """

    changed = pyqtSignal()
    # A model was installed: what failed without it can be tried again.
    installed = pyqtSignal()
    # A _Fetch, kilobytes received and in total.
    _progressed = pyqtSignal(object, int, int)

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self.store = store
        self._tasks = tasks
        # Every model but `auto`, and its file if it is installed; empty before they
        # were looked for.
        self.reports: tuple[WeightReport, ...] = ()
        # None before it was looked for.
        self.fine: FineQuality | None = None
        # The model to use once it is installed.
        self.wanted: str | None = None
        # Why the last download failed; empty where it did not.
        self.failure = ""
        # Kilobytes received, and in total; 0 where that is unknown.
        self.progress = (0, 0)
        self._running: _Fetch | None = None
        self._shown = store.current.matting
        # In use.
        self.engine: EngineInfo | None = None
        self._progressed.connect(self._show_progress)
        store.changed.connect(self._follow)

    @property
    def running(self) -> bool:
        """Whether a download runs."""
        return self._running is not None

    @property
    def missing_model(self) -> WeightSpec | None:
        """The model of the settings, if another one is used in place of it.

        That is so where it is not installed.
        """
        matting = self.store.current.matting
        if matting.weights is not None:
            return None
        return self.missing(matting.model)

    @property
    def offered(self) -> WeightSpec | None:
        """The model that can be installed now: the wanted one, or that of the settings."""
        if self.wanted is None:
            return self.missing_model
        return self.missing(self.wanted)

    def missing(self, name: str) -> WeightSpec | None:
        """Return a model if it is not installed."""
        for report in self.reports:
            if report.spec.name == name and report.path is None:
                return report.spec
        return None

    def reload(self) -> None:
        """Look again at what is installed and measured."""
        matting = self.store.current.matting

        def look() -> tuple[tuple[WeightReport, ...], FineQuality]:
            return weights.describe(), choice.fine_quality(matting)

        self._tasks.run(look, self._take, newest=True)

    def show_status(self, status: PipelineStatus) -> None:
        """Look again with each engine: a model may have been installed, or measured."""
        if status.engine != self.engine:
            self.engine = status.engine
            self.changed.emit()
            self.reload()

    def choose(self, name: str) -> None:
        """Use a model with its own weights, once it is installed.

        The download of another one ends.
        """
        if self._running is not None and self._running.model != name:
            self.stop()
        self.wanted = name
        self.failure = ""
        self._use_wanted()

    def forget(self) -> None:
        """Drop the wish for a model that is not installed, and end its download."""
        self.stop()
        self.wanted = None
        self.changed.emit()

    def download(self) -> None:
        """Download the offered model; ignored while a download runs."""
        offered = self.offered
        if offered is None:
            return
        # Late: the window starts without it.
        from models.download import download

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
        self.progress = (0, 0)

    def _end(self, fetch: _Fetch, file: Path) -> None:
        name = fetch.model
        # Cancelled when it was done already: it is installed, and not used.
        if fetch is not self._running:
            self.reload()
            return
        self._forget_running()
        # Until they are read again, the download must not be offered once more.
        reports = []
        for report in self.reports:
            is_installed_now = report.spec.name == name
            reports.append(replace(report, path=file) if is_installed_now else report)
        self.reports = tuple(reports)
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
            name = self.wanted
            self.wanted = None
            self.store.edit("matting", model=name, weights=None)
        self.changed.emit()

    def _take(self, found: tuple[tuple[WeightReport, ...], FineQuality]) -> None:
        reports, fine = found
        self.reports = reports
        self.fine = fine
        self.changed.emit()

    def _show_progress(self, fetch: _Fetch, received: int, total: int) -> None:
        if fetch is self._running:
            self.progress = (received, total)
            self.changed.emit()

    def _follow(self, settings: Settings) -> None:
        """Drop the wish for another model where one was chosen elsewhere."""
        before = self._shown
        self._shown = settings.matting
        if self._shown.model != before.model:
            self.wanted = None
            self.failure = ""
        if self._shown != before:
            self.changed.emit()


class DownloadControls(QWidget):
    """Downloads the model that is offered, or takes a file from elsewhere.

    It takes a file also while no model is offered.
    """

    def __init__(self, models: Models, name: str = "download") -> None:
        """name: begins the object names of the controls."""
        super().__init__()
        self._models = models
        self._bar = QProgressBar()
        describe(self._bar, tr("Download"), tr("Progress of the download"), f"{name}Progress")
        self._get = button(
            tr("Download"),
            tr("Download and use this model"),
            f"{name}Button",
            models.download,
            name=tr("Download the model"),
        )
        self._choose = button(
            tr("Choose file…"),
            tr("Use weights that you downloaded elsewhere or trained"),
            f"{name}File",
            self._ask_for_file,
        )
        self._copy = button(
            tr("Copy address"),
            tr("Copy the address, to download the file elsewhere"),
            f"{name}Address",
            self._copy_address,
            link=True,
        )
        self._stop = button(
            tr("Cancel"),
            tr("Stop the download"),
            f"{name}Cancel",
            models.stop,
            name=tr("Cancel the download"),
        )
        # Its text can be copied: it names an address.
        self._failure = selectable("", "warning")
        self._failure.setObjectName(f"{name}Failure")
        # The button that a download began with, while *Cancel* has the focus in its
        # place.
        self._began_at: QWidget | None = None
        self._revealing = AfterLayout(self._failure, self._reveal_failure)
        line = FoldingRow(
            self._get,
            self._choose,
            self._copy,
            self._bar,
            self._stop,
            grows=self._bar,
        )
        column(self, line, self._failure, spacing=10)
        models.changed.connect(self._show)
        self._show()

    def _copy_address(self) -> None:
        spec = self._models.offered
        if spec is not None and spec.url is not None:
            copy_text(spec.url)

    def _ask_for_file(self) -> None:
        spec = self._models.offered
        models = self._models
        title = tr("Choose a file with weights")
        take = partial(models.store.set, "matting.weights")
        if spec is not None:
            title = tr("Choose the downloaded file ({0})").format(describe_size(spec) or spec.name)
            take = partial(models.install, spec.name)
        ask_for_file(self, title, take, folder=UserFolder.DownloadLocation)

    def _show(self) -> None:
        running = self._models.running
        spec = self._models.offered
        can_download = spec is not None and spec.url is not None and not running
        # Asked first: Qt moves it away from a button that disappears.
        focused = QApplication.focusWidget()
        if spec is not None:
            self._get.setText(download_caption(spec))
        self._get.setVisible(can_download)
        self._choose.setVisible(not running)
        self._copy.setVisible(can_download)
        received, total = self._models.progress
        self._bar.setRange(0, total)
        self._bar.setValue(received)
        # Not before data arrives: a failed connection shows no progress.
        self._bar.setVisible(received > 0)
        self._stop.setVisible(running)
        self._keep_focus(focused, running=running)
        is_new = self._models.failure not in ("", self._failure.text())
        say(self._failure, self._models.failure)
        if is_new:
            self._revealing.start()

    def _keep_focus(self, focused: QWidget | None, *, running: bool) -> None:
        """Move the focus from a button that disappeared to the one in its place.

        After the download, it moves back.
        """
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
    if not spec.bytes:
        return ""
    return f"{spec.bytes / MEGABYTE:.0f} MB"


def download_caption(spec: WeightSpec) -> str:
    """Caption of a download button, such as `Download (15 MB)`."""
    size = describe_size(spec)
    if not size:
        return tr("Download")
    return tr("Download ({0})").format(size)
