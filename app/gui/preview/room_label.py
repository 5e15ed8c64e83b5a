"""A label with a picture of the user's room, such as a plate."""

from __future__ import annotations

from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import QLabel

from app.gui.state.store import SettingsStore


class RoomLabel(QLabel):
    """Paints no picture while the outputs may show the window, because they show a screen."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if self.pixmap().isNull() or not self._store.screen_captured:
            super().paintEvent(event)
