"""What the end of the program and a change of language do to dialogs, downloads and brushes."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.config import settings_file
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.shell.application import Session
from tests.gui.conftest import Downloads
from tests.gui.widgets import at, bring_up, button, find, open_last_step, pull, ready, shows_camera


def test_the_end_does_not_wait_for_a_download_of_the_assistant(
    session: Session, qtbot: QtBot, downloads: Downloads
) -> None:
    """The window was gone, and the program ran on until the model was there."""
    get = find(open_last_step(session), QPushButton, "downloadButton")
    qtbot.waitUntil(get.isVisible)
    get.click()
    qtbot.waitUntil(downloads.began.is_set)
    session.window.quit_requested.emit()
    assert session.close() == 0


def test_the_end_leaves_no_exposure_locked(session: Session, qtbot: QtBot) -> None:
    """Whoever quit while the picture of the empty room was taken had a camera with a fixed exposure from then on."""
    ready(session, qtbot)
    session.window.windows.open_plate_dialog()
    find(session.window, PlateDialog).begin()
    held = session.pipeline.demand.takes_plate
    session.window.quit_requested.emit()
    assert session.close() == 0
    assert not settings_file.load(settings_file.default_path())[0].capture.lock_exposure
    assert held and not session.pipeline.demand.takes_plate


def test_a_brush_that_is_hidden_is_put_away(session: Session, qtbot: QtBot) -> None:
    """Dragging on the preview painted, and nothing told of the brush."""
    ready(session, qtbot)
    qtbot.waitUntil(lambda: shows_camera(session))
    brush = button(session, "dropBrush")
    bring_up(session, brush)
    for hide in (
        lambda: session.store.edit("window", all_settings=False),
        lambda: session.store.edit("window", show_panel=False),
    ):
        session.store.edit("window", all_settings=True, show_panel=True)
        brush.click()
        hide()
        assert not brush.isChecked()
        pull(session, qtbot, at(session, 0.3, 0.5), at(session, 0.4, 0.5))
        assert session.pipeline.settings.people.zones == ()


def test_a_maximised_window_comes_back_maximised(session: Session) -> None:
    session.window.showMaximized()
    session.window.showMinimized()
    session.lifecycle.show_in_front()
    assert session.window.windowState() == Qt.WindowState.WindowMaximized


def test_the_virtual_camera_has_one_window(session: Session) -> None:
    for _ in range(2):
        session.window.windows.open_virtual_camera_help()
    session.window.windows.open_doctor()
    names = [dialog.objectName() for dialog in session.window.findChildren(QPushButton, "findingsClose")]
    assert len(names) == 2, "one with the doctor's"
