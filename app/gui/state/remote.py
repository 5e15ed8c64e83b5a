"""`run.py ctl` for the window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from app.config.scenes import SceneStore
from app.control.controller import SettingsController
from app.control.global_shortcuts import GlobalShortcuts
from app.control.server import ControlServer
from app.core.errors import MattecamError
from app.core.messages.control import ControlText
from app.core.settings import Settings
from app.core.stage import Stage
from app.gui.backgrounds.tiles import tiles
from app.gui.state.bridge import Bridge
from app.gui.state.preferences import PreferencesStore, WindowPreferences
from app.gui.state.store import SettingsStore

ANSWER_S = 5.0
"""How long a command waits for the GUI thread."""
OWN_STATE = ("version", "first_run_done", "geometry", "cameras", "shortcuts_told")
"""Fields of the preferences that the user does not set."""


class RemotePreferences(QObject):
    """The preferences of the window for other threads; changes are made on the GUI thread."""

    _requested = pyqtSignal(object, object)

    def __init__(self, preferences: PreferencesStore, parent: QObject) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._requested.connect(self._change)

    @property
    def current(self) -> WindowPreferences:
        """The preferences in effect (any thread)."""
        return self._preferences.current

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that `ctl set` may change."""
        return tuple(name for name in WindowPreferences.model_fields if name not in OWN_STATE)

    def change(self, new: Mapping[str, Any]) -> None:
        """Change fields (not the GUI thread); in effect when it returns. Raises MattecamError."""
        done = threading.Event()
        self._requested.emit(new, done)
        if not done.wait(ANSWER_S):
            raise MattecamError(ControlText.WINDOW_BUSY())

    def _change(self, new: Mapping[str, Any], done: threading.Event) -> None:
        self._preferences.change(**new)
        done.set()


class RemoteControl(QObject):
    """Runs the control server of the window.

    Commands change the settings on the control thread, without waiting for the GUI thread: a command is answered
    after it took effect, also while the window is busy.
    """

    scenes_changed = pyqtSignal()
    """A command changed the saved scenes."""
    _end_requested = pyqtSignal()

    def __init__(self, store: SettingsStore, bridge: Bridge, scenes: SceneStore, end: Callable[[], None]) -> None:
        super().__init__(bridge)
        pipeline = bridge.pipeline
        self._end_requested.connect(end)
        controller = SettingsController(
            pipeline,
            change=store.change,
            tiles=lambda: tiles(store.preferences.current.own_colour),
            scenes=scenes,
            request_quit=self._end_requested.emit,
            newest=lambda: bridge.picture,
            preferences=RemotePreferences(store.preferences, self),
            scenes_changed=self.scenes_changed.emit,
        )
        self._server = ControlServer(controller)
        self._store = store
        self._shortcuts = GlobalShortcuts(controller, partial(pipeline.report, Stage.SHORTCUTS))
        store.changed.connect(self._follow)
        pipeline.watch(self._server.thread)

    def start(self) -> None:
        """Start listening. The window also works where that fails."""
        self._server.start()
        self._follow(self._store.current)

    def stop(self) -> bool:
        """Stop listening; return False if the thread did not end."""
        shortcuts_ended = self._shortcuts.stop()
        return self._server.stop() and shortcuts_ended

    def _follow(self, settings: Settings) -> None:
        self._shortcuts.follow(settings.global_shortcuts)
