"""`run.py ctl` for the window: wishes from outside become edits of the settings, on the GUI thread."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal

from app.compositing.library import all_backgrounds
from app.config.scenes import SceneStore
from app.control import ControlServer, SettingsController
from app.core.settings import Settings
from app.gui.state.bridge import Bridge
from app.gui.state.store import SettingsStore
from app.runtime.status_fields import status_fields


class Remote(QObject):
    """Listens on the user's own socket while the window runs."""

    _wished = pyqtSignal(object)
    _end_wished = pyqtSignal()

    def __init__(
        self, store: SettingsStore, bridge: Bridge, scenes: SceneStore, end: Callable[[], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._wished.connect(self._take)
        self._end_wished.connect(end)
        self._server = ControlServer(
            SettingsController(
                settings=lambda: store.current,
                apply=self._wished.emit,
                status_fields=lambda: status_fields(bridge.status),
                backgrounds=all_backgrounds,
                find_scene=scenes.get,
                ask_to_end=self._end_wished.emit,
            )
        )

    def start(self) -> None:
        """Begin to listen; where that is not possible the window works as well."""
        self._server.start()

    def stop(self) -> bool:
        """Stop; False if the thread did not end."""
        return self._server.stop()

    def _take(self, settings: Settings) -> None:
        self._store.take(settings)
