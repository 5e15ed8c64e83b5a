"""Actions of the error bar's button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.gui.panels.side_panel import SidePanel
from app.gui.shell.windows import SecondaryWindows
from app.gui.state.store import SettingsStore
from app.gui.widgets.remedies import Remedy


@dataclass(frozen=True, slots=True)
class ErrorHelp:
    """Carries out remedies."""

    store: SettingsStore
    panel: SidePanel
    windows: SecondaryWindows
    retry: Callable[[], object]
    """Retry whatever failed."""

    def run(self, remedy: Remedy) -> None:
        """Do what the button offers, then retry."""
        actions: dict[Remedy, Callable[[], object]] = {
            Remedy.CAMERA: self._choose_camera,
            Remedy.SOURCE: self._choose_camera,
            Remedy.MODEL: self._choose_model,
            Remedy.MATTING_SETTINGS: lambda: self.panel.reveal(self.panel.expert.device),
            Remedy.SERVER: lambda: self.panel.reveal(self.panel.server.address),
            Remedy.PLATE: self.windows.open_plate_dialog,
            Remedy.BLUR: lambda: self.store.edit("background", kind="blur"),
            Remedy.VIRTUAL_CAMERA: self.windows.open_virtual_camera_help,
            Remedy.RECORDINGS_FOLDER: self._choose_recordings_folder,
            Remedy.KEYS: self.windows.open_shortcuts,
            Remedy.RETRY: lambda: None,
        }
        actions[remedy]()
        self.retry()

    def _choose_camera(self) -> None:
        self.panel.reveal(self.panel.camera)
        self.panel.camera.open_list()

    def _choose_model(self) -> None:
        self.panel.reveal(self.panel.quality)
        self.panel.quality.network.open_model_list()

    def _choose_recordings_folder(self) -> None:
        self.store.edit("output", record=None)
        self.panel.reveal(self.panel.recordings.folder)
        self.panel.recordings.ask_for_folder()
