"""`run.py ctl` for the window."""

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


class RemoteControl(QObject):
    """Runs the control server of the window.

    Commands change the settings on the control thread, without waiting for the GUI thread: a command is answered
    after it took effect, also while the window is busy.
    """

    _end_requested = pyqtSignal()

    def __init__(
        self, store: SettingsStore, bridge: Bridge, scenes: SceneStore, end: Callable[[], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._end_requested.connect(end)

        def apply(new: Settings) -> None:
            store.change(lambda _settings: new)

        self._server = ControlServer(
            SettingsController(
                settings=lambda: store.current,
                apply=apply,
                status_fields=lambda: status_fields(bridge.status),
                backgrounds=all_backgrounds,
                find_scene=scenes.get,
                ask_to_end=self._end_requested.emit,
            )
        )

    def start(self) -> None:
        """Start listening. The window also works where that fails."""
        self._server.start()

    def stop(self) -> bool:
        """Stop listening; return False if the thread did not end."""
        return self._server.stop()
