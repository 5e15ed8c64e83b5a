"""A tour of the window with mouse and keys on a display server: every control, tile, list and dialog.

Runs where windows are real, as with `MATTECAM_XVFB=1 .ci/run`; other tests cover each part without a display.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from PyQt6.QtCore import QLocale, QPoint, QSize, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QMenu,
    QMessageBox,
    QScrollBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.errors import SettingsError
from app.core.stage import Stage
from app.gui.backgrounds.tile_view import TileGrid
from app.gui.backgrounds.tiles import TileKind
from app.gui.i18n.language import translate
from app.gui.preview.rendering import ViewMode
from app.gui.shell.application import Session
from app.gui.state.preferences import WindowPreferences
from app.gui.widgets.notice import Notice
from tests.gui.conftest import StartWindow, activate
from tests.gui.widgets import bring_up, chosen, cut_off, existing, find, hidden_entries, tiles, turn_wheel, values

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


@on_a_display
def test_every_tile_the_grid_and_the_question_before_none(shown: Session, qtbot: QtBot) -> None:
    strip = shown.window.strip
    qtbot.waitUntil(lambda: len(tiles(shown)) > 8)
    viewport = existing(strip.view.viewport())
    for row, tile in enumerate(tiles(shown)):
        index = strip.model.index(row)
        strip.view.scrollTo(index)
        click(qtbot, viewport, strip.view.visualRect(index).center())
        if tile.kind is TileKind.NONE:
            box = find(shown.window, QMessageBox, "unmattedQuestion")
            qtbot.waitUntil(box.isVisible)
            assert cut_off(box) == []
            qtbot.keyClick(box, Qt.Key.Key_Escape)
            assert chosen(shown).kind != "none"
        else:
            assert tile.chosen_by(chosen(shown)), tile.name
            qtbot.wait(1)
            assert cut_off(strip) == []
    click(qtbot, strip.all_button)
    grid = find(shown.window, TileGrid)
    qtbot.waitUntil(grid.isVisible)
    area = shown.window.frameGeometry()
    assert area.contains(grid.frameGeometry())
    qtbot.keyClick(grid.view, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: shown.window.findChild(TileGrid) is None)


@on_a_display
def test_every_view_mode_the_note_and_the_messages(shown: Session, qtbot: QtBot) -> None:
    window = shown.window
    alone = window.preview.size()
    for number, mode in enumerate(ViewMode, start=1):
        qtbot.keyClick(window, Qt.Key(ord(str(number))), Qt.KeyboardModifier.AltModifier)
        qtbot.waitUntil(lambda mode=mode: window.preview.mode is mode)  # type: ignore[misc]
        assert cut_off(window.action_bar) == []
    window.action_bar.set_mode(ViewMode.COMPOSITE)
    switch = find(window, QAbstractButton, "othersSeeButton")
    qtbot.waitUntil(switch.isVisible)
    for mirror in (False, True):
        qtbot.wait(50)  # the button moves with the length of the note
        click(qtbot, switch)
        assert shown.preferences.current.mirror_preview is mirror
    sentence = "A long sentence about something that went wrong. " * 4
    shown.pipeline.report(Stage.SETTINGS, SettingsError(sentence))
    window.error_bar.show_message(f"{sentence} It is lost.")
    window.notices.show_notice(Notice("event", sentence, (("Undo", list),)))
    qtbot.waitUntil(lambda: len(window.notices.texts) >= 3)
    qtbot.wait(50)
    assert window.size() == LOOKS[[look[1] for look in LOOKS].index(shown.preferences.current.language)][0]
    assert window.preview.height() >= alone.height() / 2
    assert window.notices.height() <= 60
    click(qtbot, find(window, QAbstractButton, "noticeCounter"))
    listed = find(window, QWidget, "noticeList")
    qtbot.waitUntil(listed.isVisible)
    assert cut_off(listed) == []
    qtbot.keyClick(listed, Qt.Key.Key_Escape)


@on_a_display
def test_every_entry_of_the_menus_and_every_dialog(shown: Session, qtbot: QtBot) -> None:
    window = shown.window
    bar = existing(window.menuBar())
    for top in bar.actions():
        click(qtbot, bar, bar.actionGeometry(top).center())
        menu = top.menu()
        assert isinstance(menu, QMenu)
        qtbot.waitUntil(menu.isVisible)
        qtbot.keyClick(menu, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda menu=menu: not menu.isVisible())  # type: ignore[misc]
    windows = window.windows
    for opened in (
        windows.open_assistant, windows.open_preferences, windows.open_doctor, windows.open_shortcuts,
        windows.open_virtual_camera_help, windows.open_about, window.scenes.ask_for_name,
        windows.open_plate_dialog, window.strip.choose_colour,
    ):  # fmt: skip
        before = set(window.findChildren(QDialog))
        opened()
        (dialog,) = set(window.findChildren(QDialog)) - before
        qtbot.waitUntil(dialog.isVisible)
        qtbot.wait(50)
        if dialog.objectName() or not dialog.metaObject().className().startswith("QColor"):  # type: ignore[union-attr]
            assert cut_off(dialog) == [], dialog.objectName()
        for listed in dialog.findChildren(QComboBox):
            if listed.isVisible() and listed.isEnabled() and not listed.objectName().startswith("qt_"):
                listed.showPopup()
                qtbot.waitUntil(lambda listed=listed: hidden_entries(listed) == [])  # type: ignore[misc]
                listed.hidePopup()
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda dialog=dialog: not _visible(dialog))  # type: ignore[misc]
    assert [action for action in window.findChildren(QAction) if action.isCheckable()]


def _visible(dialog: QDialog) -> bool:
    try:
        return dialog.isVisible()
    except RuntimeError:  # it was deleted when it closed
        return False
