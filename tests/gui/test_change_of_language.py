"""A change of the language beside open dialogs, and a colour that is not confirmed when its dialog goes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PyQt6 import sip
from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QColorDialog,
    QDialog,
    QPlainTextEdit,
    QScrollArea,
    QSystemTrayIcon,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from app.core.errors import SinkLostError
from app.core.files import paths
from app.core.messages.settings import SettingsText
from app.core.settings import OutputSettings
from app.core.window_settings import WindowSettings
from app.gui.dialogs.plain_dialogs import LogWindow, PreferencesDialog, ShortcutsDialog
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.preview.rendering import ViewMode
from app.gui.shell.application import Session, WindowOptions
from app.gui.widgets.folding import PanelSplitter
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, Downloads, StartWindow, activate
from tests.gui.widgets import box, bring_up, button, existing, find, own, pick, ready, slider, speak
from tests.serving import Handler, served


def open_dialogs(session: Session) -> list[QDialog]:
    return [each for each in session.window.findChildren(QDialog) if each.isVisible()]


def bar(area: QAbstractScrollArea) -> int:
    return existing(area.verticalScrollBar()).value()


def place_of(area: QAbstractScrollArea) -> float:
    """How far it is scrolled, 0..1."""
    return bar(area) / max(existing(area.verticalScrollBar()).maximum(), 1)


def test_the_dialogs_stay_open_in_another_language(with_dialogs: Session, qtbot: QtBot) -> None:
    """Only the preferences and the assistant did, but for questions; the active one stays in front."""
    session = with_dialogs
    session.window.windows.open_about()
    before = open_dialogs(session)
    for number, dialog in enumerate(before):
        dialog.resize(600, 400)  # so that there is room on the small screen of the tests
        dialog.move(40 + 10 * number, 30 + 10 * number)
    seen = {each.objectName(): (each.windowTitle(), each.pos()) for each in before}
    assert len(seen) == 9
    session.window.scenes.ask_for_name()
    preferences = find(session.window, PreferencesDialog)
    preferences.activateWindow()
    preferences.language.setFocus()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is preferences)
    speak(session, qtbot)
    now = {each.objectName(): (each.windowTitle(), each.pos()) for each in open_dialogs(session)}
    assert now.keys() == seen.keys()
    for name, (title, place) in now.items():
        assert place == seen[name][1], name
        assert title != seen[name][0] or name == "logWindow", name  # it is no other word in German
    again = find(session.window, PreferencesDialog)
    qtbot.waitUntil(lambda: QApplication.activeWindow() is again)
    assert QApplication.focusWidget() is again.language


def test_the_lists_stay_at_their_place_in_another_language(
    session: Session, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for number in range(200):
        logging.getLogger().info("line %d", number)
    session.window.windows.open_log()
    session.window.windows.open_shortcuts()
    existing(find(find(session.window, LogWindow), QPlainTextEdit).verticalScrollBar()).setValue(20)
    existing(find(find(session.window, ShortcutsDialog), QScrollArea).verticalScrollBar()).setValue(50)
    speak(session, qtbot)
    assert bar(find(find(session.window, LogWindow), QPlainTextEdit)) == 20
    assert bar(find(find(session.window, ShortcutsDialog), QScrollArea)) == 50
    for each in open_dialogs(session):
        each.close()


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


def test_the_language_waits_for_a_download_and_the_picture_of_the_room(
    session: Session, qtbot: QtBot, downloads: Downloads
) -> None:
    """It ended them without a word."""
    ready(session, qtbot)
    old, models = session.window, box(session, "modelCombo")
    bring_up(session, models)
    qtbot.waitUntil(lambda: models.findData("rvm-mobilenetv3") >= 0)
    pick(models, models.findData("rvm-mobilenetv3"))
    button(session, "downloadButton").click()
    session.store.set("window.language", "de")
    qtbot.waitUntil(lambda: any(text.startswith("Language and letters change when") for text in old.notices.texts))
    old.windows.open_plate_dialog()
    dialog = find(old, PlateDialog)
    dialog.begin()
    downloads.may_end.set()
    qtbot.waitUntil(lambda: session.store.current.matting.model == "rvm-mobilenetv3")
    for _ in range(3):
        with qtbot.waitSignal(session.bridge.status_changed):
            pass
    assert session.window is old and dialog.isVisible()
    dialog.close()
    qtbot.waitUntil(lambda: session.window is not old)
    assert not session.window.notices.texts


def test_the_language_waits_for_a_picture_from_the_web(session: Session, qtbot: QtBot) -> None:
    """It was never added, and nothing told so."""
    answers = threading.Event()

    class Picture(Handler):
        def do_GET(self) -> None:
            answers.wait(60)
            picture = np.asarray(cv2.imencode(".png", np.zeros((9, 16, 3), np.uint8))[1]).tobytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(picture)))
            self.end_headers()
            self.wfile.write(picture)

    ready(session, qtbot)
    old = session.window
    with served(Picture) as address:
        old.strip.library.fetch([QUrl(f"{address}/meadow.png")])
        session.store.set("window.language", "de")
        for _ in range(3):
            with qtbot.waitSignal(session.bridge.status_changed):
                pass
        assert session.window is old
        answers.set()
        qtbot.waitUntil(lambda: session.window is not old)
    qtbot.waitUntil(lambda: [tile.name for tile in own(session)] == ["meadow"])


def test_the_panel_keeps_width_and_place_in_another_language(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    activate(session, qtbot)
    bring_up(session, find(session.window, QToolButton, "pauseGroup"))
    offer = find(session.window, QAbstractButton, "virtualCameraHelp")
    qtbot.waitUntil(offer.isHidden)  # by the first status, which makes the page lower
    panel, splitter = session.window.panel, find(session.window, PanelSplitter)
    qtbot.waitUntil(lambda: bar(panel.page) > 0)
    splitter.moveSplitter(splitter.width() - panel.width() - 60, 1)
    qtbot.waitUntil(lambda: splitter.sizes()[1] == panel.width() > panel.sizeHint().width())
    width, place = panel.width(), place_of(panel.page)
    speak(session, qtbot)
    again = session.window.panel
    qtbot.waitUntil(lambda: again.width() == width and place_of(again.page) == pytest.approx(place, abs=0.02))


def test_the_window_goes_on_in_another_language(session: Session, qtbot: QtBot) -> None:
    """The new window showed the result with all groups closed, and knew no background from before."""
    ready(session, qtbot)
    activate(session, qtbot)
    old, pipeline, frames = session.window, session.pipeline, session.bridge.status.frames_out
    groups = {"moveGroup", "recordGroup"}
    session.window.strip.choose_number(4)
    presented_over = session.store.current.background
    for name in ("view_compare", "mousePersonCheck"):
        bring_up(session, find(session.window, QAbstractButton, name))
        find(session.window, QAbstractButton, name).click()
    find(session.window, QToolButton, "recordGroup").click()
    slider(session, "brushSlider").setValue(12)
    qtbot.keyClick(session.window.preview, Qt.Key.Key_Left)
    button(session, "addBackgroundButton").setFocus()
    speak(session, qtbot)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is button(session, "addBackgroundButton"))
    window = session.window
    qtbot.waitUntil(lambda: sip.isdeleted(old) and session.bridge.status.frames_out > frames + 2)
    assert session.pipeline is pipeline and session.bridge.status.phase is Phase.RUNNING
    assert window.isVisible() and session.lifecycle.tray.menu.actions()[-1].text() == "Beenden"
    session.store.edit("window", mirror_preview=False)  # reaches no part of the old window
    assert (window.preview.mode, window.preview.divider) == (ViewMode.COMPARE, 0.48)
    assert button(session, "view_compare").isChecked()
    assert {each.toggle.objectName() for each in window.panel.groups if each.toggle.isChecked()} == groups
    tool = window.panel.zones.tool
    assert (tool.radius, window.panel.placement.mouse.isChecked()) == (0.12, True)
    window.panel.presenter.present(paths.assets_dir() / "backgrounds")
    speak(session, qtbot, "es")
    button(session, "presentEnd").click()
    assert session.store.current.background == presented_over, "not the blurred room"


def to_the_tray(session: Session, qtbot: QtBot) -> None:
    session.window.close()


def at_the_end(session: Session, qtbot: QtBot) -> None:
    session.lifecycle.end()


@pytest.mark.parametrize("go", [speak, to_the_tray, at_the_end])
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
