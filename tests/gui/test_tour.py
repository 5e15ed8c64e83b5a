"""A tour of the side panel with mouse and keys on a display server: every slider, list and switch.

Runs where windows are real, as with `MATTECAM_XVFB=1 .ci/run`; other tests cover each part without a display.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from PyQt6.QtCore import QLocale, QPoint, QSize, Qt
from PyQt6.QtWidgets import (
    QAbstractSlider,
    QApplication,
    QCheckBox,
    QComboBox,
    QScrollBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.gui.i18n.language import translate
from app.gui.shell.application import Session
from app.gui.state.preferences import WindowPreferences
from tests.gui.conftest import StartWindow, activate
from tests.gui.fitting import cut_off, hidden_entries
from tests.gui.widgets import bring_up, existing, turn_wheel, values

on_a_display = pytest.mark.skipif(
    os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal"), reason="needs a display server"
)
LOOKS = ((QSize(1024, 700), "en", "dark"), (QSize(1366, 768), "de", "light"), (QSize(1600, 1000), "es", "dark"))


@pytest.fixture(params=LOOKS, ids=["1024-en", "1366-de", "1600-es"])
def shown(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, request: pytest.FixtureRequest
) -> Iterator[Session]:
    size, language, theme = request.param
    with translate(qapp, QLocale(language)):
        session = start_window(
            preferences=WindowPreferences(first_run_done=True, theme=theme, all_settings=True, language=language)
        )
        session.window.resize(size)
        activate(session, qtbot)
        qtbot.waitUntil(lambda: session.window.preview.image is not None and session.bridge.status.frames_out > 2)
        yield session


def controls(session: Session, kind: type[QWidget]) -> list[QWidget]:
    """Named controls of the side panel, in the order of the page."""
    found = [each for each in session.window.panel.findChildren(kind) if each.objectName() and each.isEnabled()]
    return [each for each in found if not isinstance(each, QScrollBar) and not each.objectName().startswith("qt_")]


def click(qtbot: QtBot, widget: QWidget, where: QPoint | None = None) -> None:
    """Press where a user would: move there first."""
    where = widget.rect().center() if where is None else where
    qtbot.mouseMove(widget, where)
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=where)


@on_a_display
def test_every_group_and_list_of_the_side_panel(shown: Session, qtbot: QtBot) -> None:
    window = shown.window
    for group in window.panel.groups:
        group.toggle.setChecked(True)
    qtbot.waitUntil(lambda: cut_off(window) == [])
    for slider in controls(shown, QAbstractSlider):
        bring_up(shown, slider)
        before, settings = values([slider]), shown.store.current
        turn_wheel(slider, 3)
        assert values([slider]) == before, slider.objectName()
        assert shown.store.current == settings
        qtbot.keyClick(slider, Qt.Key.Key_Right)
        qtbot.keyClick(slider, Qt.Key.Key_Left)
    for listed in controls(shown, QComboBox):
        assert isinstance(listed, QComboBox)
        bring_up(shown, listed)
        chosen_before = listed.currentIndex()
        turn_wheel(listed, -3)
        assert listed.currentIndex() == chosen_before, listed.objectName()
        if not listed.isVisible():
            continue
        click(qtbot, listed)
        view = existing(listed.view())
        qtbot.waitUntil(view.isVisible)
        qtbot.waitUntil(lambda listed=listed: hidden_entries(listed) == [])  # type: ignore[misc]
        qtbot.keyClick(view, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda view=view: not view.isVisible())  # type: ignore[misc]
        assert listed.currentIndex() == chosen_before
    for switch in controls(shown, QCheckBox):
        assert isinstance(switch, QCheckBox)
        bring_up(shown, switch)
        on = switch.isChecked()
        click(qtbot, switch, QPoint(8, switch.height() // 2))
        qtbot.waitUntil(lambda switch=switch, on=on: switch.isChecked() is not on or not switch.isEnabled())  # type: ignore[misc]
        if switch.isEnabled():
            click(qtbot, switch, QPoint(8, switch.height() // 2))
