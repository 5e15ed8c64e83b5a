"""The window's view of the settings, which the pipeline owns, and their saving."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, QStandardPaths, pyqtSignal

from app.config import settings_file
from app.config.setting import with_value
from app.core.errors import SettingsError
from app.core.files import BrokenFileError
from app.core.settings import Settings, SettingsOwner, rebase
from app.gui.tasks import Tasks
from app.gui.widgets.qt import timer

CHOSEN_BY = {"image": "path", "video": "path", "colour": "colour"}
"""The field that chooses a background, by its kind: with the field, the kind is saved, also one of an option."""


class SettingsStore(QObject):
    """Changes settings, and keeps the version to be saved beside the one in effect.

    The two differ by command-line options, which apply to this run only. A change is applied to both, field by field.
    `change`, `current` and `saved` may be used on any thread; `changed` is emitted on the thread of this object.
    """

    changed = pyqtSignal(object)
    """The Settings in effect, after they changed."""
    _owner_changed = pyqtSignal()

    def __init__(self, owner: SettingsOwner, saved: Settings | None = None) -> None:
        super().__init__()
        self._owner = owner
        self._saved = owner.current if saved is None else saved
        self._notified = owner.current
        self._owner_changed.connect(self._notify)  # queued when emitted on another thread
        owner.listen(self._owner_changed.emit)

    @property
    def current(self) -> Settings:
        """The settings in effect."""
        return self._owner.current

    @property
    def saved(self) -> Settings:
        """The settings for the settings file: without recording, freeze and pause."""
        return self._saved.kept

    @property
    def recordings_dir(self) -> Path:
        """Folder of recordings and snapshots."""
        videos = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        return self.current.window.recordings_dir or Path(videos or Path.home()) / "Mattecam"

    def change(self, update: Callable[[Settings], Settings]) -> Settings:
        """Apply `update` to the settings in effect at once, on any thread; return the new ones.

        The fields that it changes are also changed in the settings to be saved.
        """
        return self._change(update, None)

    def undo(self) -> Callable[[Callable[[Settings], Settings]], Settings]:
        """Return what is used as `change` for an update that gives back settings of now.

        What was to be saved now is given back beside them: the two differ where an option of this run is undone.
        """
        return partial(self._change, saved_then=self._saved)

    def _change(self, update: Callable[[Settings], Settings], saved_then: Settings | None) -> Settings:
        def tracked(settings: Settings) -> Settings:
            new = update(settings)
            if saved_then is None and new.background.blur_strength != settings.background.blur_strength:
                # as it is shown: it may be saved beside a level that allows less
                new = new.replaced_at(["background"], blur_strength=new.shown_blur)
            saved = rebase(self._saved, settings, new, saved_then)
            chosen_by = CHOSEN_BY.get(new.background.kind)
            if chosen_by and getattr(new.background, chosen_by) != getattr(settings.background, chosen_by):
                saved = saved.replaced_at(["background"], kind=(saved_then or new).background.kind)
            self._saved = saved  # serialized by the owner's lock
            return new

        return self._owner.change(tracked)

    def edit(self, section: str, **changes: Any) -> None:
        """Change fields of one section, such as `background` or `matting.edges`."""
        self.change(lambda settings: settings.replaced_at(section.split("."), **changes))

    def set(self, name: str, value: object) -> None:
        """Change a setting by its name in `SETTINGS`, and what follows from it."""
        self.change(lambda settings: with_value(settings, name, value))

    def _notify(self) -> None:
        settings = self._owner.current
        if settings != self._notified:
            self._notified = settings
            self.changed.emit(settings)


DELAY_MS = 500


class Saver(QObject):
    """Saves the settings. Changes within half a second are one write.

    What could not be written is written with the next change, or by `write`.
    """

    failed = pyqtSignal(object)
    """The SettingsError of a write."""
    saved = pyqtSignal()
    """Everything is written."""

    def __init__(self, store: SettingsStore, path: Path, tasks: Tasks) -> None:
        super().__init__()
        self._store, self._path, self._tasks = store, path, tasks
        self._written = store.saved
        """What was written last; of the thread that writes."""
        self._timer = timer(self, DELAY_MS, self.write, once=True)
        store.changed.connect(self._timer.start)

    def write(self) -> None:
        """Write what is not written yet, after earlier writes; `Tasks.close` waits for it."""
        self._timer.stop()
        self._tasks.write(self._write, lambda _none: self.saved.emit(), self._fail)

    def _write(self) -> None:
        settings = self._store.saved
        if settings != self._written:
            settings_file.save(self._path, rebase(self._present or self._written, self._written, settings))
            self._written = settings

    @property
    def _present(self) -> Settings | None:
        """What the file holds, which another window may have changed; None where it cannot be used."""
        with suppress(BrokenFileError, OSError):
            return settings_file.read(self._path) if self._path.exists() else None
        return None

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, SettingsError):
            raise error
        self.failed.emit(error)
