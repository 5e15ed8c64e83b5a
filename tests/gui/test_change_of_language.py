"""A change of the language beside open dialogs, and a colour that is not confirmed when its dialog goes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QColorDialog,
    QDialog,
    QInputDialog,
    QPlainTextEdit,
    QScrollArea,
    QSystemTrayIcon,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from app.core.errors import SinkLostError
from app.core.messages.settings import SettingsText
from app.core.settings import OutputSettings
from app.core.window_settings import WindowSettings
from app.gui.dialogs.help_window import HelpWindow, open_help
from app.gui.dialogs.plain_dialogs import LogWindow, PreferencesDialog, ShortcutsDialog
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.shell.application import Session, WindowOptions
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, Downloads, StartWindow, activate
from tests.gui.widgets import box, bring_up, button, existing, find, pick, ready, slider


def open_dialogs(session: Session) -> list[QDialog]:
    return [each for each in session.window.findChildren(QDialog) if each.isVisible()]


def speak(session: Session, qtbot: QtBot, language: str = "de") -> None:
    old = session.window
    session.store.set("window.language", language)
    qtbot.waitUntil(lambda: session.window is not old)


def bar(area: QAbstractScrollArea) -> int:
    return existing(area.verticalScrollBar()).value()


def test_the_dialogs_stay_open_in_another_language(with_dialogs: Session, qtbot: QtBot) -> None:
    """Only the preferences and the assistant did."""
    session = with_dialogs
    session.window.windows.open_about()
    session.window.windows.open_update_check()
    before = open_dialogs(session)
    for number, dialog in enumerate(before):
        dialog.resize(600, 400)  # so that there is room on the small screen of the tests
        dialog.move(40 + 10 * number, 30 + 10 * number)
    seen = {each.objectName(): (each.windowTitle(), each.pos()) for each in before}
    assert len(seen) == 10
    speak(session, qtbot)
    now = {each.objectName(): (each.windowTitle(), each.pos()) for each in open_dialogs(session)}
    assert now.keys() == seen.keys()
    for name, (title, place) in now.items():
        assert place == seen[name][1], name
        assert title != seen[name][0] or name == "logWindow", name  # it is no other word in German
    for each in open_dialogs(session):
        each.close()


def test_the_help_stays_at_its_place_in_another_language(session: Session, qtbot: QtBot) -> None:
    open_help(session.window)
    shown = find(session.window, HelpWindow)
    shown.open_page("troubleshooting.md")
    shown.search.setText("camera")
    shown.resize(777, 555)
    for _ in range(30):
        shown.search.returnPressed.emit()
    shown.search.setFocus()
    qtbot.waitUntil(lambda: bar(shown.text) > 0)
    before = shown.text.page, bar(shown.text), shown.text.textCursor().selectionStart(), shown.size()
    speak(session, qtbot)
    again = find(session.window, HelpWindow)
    assert again.windowTitle() == "Hilfe"
    cursor = again.text.textCursor()
    assert (again.text.page, bar(again.text), cursor.selectionStart(), again.size()) == before
    assert cursor.selectedText().lower() == again.search.text() == "camera"
    assert again.focusWidget() is again.search
    again.close()


def test_lists_stay_scrolled_in_another_language(
    session: Session, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for number in range(200):
        logging.getLogger().info("line %d", number)
    session.window.windows.open_log()
    session.window.windows.open_shortcuts()
    log, keys = find(session.window, LogWindow), find(session.window, ShortcutsDialog)
    existing(find(log, QPlainTextEdit).verticalScrollBar()).setValue(20)
    existing(find(keys, QScrollArea).verticalScrollBar()).setValue(50)
    assert bar(find(keys, QScrollArea)) == 50
    speak(session, qtbot)
    again = find(session.window, LogWindow), find(session.window, ShortcutsDialog)
    assert (bar(find(again[0], QPlainTextEdit)), bar(find(again[1], QScrollArea))) == (20, 50)
    for each in again:
        each.close()


def test_the_dialog_that_was_active_stays_in_front(session: Session, qtbot: QtBot) -> None:
    session.window.windows.open_preferences()
    session.window.windows.open_log()
    preferences = find(session.window, PreferencesDialog)
    preferences.activateWindow()
    preferences.language.setFocus()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is preferences)
    speak(session, qtbot)
    again = find(session.window, PreferencesDialog)
    qtbot.waitUntil(lambda: QApplication.activeWindow() is again)
    assert QApplication.focusWidget() is again.language
    for each in open_dialogs(session):
        each.close()


def test_the_control_with_the_focus_keeps_it_in_another_language(session: Session, qtbot: QtBot) -> None:
    """The preview took it, whose keys move and zoom."""
    activate(session, qtbot)
    button(session, "addBackgroundButton").setFocus()
    speak(session, qtbot)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is button(session, "addBackgroundButton"))


def test_the_warning_of_the_start_stays_in_another_language_until_it_is_dismissed(
    start_window: StartWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    """It was gone: nobody learned what had become of the settings."""
    warning = SettingsText.MODEL_MISSING(model="u2net", bundled="mattecam")
    session = start_window(options=WindowOptions(parts=world.parts(), warning=warning))
    assert session.window.error_bar.text.startswith("The saved model")
    for language, begins in (("de", "Das gespeicherte Modell"), ("es", "El modelo guardado")):
        speak(session, qtbot, language)
        assert session.window.error_bar.text.startswith(begins)
    key = session.window.notices.shown
    find(session.window, QToolButton, f"{key}Dismiss").click()
    speak(session, qtbot)
    assert not session.window.error_bar.text


def test_what_was_dismissed_stays_hidden_in_another_language(
    start_window: StartWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    """Problems and hints all came back."""
    world.faults.put("virtual_camera", SinkLostError("The camera is gone."))
    session = start_window(QUIET.replace(output=OutputSettings(virtual_camera="fake")))
    qtbot.waitUntil(lambda: session.window.error_bar.text == "The camera is gone.")
    find(session.window, QToolButton, f"{session.window.notices.shown}Dismiss").click()
    for language in ("de", "es"):
        speak(session, qtbot, language)
        for _ in range(3):
            with qtbot.waitSignal(session.bridge.status_changed):
                pass
        assert session.bridge.status.problems and not session.window.error_bar.text
    session.window.error_bar.show_status(replace(session.bridge.status, problems=()))
    session.window.error_bar.show_status(session.bridge.status)
    assert session.window.error_bar.text, "it ended and came back"


def test_the_language_waits_for_a_download(session: Session, qtbot: QtBot, downloads: Downloads) -> None:
    """It ended the download without a word."""
    old, models = session.window, box(session, "modelCombo")
    bring_up(session, models)
    qtbot.waitUntil(lambda: models.findData("rvm-mobilenetv3") >= 0)
    pick(models, models.findData("rvm-mobilenetv3"))
    button(session, "downloadButton").click()
    session.store.set("window.language", "de")
    qtbot.waitUntil(lambda: any(text.startswith("Language and letters change when") for text in old.notices.texts))
    downloads.may_end.set()
    qtbot.waitUntil(lambda: session.window is not old)
    assert session.store.current.matting.model == "rvm-mobilenetv3"
    assert not session.window.notices.texts


def test_the_language_waits_for_the_picture_of_the_room(session: Session, qtbot: QtBot) -> None:
    """The countdown was over, and its dialog asked to begin again."""
    ready(session, qtbot)
    old = session.window
    old.windows.open_plate_dialog()
    dialog = find(old, PlateDialog)
    dialog.begin()
    session.store.set("window.language", "de")
    for _ in range(3):
        with qtbot.waitSignal(session.bridge.status_changed):
            pass
    assert session.window is old and dialog.isVisible()
    dialog.close()
    qtbot.waitUntil(lambda: session.window is not old)


def test_the_plot_goes_on_and_the_brush_stays_in_another_language(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    session.store.edit("window", show_plot=True)
    for name in ("keepBrush", "mousePersonCheck"):
        bring_up(session, find(session.window, QAbstractButton, name))
        find(session.window, QAbstractButton, name).click()
    slider(session, "brushSlider").setValue(12)
    qtbot.waitUntil(lambda: bool(session.window.plot.samples))
    before = session.window.plot.samples[0]
    speak(session, qtbot)
    assert session.window.plot.samples[0] == before
    tool = session.window.panel.zones.tool
    assert (tool.kind, tool.radius) == ("keep", 0.12)
    assert session.window.panel.placement.mouse.isChecked()


def test_a_question_is_not_asked_again_in_another_language(session: Session, qtbot: QtBot) -> None:
    session.window.scenes.ask_for_name()
    assert find(session.window, QInputDialog).isVisible()
    speak(session, qtbot)
    assert not open_dialogs(session)
    assert session.window.scenes.names == ()


def in_another_language(session: Session, qtbot: QtBot) -> None:
    speak(session, qtbot)


def to_the_tray(session: Session, qtbot: QtBot) -> None:
    session.window.close()


def at_the_end(session: Session, qtbot: QtBot) -> None:
    session.lifecycle.end()


@pytest.mark.parametrize("go", [in_another_language, to_the_tray, at_the_end])
def test_a_colour_that_is_not_confirmed_goes_with_its_dialog(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, go: Callable[[Session, QtBot], None]
) -> None:
    """It stayed in use, and was saved."""
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    session = start_window(window=WindowSettings(first_run_done=True, close_to_tray=True))
    before, own = session.store.current.background, session.store.current.window.own_colour
    session.window.strip.choose_colour()
    find(session.window, QColorDialog).setCurrentColor(QColor("#ff0080"))
    assert session.store.current.background.colour == "#ff0080"
    go(session, qtbot)
    assert session.store.current.background == before
    assert session.store.saved.window.own_colour == own


def test_a_background_chosen_beside_the_colour_dialog_stays(session: Session) -> None:
    """Cancel brought the one back that was in use before."""
    for chosen in ({"kind": "blur"}, {"kind": "colour", "colour": "#00b140"}):
        session.window.strip.choose_colour()
        dialog = session.window.findChildren(QColorDialog)[-1]
        dialog.setCurrentColor(QColor("#ff0080"))
        session.store.edit("background", **chosen)  # as the menu of the tray does
        dialog.reject()
        assert chosen.items() <= dict(session.store.current.background).items()


def test_cancelling_a_colour_after_none_shows_neither_it_nor_the_room(session: Session) -> None:
    """The colour that was picked last stayed."""
    own = session.store.current.window.own_colour
    session.store.edit("background", kind="none")
    session.window.strip.choose_colour()
    dialog = find(session.window, QColorDialog)
    dialog.setCurrentColor(QColor("#ff0080"))
    dialog.reject()
    now = session.store.current
    assert (now.background.kind, now.background.colour, now.window.own_colour) == ("colour", own, own)
