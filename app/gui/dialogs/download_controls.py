"""The download of one model: a button, progress, cancel, and a file in its place where there is no internet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QProgressBar, QWidget

from app.core.errors import text_of
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.i18n.messages import tr
from app.gui.state import services
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, describe
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import copy_text, keep_focus
from models.spec import WeightSpec

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
        describe(self._bar, self.tr("Download"), self.tr("Progress of the download"), f"{name}Progress")
        self._get = button(self.tr("Download"), self.tr("Download and use this model"), f"{name}Button", self.start,
                           name=self.tr("Download the model"))  # fmt: skip
        self._choose = button(self.tr("Choose file…"), self.tr("Use weights that you downloaded elsewhere or trained"),
                              f"{name}File", self._ask_for_file)  # fmt: skip
        self._copy = button(
            self.tr("Copy address"), self.tr("Copy the address, to download the file elsewhere"), f"{name}Address",
            self._copy_address, link=True,
        )  # fmt: skip
        self._stop = button(self.tr("Cancel"), self.tr("Stop the download"), f"{name}Cancel", self.cancel,
                            name=self.tr("Cancel the download"))  # fmt: skip
        self.setLayout(FoldingRow(self._get, self._choose, self._copy, self._bar, self._stop, grows=self._bar))
        self._progressed.connect(self._show_progress)
        self._show()

    def offer(self, spec: WeightSpec | None) -> None:
        """Offer this model; None: there is nothing to download."""
        if spec != self._offered:
            self._copy.setText(self.tr("Copy address"))
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
            self._copy.setText(self.tr("Address copied"))

    def _ask_for_file(self) -> None:
        if self._offered is None:
            title = self.tr("Choose a file with weights")
            ask_for_file(self, title, self.chosen.emit, folder=UserFolder.DownloadLocation)
            return
        name, size = self._offered.name, describe_size(self._offered)
        title = self.tr("Choose the downloaded file ({0})").format(size or name)

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
