"""Closing the window to the tray, its menu, and a start in it."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QApplication, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from app.core.settings import WindowSettings
from app.gui.dialogs.assistant import Assistant
from app.gui.shell.application import Session, WindowOptions
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld
from tests.gui.conftest import StartWindow
from tests.gui.widgets import answer, existing, find


@pytest.fixture
def tray(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system with a tray."""
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)


def test_without_a_tray_closing_ends_the_program(session: Session, qtbot: QtBot) -> None:
    with qtbot.waitSignal(session.lifecycle.ended):
        session.window.close()


@pytest.mark.usefixtures("tray")
@pytest.mark.parametrize(("reply", "kept"), [("Keep running", True), ("Quit", False)])
def test_closing_with_a_tray_asks_once(start_window: StartWindow, qtbot: QtBot, reply: str, kept: bool) -> None:
    session = start_window()
    ended: list[bool] = []
    session.lifecycle.ended.connect(lambda: ended.append(True))
    session.window.close()
    assert session.window.isVisible(), "nothing happens before the answer"
    answer(session, qtbot, "trayQuestion", reply)
    assert session.store.current.window.close_to_tray is kept
    assert session.window.isVisible() is False
    assert bool(ended) is not kept
    if kept:
        assert session.bridge.status.phase is not Phase.STOPPED, "the output continues"
        session.lifecycle.show_in_front()
        assert session.window.isVisible()
        session.window.close()
        assert not session.window.isVisible(), "not asked again"


@pytest.mark.usefixtures("tray")
def test_closing_to_the_tray_closes_the_dialogs(start_window: StartWindow, qtbot: QtBot) -> None:
    """They stayed on the screen, with a preview that stood still."""
    session = start_window(window=WindowSettings(first_run_done=True, close_to_tray=True))
    windows = session.window.windows
    for _ in range(2):
        windows.open_assistant()
        windows.open_preferences()
        session.window.close()
        assert not any(widget.isVisible() for widget in QApplication.topLevelWidgets())
        session.lifecycle.show_in_front()
    assert session.window.isVisible()
    qtbot.waitUntil(lambda: session.window.findChild(Assistant) is None)
    windows.open_assistant()
    assert find(session.window, Assistant).isVisible()


@pytest.mark.usefixtures("tray")
def test_the_tray_pauses_changes_the_background_and_quits(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window()
    menu = session.lifecycle.tray.menu
    session.lifecycle.tray.fill()
    menu.actions()[1].trigger()
    assert session.pipeline.settings.paused
    session.lifecycle.tray.fill()
    assert menu.actions()[1].text() == "Resume"
    next(action for action in existing(menu.actions()[2].menu()).actions() if action.text() == "Green").trigger()
    assert session.pipeline.settings.background.kind == "colour"
    with qtbot.waitSignal(session.lifecycle.ended):
        menu.actions()[-1].trigger()


@pytest.mark.usefixtures("tray")
def test_start_minimised_to_the_tray(start_window: StartWindow, world: FakeWorld) -> None:
    session = start_window(options=WindowOptions(parts=world.parts(), start_minimised=True))
    assert not session.window.isVisible()
    session.lifecycle.tray.menu.actions()[0].trigger()
    assert session.window.isVisible()


def test_start_minimised_without_a_tray(start_window: StartWindow, world: FakeWorld) -> None:
    session = start_window(options=WindowOptions(parts=world.parts(), start_minimised=True))
    assert session.window.isMinimized()
    session.lifecycle.show_in_front()
    assert not session.window.isMinimized()
