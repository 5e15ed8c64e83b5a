"""Uses every control on the demo source, then closes the window while everything runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtGui import QAction
from pytestqt.qtbot import QtBot

from app.capture import open_source
from app.core.settings import CaptureSettings
from app.gui.preview.rendering import ViewMode
from app.gui.shell.application import WindowOptions
from app.gui.state import services
from app.runtime.status import Phase
from app.testing.engine import FakeEngine
from tests.fakes.world import FakeWorld
from tests.gui.conftest import MODELS, QUIET, StartWindow
from tests.gui.reach_of_ctl import use_everything_on


def test_close_while_every_control_is_used(
    start_window: StartWindow,
    qtbot: QtBot,
    world: FakeWorld,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    begun = threading.Event()

    def endless(name: str, progress: Callable[[int, int | None], None]) -> Path:
        begun.set()
        while True:
            progress(1, 100)

    monkeypatch.setattr(services, "download", endless)
    parts = replace(world.parts(), open_source=open_source)
    small = QUIET.replace(capture=CaptureSettings(source="demo", width=320, height=180))
    session = start_window(small, options=WindowOptions(parts=parts))
    session.preferences.change(recordings_dir=tmp_path)
    window = session.window
    qtbot.waitUntil(lambda: window.preview.image is not None and session.bridge.status.frames_out > 2)

    for tile in window.strip.model.tiles:
        window.strip.choose(tile)
    use_everything_on(window.panel)
    for mode in ViewMode:
        window.action_bar.set_mode(mode)
    for action in window.menus.findChildren(QAction) + window.findChildren(QAction):
        if action.isCheckable():
            action.trigger()
            action.trigger()
    frames = session.bridge.status.frames_out
    session.store.set_paused(False)
    session.store.set_frozen(False)
    qtbot.waitUntil(lambda: session.bridge.status.frames_out > frames + 2)

    window.panel.quality.network.download.offer(MODELS[0])
    window.panel.quality.network.download.start()
    window.action_bar.record.click()
    window.strip.library.reload()
    window.windows.open_log()
    qtbot.waitUntil(lambda: session.bridge.status.recording is not None and begun.is_set())
    assert session.close() == 0
    assert session.bridge.status.phase is Phase.STOPPED
    assert FakeEngine.live == 0
