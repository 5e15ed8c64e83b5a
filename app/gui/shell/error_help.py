"""Actions of the error bar's button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.gui.panels.side_panel import SidePanel
from app.gui.state.store import SettingsStore
from app.gui.widgets.remedies import Remedy


@dataclass(frozen=True, slots=True)
class ErrorHelp:
    """Carries out remedies."""

    store: SettingsStore
    panel: SidePanel
    take_plate: Callable[[], object]
    set_up_virtual_camera: Callable[[], object]
    show_keys: Callable[[], object]
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
            Remedy.PLATE: self.take_plate,
            Remedy.BLUR: lambda: self.store.edit("background", kind="blur"),
            Remedy.VIRTUAL_CAMERA: self.set_up_virtual_camera,
            Remedy.RECORDINGS_FOLDER: self._choose_recordings_folder,
            Remedy.KEYS: self.show_keys,
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
