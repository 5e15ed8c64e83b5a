"""The output page: virtual camera, mirroring, stand-by card, recordings."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, pyqtSignal

from app.core.settings import Settings
from app.gui.dialogs.questions import ask_for_folder
from app.gui.panels.microphone import MicrophoneControls
from app.gui.panels.overlay import OverlayControls
from app.gui.panels.standby import StandbyControls
from app.gui.panels.virtual_camera import VirtualCameraControls
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, check, describe, label
from app.gui.widgets.page import Page
from app.runtime.status import PipelineStatus


class OutputPage(Page):
    """Shows the output settings."""

    help_requested = pyqtSignal()
    """The user asks how to set up a virtual camera."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__()
        self._preferences = preferences
        self._virtual_camera = VirtualCameraControls(store)
        self._mirror = check(
            self.tr("Mirror the output"),
            self.tr("Also mirrors text in the video"),
            "mirrorOutputCheck",
        )
        self._folder = button("")
        describe(
            self._folder,
            self.tr("Folder for recordings"),
            self.tr("Recordings and snapshots are saved here"),
            "recordingsFolder",
        )
        self.microphone = MicrophoneControls(store)
        self._recording = label("", "faint", wrap=True)
        self.add_heading(self.tr("Virtual camera"))
        self.add(self._virtual_camera)
        self.add(self._mirror)
        self.add_heading(self.tr("Overlay"))
        self.add(OverlayControls(store))
        self.add_heading(self.tr("Pause"))
        self.add(StandbyControls(store))
        self.add_heading(self.tr("Recordings and snapshots"))
        self.add_field(self.tr("Folder"), self._folder)
        self.add(self.microphone)
        self.add(self._recording)
        self._virtual_camera.help_requested.connect(self.help_requested)
        self._mirror.toggled.connect(lambda on: store.edit("output", mirror=on))
        self._folder.clicked.connect(self.ask_for_folder)
        store.changed.connect(self._show)
        preferences.changed.connect(lambda _new: self._show_folder())
        self._show(store.current)
        self._show_folder()

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._virtual_camera.show_virtual_cameras(cameras)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the outputs in use."""
        self._virtual_camera.show_status(status)
        name = "" if status.recording is None else Path(status.recording).name
        self._recording.setText(self.tr("Recording {0}").format(name) if name else "")
        self._recording.setVisible(bool(name))

    def ask_for_folder(self) -> None:
        """Ask for the folder of recordings and snapshots."""
        title = self.tr("Folder for recordings")
        ask_for_folder(
            self, title, lambda path: self._preferences.change(recordings_dir=path), self._preferences.recordings_dir
        )

    def _show(self, settings: Settings) -> None:
        with QSignalBlocker(self._mirror):
            self._mirror.setChecked(settings.output.mirror)

    def _show_folder(self) -> None:
        folder = self._preferences.recordings_dir
        self._folder.setText(folder.name)
        self._folder.setToolTip(str(folder))
