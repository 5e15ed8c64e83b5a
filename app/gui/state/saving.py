"""Saves settings and preferences: shortly after they change on a task thread, and at exit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from app.config import settings_file
from app.core.errors import SettingsError
from app.gui.state import preferences as preferences_file
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks

DELAY_MS = 500


class Saver(QObject):
    """Saves to two files. Changes within half a second are one write.

    What could not be written is written with the next change, or by `retry`.
    """

    failed = pyqtSignal(object)
    """The SettingsError of a write."""
    saved = pyqtSignal()
    """Everything is written."""

    def __init__(
        self,
        store: SettingsStore,
        preferences: PreferencesStore,
        settings_path: Path,
        preferences_path: Path,
        tasks: Tasks,
    ) -> None:
        super().__init__()
        self._store = store
        self._preferences = preferences
        self._settings_path = settings_path
        self._preferences_path = preferences_path
        self._tasks = tasks
        self._written: tuple[object, object] = (store.saved, preferences.current)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.retry)
        store.changed.connect(self._timer.start)
        preferences.changed.connect(self._timer.start)

    def finish(self) -> None:
        """Write pending changes now, on this thread. Raises SettingsError."""
        self._timer.stop()
        for write in self._pending():
            write()

    def retry(self) -> None:
        """Write what is not written yet on a task thread, if anything."""
        before, writes = self._written, self._pending()
        if writes:
            self._tasks.run(
                lambda: [write() for write in writes],
                lambda _none: self.saved.emit(),
                lambda error: self._fail(error, before),
            )

    def _pending(self) -> list[Callable[[], None]]:
        settings, preferences = self._store.saved, self._preferences.current
        before, self._written = self._written, (settings, preferences)
        writes: list[Callable[[], None]] = []
        if settings != before[0]:
            writes.append(partial(settings_file.save, self._settings_path, settings))
        if preferences != before[1]:
            writes.append(partial(preferences_file.save, self._preferences_path, preferences))
        return writes

    def _fail(self, error: Exception, before: tuple[object, object]) -> None:
        self._written = before
        if isinstance(error, SettingsError):
            self.failed.emit(error)
        else:
            raise error
