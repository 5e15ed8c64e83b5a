"""Actions of the error bar's button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.gui.panels.camera import CameraPage
from app.gui.panels.matting import MattingPage
from app.gui.panels.output import OutputPage
from app.gui.state.store import SettingsStore
from app.gui.widgets.page import Page
from app.gui.widgets.remedies import Remedy


@dataclass(frozen=True, slots=True)
class ErrorHelp:
    """Carries out remedies."""

    store: SettingsStore
    camera_page: CameraPage
    matting_page: MattingPage
    output_page: OutputPage
    show_page: Callable[[Page], object]
    """Show a page of the side panel."""
    take_plate: Callable[[], object]
    set_up_virtual_camera: Callable[[], object]
    retry: Callable[[], object]
    """Retry whatever failed."""

    def run(self, remedy: Remedy) -> None:
        """Do what the button offers, then retry."""
        actions: dict[Remedy, Callable[[], object]] = {
            Remedy.CAMERA: self._choose_camera,
            Remedy.SOURCE: self._choose_camera,
            Remedy.MODEL: self._choose_model,
            Remedy.MATTING_SETTINGS: self._show_matting_settings,
            Remedy.SERVER: self._show_server,
            Remedy.PLATE: self.take_plate,
            Remedy.BLUR: lambda: self.store.edit("background", kind="blur"),
            Remedy.VIRTUAL_CAMERA: self.set_up_virtual_camera,
            Remedy.RECORDINGS_FOLDER: self._choose_recordings_folder,
            Remedy.RETRY: lambda: None,
        }
        actions[remedy]()
        self.retry()

    def _choose_camera(self) -> None:
        self.show_page(self.camera_page)
        self.camera_page.open_camera_list()

    def _choose_model(self) -> None:
        self.show_page(self.matting_page)
        self.matting_page.network.open_model_list()

    def _show_matting_settings(self) -> None:
        self.show_page(self.matting_page)
        self.matting_page.open_advanced()

    def _show_server(self) -> None:
        self.show_page(self.matting_page)
        self.matting_page.open_server()

    def _choose_recordings_folder(self) -> None:
        self.store.edit("output", record=None)
        self.show_page(self.output_page)
        self.output_page.ask_for_folder()
