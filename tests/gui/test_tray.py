"""Closing to the tray, and starting in it."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QMessageBox, QPushButton, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from app.gui.shell.application import Session, WindowOptions
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld
from tests.gui.conftest import StartWindow
from tests.gui.widgets import existing, find


@pytest.fixture
def tray(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system with a tray."""
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)


def test_without_a_tray_closing_ends_the_program(session: Session, qtbot: QtBot) -> None:
    with qtbot.waitSignal(session.lifecycle.ended):
        session.window.close()


@pytest.mark.usefixtures("tray")
@pytest.mark.parametrize(("answer", "kept"), [("Keep running", True), ("Quit", False)])
def test_closing_with_a_tray_asks_once(start_window: StartWindow, qtbot: QtBot, answer: str, kept: bool) -> None:
    session = start_window()
    ended: list[bool] = []
    session.lifecycle.ended.connect(lambda: ended.append(True))
    session.window.close()
    assert session.window.isVisible(), "nothing happens before the answer"
    box = find(session.window, QMessageBox, "trayQuestion")
    next(button for button in box.findChildren(QPushButton) if answer in button.text()).click()
    assert session.preferences.current.close_to_tray is kept
    assert session.window.isVisible() is False
    assert bool(ended) is not kept
    if kept:
        assert session.bridge.status.phase is not Phase.STOPPED, "the output continues"
        session.lifecycle.show_in_front()
        assert session.window.isVisible()
        session.window.close()
        assert not session.window.isVisible(), "not asked again"


@pytest.mark.usefixtures("tray")
def test_the_tray_pauses_changes_the_background_and_quits(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window()
    menu = session.tray.menu
    session.tray.fill()
    menu.actions()[1].trigger()
    assert session.pipeline.settings.paused
    session.tray.fill()
    assert menu.actions()[1].text() == "Resume"
    next(action for action in existing(menu.actions()[2].menu()).actions() if action.text() == "Green").trigger()
    assert session.pipeline.settings.background.kind == "colour"
    with qtbot.waitSignal(session.lifecycle.ended):
        menu.actions()[-1].trigger()


@pytest.mark.usefixtures("tray")
def test_start_minimised_to_the_tray(start_window: StartWindow, qtbot: QtBot, world: FakeWorld) -> None:
    session = start_window(options=WindowOptions(parts=world.parts(), start_minimised=True))
    assert not session.window.isVisible()
    session.tray.open_requested.emit()
    assert session.window.isVisible()


def test_start_minimised_without_a_tray(start_window: StartWindow, world: FakeWorld) -> None:
    session = start_window(options=WindowOptions(parts=world.parts(), start_minimised=True))
    assert session.window.isMinimized()
    session.lifecycle.show_in_front()
    assert not session.window.isMinimized()
