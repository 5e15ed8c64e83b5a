"""What the mouse and the keys move in the preview."""

from __future__ import annotations

from typing import Literal

from PyQt6.QtCore import QObject, pyqtSignal

Target = Literal["camera", "person"]


class DragTarget(QObject):
    """The selected target. It belongs to the window and is not saved."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.target: Target = "camera"

    def choose(self, target: Target) -> None:
        """Select what dragging, the wheel and the keys change."""
        if target != self.target:
            self.target = target
            self.changed.emit()
