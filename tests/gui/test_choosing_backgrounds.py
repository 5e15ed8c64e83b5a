"""A background is chosen by a click, a number key or the current tile; none only on purpose; the focus stays."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QLabel, QSlider, QStackedWidget
from pytestqt.qtbot import QtBot

from app.gui.shell.application import Session
from tests.gui.conftest import activate
from tests.gui.strip import chosen
from tests.gui.widgets import box


def click(session: Session, qtbot: QtBot, row: int) -> None:
    view = session.window.strip.view
    view.scrollTo(view.model().index(row, 0))  # type: ignore[union-attr]
    rect = view.visualRect(session.window.strip.model.index(row))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


def test_click_selects_and_number_key_toggles_a_background(session: Session, qtbot: QtBot) -> None:
    click(session, qtbot, 2)
    assert chosen(session).colour == "#00b140"
    assert chosen(session).kind == "colour"
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_1)
    assert chosen(session).kind == "blur"
    qtbot.keyClick(session.window, Qt.Key.Key_1)
    assert chosen(session).kind == "colour", "a second key press returns to the previous background"


def test_background_none_needs_click_or_ctrl_0_and_is_marked_red(session: Session, qtbot: QtBot) -> None:
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_0)
    assert chosen(session).kind == "blur", "a single key does not select none"
    qtbot.keyClick(session.window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert chosen(session).kind == "none"
    room = session.window.overlay.unmatted
    qtbot.waitUntil(lambda: room.isVisible() and bool(room.text()))
    warning = session.window.findChild(QStackedWidget)
    assert warning is not None
    click(session, qtbot, 1)
    qtbot.waitUntil(lambda: not room.isVisible())


def test_toggling_never_returns_to_background_none(session: Session, qtbot: QtBot) -> None:
    click(session, qtbot, 0)
    click(session, qtbot, 2)
    session.window.strip.toggle_row(2)
    assert chosen(session).kind == "colour"


def test_enter_and_space_select_the_current_tile(session: Session, qtbot: QtBot) -> None:
    activate(session, qtbot)
    view = session.window.strip.view
    view.setFocus()
    view.setCurrentIndex(session.window.strip.model.index(2))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert chosen(session).kind == "colour"
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert chosen(session).kind == "colour", "moving the current tile does not select it"
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert chosen(session).kind == "blur"


def test_the_focus_of_an_option_that_disappears_returns_to_where_it_was(session: Session, qtbot: QtBot) -> None:
    activate(session, qtbot)
    view, slider = session.window.strip.view, session.window.findChild(QSlider, "blurSlider")
    assert slider is not None
    view.setFocus()
    slider.setFocus()
    session.store.edit("background", blur_strength=70.0)
    assert slider.hasFocus()
    session.store.edit("background", kind="image", path=Path("beach.png"))
    assert view.hasFocus()


def test_the_list_of_fits_is_beside_its_caption(session: Session, qtbot: QtBot, picture: Path) -> None:
    session.store.edit("background", kind="image", path=picture)
    session.window.resize(1400, 840)
    choice = box(session, "fitCombo")
    qtbot.waitUntil(choice.isVisible)
    (caption,) = (each for each in session.window.strip.findChildren(QLabel) if each.text() == "Fit")

    def gap() -> int:
        end = caption.mapTo(session.window, QPoint(caption.width(), 0))
        return choice.mapTo(session.window, QPoint()).x() - end.x()

    qtbot.waitUntil(lambda: 0 <= gap() <= 20)
