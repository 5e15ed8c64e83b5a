"""Preferences of the window, and their file. None of them affects the output."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from PyQt6.QtCore import QObject, QStandardPaths, pyqtSignal

from app.core.files.json_file import BrokenFileError, read_object, set_aside, write_object
from app.core.settings import COLOUR, CaptureSettings, Model

log = logging.getLogger(__name__)

Theme = Literal["system", "light", "dark"]
Language = Literal["system", "en", "de", "es"]


class WindowPreferences(Model):
    """Everything that the window remembers beside the settings."""

    version: Literal[1] = 1
    first_run_done: bool = False
    close_to_tray: bool | None = None
    """None: the user has not been asked yet."""
    mirror_preview: bool = True
    show_panel: bool = True
    all_settings: bool = False
    """Whether the side panel shows every setting, or only what most people need."""
    show_plot: bool = False
    show_readout: bool = True
    theme: Theme = "system"
    language: Language = "system"
    shortcuts_told: bool = False
    """The user was told that this desktop has no global shortcuts."""
    own_colour: Annotated[str, Field(pattern=COLOUR)] = "#3a5f8a"
    """The colour of the "Colour" tile; green has a tile of its own."""
    recordings_dir: Path | None = None
    """None: `Mattecam` in the user's video folder."""
    geometry: str = ""
    """Size and position of the window, as encoded by Qt, in base 64."""
    cameras: dict[str, CaptureSettings] = {}  # noqa: RUF012 - pydantic copies it
    """The last settings of each camera, by its stable id."""


def load(path: Path | None) -> WindowPreferences:
    """Read the preferences from a file, or return the defaults. A damaged file is kept as `.bad`."""
    if path is None:
        return WindowPreferences()
    try:
        data = read_object(path)
        return WindowPreferences() if data is None else WindowPreferences.model_validate(data)
    except (BrokenFileError, ValidationError) as error:
        log.warning("The window preferences %s cannot be used: %s", path, error)
        with suppress(OSError):
            set_aside(path)
    except OSError as error:
        log.warning("The window preferences %s cannot be read: %s", path, error)
    return WindowPreferences()


def save(path: Path, preferences: WindowPreferences) -> None:
    """Write the file atomically. Raises SettingsError."""
    write_object(path, preferences.model_dump(mode="json"))


OWN_STATE = ("version", "first_run_done", "geometry", "cameras", "shortcuts_told")
"""Fields that the user does not set."""


class PreferencesStore(QObject):
    """The current WindowPreferences. `current` and `change` may be used on any thread."""

    changed = pyqtSignal(object)
    """The new WindowPreferences, after every change; received on the thread of this object."""

    def __init__(self, current: WindowPreferences) -> None:
        super().__init__()
        self._current = current
        self._lock = threading.RLock()

    @property
    def current(self) -> WindowPreferences:
        """The current preferences."""
        return self._current

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that `ctl set` may change."""
        return tuple(name for name in WindowPreferences.model_fields if name not in OWN_STATE)

    @property
    def recordings_dir(self) -> Path:
        """Folder of recordings and snapshots."""
        videos = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        return self._current.recordings_dir or Path(videos or Path.home()) / "Mattecam"

    def change(self, **changes: Any) -> None:
        """Change fields."""
        with self._lock:
            if all(getattr(self._current, name) == value for name, value in changes.items()):
                return  # before the validation, which takes longer than all else that follows a status
            new = self._current.replace(**changes)
            if new != self._current:
                self._current = new
                self.changed.emit(new)  # under the lock, so that the newest comes last
