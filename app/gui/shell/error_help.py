"""What the button of the error bar does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.runtime.status import Stage

if TYPE_CHECKING:
    from app.gui.shell.main_window import MainWindow


def help_with(window: MainWindow, stage: Stage | None) -> None:
    """Lead the user to where the problem of a stage can be solved, and try again what can be."""
    if stage is Stage.CAPTURE:
        window.show_page(window.camera_page)
        window.camera_page.offer()
    elif stage is Stage.MATTING:
        window.show_page(window.matting_page)
        window.matting_page.network.offer()
    elif stage is Stage.BACKGROUND:
        window.store.edit("background", kind="blur")
    elif stage is Stage.VIRTUAL_CAMERA:
        window.show_virtual_camera_help()
    elif stage is Stage.RECORDING:
        window.store.edit("output", record=None)
        window.show_page(window.output_page)
        window.output_page.ask_for_folder()
    window.bridge.retry()
