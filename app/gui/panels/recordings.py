"""Where recordings and snapshots are saved, and the microphone with a level meter."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import QProgressBar

from app.core.settings import Settings
from app.gui.dialogs.questions import ask_for_folder
from app.gui.i18n.messages import translated_error
from app.gui.panels.form import Entries, Form, say
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, describe
from app.gui.widgets.page import breakable
from app.gui.widgets.qt import timer, tip_of
from app.output.sound.devices import MicrophoneName, open_microphone
from app.output.sound.microphone import Microphone, OpenSource
from app.runtime.status import PipelineStatus

METER_INTERVAL_MS = 80
DECAY = 0.8
"""Factor by which the meter falls per interval."""


class RecordingControls(Form):
    """Chooses folder and microphone, and names the recording in progress.

    While it is visible and a microphone is chosen, the device is open for the meter, except during a pause.
    """

    list_requested = pyqtSignal()
    """The controls are shown and need the list of microphones."""

    def __init__(self, store: SettingsStore, open_source: OpenSource = open_microphone) -> None:
        super().__init__(store)
        self._open_source = open_source
        self.folder = button("", self.tr("Recordings and snapshots are saved here"), "recordingsFolder",
                             self.ask_for_folder, name=self.tr("Folder for recordings"), names_file=True)  # fmt: skip
        self.add_row(self.tr("Folder"), self.folder)
        self._microphones: tuple[MicrophoneName, ...] = ()
        self._metered: Microphone | None = None
        self._error: Exception | None = None
        self.row("output.microphone", self.tr("Microphone"), self.tr("Sound of recordings"), self._entries)
        self._meter = QProgressBar()
        self._meter.setRange(0, 100)
        self._meter.setTextVisible(False)
        describe(self._meter, self.tr("Microphone level"), self.tr("Moves while you speak"), "microphoneLevel")
        self.add(self._meter)
        self._problem = self.add_hint()
        self._timer = timer(self, METER_INTERVAL_MS, self._show_level)
        self._recording = self.add_hint()
        self.on_settings(self._show)

    def show_microphones(self, microphones: tuple[MicrophoneName, ...]) -> None:
        """Take the microphones that exist."""
        self._microphones = microphones
        self.refresh()

    def show_status(self, status: PipelineStatus) -> None:
        """Name the recording in progress."""
        name = "" if status.recording is None else Path(status.recording).name
        say(self._recording, self.tr("Recording {0}").format(breakable(name)) if name else "")

    def ask_for_folder(self) -> None:
        """Ask for the folder of recordings and snapshots."""
        choose = partial(self.store.set, "window.recordings_dir")
        ask_for_folder(self, self.tr("Folder for recordings"), choose, self.store.recordings_dir)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Begin to measure the level."""
        super().showEvent(event)
        self.list_requested.emit()
        self._follow()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Release the microphone."""
        super().hideEvent(event)
        self._release()

    def _wanted(self) -> str | None:
        now = self.store.current
        return None if now.paused or now.output.microphone == "off" else now.output.microphone

    def _follow(self) -> None:
        """Open the microphone for the meter if it is needed, else release it."""
        if self._wanted() is None or not self.isVisible():
            self._release()
        elif self._metered is None:
            self._metered = Microphone(self._open_source, self._wanted, self._take_error)
            self._timer.start()

    def _release(self) -> None:
        self._timer.stop()
        self._meter.setValue(0)
        metered, self._metered, self._error = self._metered, None, None
        self._problem.hide()
        if metered is not None:
            metered.request_stop()  # closing a device may take a moment

    def _take_error(self, error: Exception | None) -> None:
        self._error = error  # on the microphone's thread; shown by the timer

    def _show_level(self) -> None:
        if self._metered is None:
            return
        self._metered.take()  # the meter keeps no sound
        fallen = self._meter.value() * DECAY
        self._meter.setValue(round(max(fallen, 100 * self._metered.level**0.5)))
        say(self._problem, "" if self._error is None else translated_error(self._error))

    def _entries(self) -> Entries:
        known = [(found.title, found.name) for found in self._microphones]
        return [(self.tr("Off"), "off"), (self.tr("Default"), "default"), *known]

    def _show(self, settings: Settings) -> None:
        folder = self.store.recordings_dir
        self.folder.setText(folder.name)
        self.folder.setToolTip(tip_of(str(folder)))
        self._meter.setVisible(settings.output.microphone != "off")
        self._follow()
