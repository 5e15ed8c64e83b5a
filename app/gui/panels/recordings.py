"""Where recordings and snapshots are saved, and with which microphone."""

from __future__ import annotations

from pathlib import Path

from app.gui.dialogs.questions import ask_for_folder
from app.gui.panels.form import Form
from app.gui.panels.microphone import MicrophoneControls
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button
from app.gui.widgets.page import field_row
from app.gui.widgets.signals import follow
from app.runtime.status import PipelineStatus


class RecordingControls(Form):
    """Chooses folder and microphone, and names the recording in progress."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__(store)
        self._preferences = preferences
        self.folder = button("", self.tr("Recordings and snapshots are saved here"), "recordingsFolder",
                             self.ask_for_folder, name=self.tr("Folder for recordings"))  # fmt: skip
        self.microphone = MicrophoneControls(store)
        self.add(field_row(self.tr("Folder"), self.folder), self.microphone)
        self._recording = self.add_hint()
        follow(preferences.changed, self, lambda _new: self._show_folder())
        self._show_folder()

    def show_status(self, status: PipelineStatus) -> None:
        """Name the recording in progress."""
        name = "" if status.recording is None else Path(status.recording).name
        self._recording.setText(self.tr("Recording {0}").format(name) if name else "")
        self._recording.setVisible(bool(name))

    def ask_for_folder(self) -> None:
        """Ask for the folder of recordings and snapshots."""
        title = self.tr("Folder for recordings")
        ask_for_folder(
            self, title, lambda path: self._preferences.change(recordings_dir=path), self._preferences.recordings_dir
        )

    def _show_folder(self) -> None:
        folder = self._preferences.recordings_dir
        self.folder.setText(folder.name)
        self.folder.setToolTip(str(folder))
