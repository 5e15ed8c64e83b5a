"""`run.py ctl` for the window."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal

from app.config.scenes import SceneStore
from app.control.controller import SettingsController
from app.control.server import ControlServer
from app.gui.backgrounds.tiles import tiles
from app.gui.state.bridge import Bridge
from app.gui.state.store import SettingsStore


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
            undo=store.undo,
            tiles=lambda: tiles(store.current.window.own_colour),
            scenes=scenes,
            request_quit=self._end_requested.emit,
            newest=lambda: bridge.picture,
            scenes_changed=self.scenes_changed.emit,
        )
        self._server = ControlServer(controller)
        pipeline.watch(self._server.thread)

    def start(self) -> None:
        """Start listening. The window also works where that fails."""
        self._server.start()

    def stop(self) -> bool:
        """Stop listening; return False if the thread did not end."""
        return self._server.stop()
