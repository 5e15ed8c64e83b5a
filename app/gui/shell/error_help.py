"""Actions of the error bar's button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.runtime.status import Stage


@dataclass(frozen=True, slots=True)
class ErrorActions:
    """What can be done about a problem, by the stage that reported it."""

    choose_camera: Callable[[], object]
    choose_model: Callable[[], object]
    blur_background: Callable[[], object]
    set_up_virtual_camera: Callable[[], object]
    choose_recordings_folder: Callable[[], object]
    retry: Callable[[], object]
    """Retry whatever failed."""

    def run(self, stage: Stage | None) -> None:
        """Run the action for `stage`, if it has one, then retry."""
        action = {
            Stage.CAPTURE: self.choose_camera,
            Stage.MATTING: self.choose_model,
            Stage.BACKGROUND: self.blur_background,
            Stage.VIRTUAL_CAMERA: self.set_up_virtual_camera,
            Stage.PIPEWIRE: self.set_up_virtual_camera,
            Stage.RECORDING: self.choose_recordings_folder,
        }.get(stage) if stage is not None else None  # fmt: skip
        if action is not None:
            action()
        self.retry()
