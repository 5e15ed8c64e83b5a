"""Holds the preferences of the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, QStandardPaths, pyqtSignal

from app.gui.state.preferences import WindowPreferences


class PreferencesStore(QObject):
    """The current WindowPreferences; emits `changed` after every change."""

    changed = pyqtSignal(object)
    """The new WindowPreferences."""

    def __init__(self, current: WindowPreferences) -> None:
        super().__init__()
        self._current = current

    @property
    def current(self) -> WindowPreferences:
        """The current preferences."""
        return self._current

    @property
    def recordings_dir(self) -> Path:
        """Folder of recordings and snapshots."""
        videos = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        return self._current.recordings_dir or Path(videos or Path.home()) / "Mattecam"

    def change(self, **changes: Any) -> None:
        """Change fields."""
        new = self._current.replace(**changes)
        if new != self._current:
            self._current = new
            self.changed.emit(new)
