"""`run.py ctl` for the window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from app.config.scenes import SceneStore
from app.control import ControlServer, SettingsController
from app.core.errors import SinkError
from app.core.messages.control import ControlText
from app.gui.backgrounds.names import tiles
from app.gui.state.bridge import Bridge
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.recording import save_snapshot
from app.gui.state.store import SettingsStore
from app.runtime.status import Stage
from app.runtime.status_fields import status_fields


class RemoteControl(QObject):
    """Runs the control server of the window.

    Commands change the settings on the control thread, without waiting for the GUI thread: a command is answered
    after it took effect, also while the window is busy.
    """

    _end_requested = pyqtSignal()

    def __init__(
        self,
        store: SettingsStore,
        preferences: PreferencesStore,
        bridge: Bridge,
        scenes: SceneStore,
        end: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._end_requested.connect(end)
        self._server = ControlServer(
            SettingsController(
                change=store.change,
                settings=lambda: store.current,
                status_fields=lambda: status_fields(bridge.status),
                tiles=lambda: tiles(preferences.current.own_colour),
                find_scene=scenes.get,
                request_quit=self._end_requested.emit,
                save_snapshot=self._save_snapshot,
            )
        )
        bridge.watch("control", Stage.SETTINGS, lambda: self._server.died)

    def _save_snapshot(self, path: Path) -> None:
        """Called on a control thread."""
        picture = self._bridge.picture
        if picture is None:
            raise SinkError(ControlText.NO_FRAME())
        save_snapshot(path, partial(self._bridge.release, picture))

    def start(self) -> None:
        """Start listening. The window also works where that fails."""
        self._server.start()

    def stop(self) -> bool:
        """Stop listening; return False if the thread did not end."""
        return self._server.stop()
