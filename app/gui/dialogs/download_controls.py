"""The download of one model: a button, progress, cancel, and a file in its place where there is no internet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, QObject, pyqtSignal
from PyQt6.QtWidgets import QProgressBar, QWidget

from app.core.errors import text_of
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.i18n.messages import translated
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, describe, label
from app.gui.widgets.focus import keep_focus
from app.gui.widgets.layout import column, row

translate = QCoreApplication.translate
MEGABYTE = 1_000_000


class _Cancelled(Exception):
    """The user cancelled the download."""


class Download(QObject):
    """One download at a time, on a task thread."""

    began = pyqtSignal()
    progressed = pyqtSignal(int, int)
    """(kilobytes received, kilobytes in total; 0 where that is unknown)"""
    ended = pyqtSignal()
    """The download succeeded, failed or was cancelled."""
    succeeded = pyqtSignal(str)
    """Name of the model."""
    failed = pyqtSignal(object)  # a str would lose the message of a Text
    """Why it failed, in one sentence."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._name = ""
        self._cancel: threading.Event | None = None

    @property
    def running(self) -> bool:
        """Whether a download runs."""
        return self._cancel is not None

    def start(self, name: str) -> None:
        """Download the weights of a model; ignored while a download runs."""
        cancel = threading.Event()

        def progress(received: int, total: int | None) -> None:
            if cancel.is_set():
                raise _Cancelled
            self.progressed.emit(received // 1000, (total or 0) // 1000)

        self._begin(name, cancel, partial(services.download, name, progress))

    def install(self, name: str, file: Path) -> None:
        """Install the weights of a model from a file that was downloaded elsewhere; ignored while a download runs."""
        self._begin(name, threading.Event(), partial(services.install_weights, name, file))

    def _begin(self, name: str, cancel: threading.Event, work: Callable[[], Path]) -> None:
        if self._cancel is None:
            self._name, self._cancel = name, cancel
            self._tasks.run(work, self._done, self._fail)
            self.began.emit()

    def cancel(self) -> None:
        """Cancel a running download. Received data is kept, so that the next download resumes."""
        if self._cancel is not None:
            self._cancel.set()

    def _done(self, _path: Path) -> None:
        self._cancel = None
        self.succeeded.emit(self._name)
        self.ended.emit()

    def _fail(self, error: Exception) -> None:
        self._cancel = None
        self.ended.emit()
        if not isinstance(error, _Cancelled):
            self.failed.emit(text_of(error))


class DownloadControls(QWidget):
    """Downloads the model that is offered; after a failure a file from elsewhere can be chosen."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self.download = Download(tasks, self)
        self._offered: services.ModelChoice | None = None
        self._failed = False
        self._bar = QProgressBar()
        describe(self._bar, self.tr("Download"), self.tr("Progress of the download"), "downloadProgress")
        self._get = button(self.tr("Download"), self.tr("Download and use this model"), "downloadButton", self.start,
                           name=self.tr("Download the model"))  # fmt: skip
        self._choose = button(self.tr("Choose file…"), self.tr("Use a file that you downloaded elsewhere"),
                              "downloadFile", self._ask_for_file)  # fmt: skip
        self._stop = button(self.tr("Cancel"), self.tr("Stop the download"), "downloadCancel", self.download.cancel,
                            name=self.tr("Cancel the download"))  # fmt: skip
        row(self, self._get, self._choose, self._bar, self._stop, grows=self._bar).addStretch(0)
        self.download.began.connect(self._show)
        self.download.progressed.connect(self._show_progress)
        self.download.failed.connect(self._note_failure)
        self.download.ended.connect(self._show)
        self._show()

    def offer(self, choice: services.ModelChoice | None) -> None:
        """Offer this model; None: there is nothing to download."""
        if choice is None or self._offered is None or choice.name != self._offered.name:
            self._failed = False
        self._offered = choice
        if choice is not None:
            self._get.setText(download_caption(choice))
        self._show()

    def start(self) -> None:
        """Download the offered model."""
        if self._offered is not None:
            with keep_focus(self._get):
                self.download.start(self._offered.name)

    def _ask_for_file(self) -> None:
        if self._offered is None:
            return
        name, size = self._offered.name, describe_size(self._offered)
        title = self.tr("Choose the downloaded file ({0})").format(size or name)
        ask_for_file(self, title, partial(self.download.install, name), folder=UserFolder.DOWNLOADS)

    def _note_failure(self) -> None:
        self._failed = True
        self._show()

    def _show_progress(self, received: int, total: int) -> None:
        self._bar.setRange(0, total)
        self._bar.setValue(received)
        self._bar.setVisible(self.download.running)  # not before data arrives: a failed connection shows no progress

    def _show(self) -> None:
        running, choice = self.download.running, self._offered
        offered = choice is not None and choice.downloadable and not running
        with keep_focus(self._stop):
            self._get.setVisible(offered)
            self._choose.setVisible(offered and self._failed)
            self._bar.setVisible(running and self._bar.value() > 0)
            if not running:
                self._bar.reset()
            self._stop.setVisible(running)


def describe_size(choice: services.ModelChoice) -> str:
    """Download size such as `15 MB`; empty where it is not known."""
    return f"{choice.bytes / MEGABYTE:.0f} MB" if choice.bytes else ""


def download_caption(choice: services.ModelChoice) -> str:
    """Caption of a download button, such as `Download (15 MB)`."""
    size = describe_size(choice)
    if not size:
        return translate("DownloadControls", "Download")
    return translate("DownloadControls", "Download ({0})").format(size)


class FinerHair(QWidget):
    """One sentence and one button. The downloaded model is used at once."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self._store, self._tasks = store, tasks
        self._text = label("", wrap=True)
        self._text.setObjectName("finerHair")
        self._failure = label("", "warning", wrap=True)
        self._failure.setObjectName("assistantFailure")
        self._controls = DownloadControls(tasks)
        self.download = self._controls.download
        column(self, self._text, self._controls, self._failure, spacing=12)
        self.download.began.connect(self._failure.clear)
        self.download.failed.connect(lambda sentence: self._failure.setText(translated(sentence)))
        self.download.succeeded.connect(self._use)

    def reload(self) -> None:
        """Check again whether the model is installed."""
        self._tasks.run(services.recommended_model, self._show)

    def _use(self, name: str) -> None:
        self._store.edit("matting", model=name)
        self.reload()

    def _show(self, choice: services.ModelChoice) -> None:
        if choice.installed:
            self._text.setText(self.tr("The model with finer hair is installed."))
        else:
            text = self.tr("Standard works now. For finer hair, download {0}.")
            self._text.setText(text.format(describe_size(choice)))
        self._controls.offer(None if choice.installed else choice)
