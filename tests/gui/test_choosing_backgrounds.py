"""A background is chosen by a click, a number key or in the grid; none only after a question; the focus stays."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QLabel, QMessageBox, QSlider
from pytestqt.qtbot import QtBot

from app.gui.backgrounds.item import TileKind
from app.gui.backgrounds.tile_view import TileGrid
from app.gui.shell.application import Session
from tests.gui.conftest import activate
from tests.gui.strip import chosen, tiles
from tests.gui.widgets import box, button


def click(session: Session, qtbot: QtBot, kind: TileKind) -> None:
    strip = session.window.strip
    index = strip.model.index(next(row for row, tile in enumerate(tiles(session)) if tile.kind is kind))
    strip.view.scrollTo(index)
    qtbot.mouseClick(strip.view.viewport(), Qt.MouseButton.LeftButton, pos=strip.view.visualRect(index).center())


def question(session: Session) -> QMessageBox | None:
    return session.window.findChild(QMessageBox, "unmattedQuestion")


def answer(session: Session, qtbot: QtBot, text: str) -> None:
    box = question(session)
    assert box is not None
    default = box.defaultButton()
    assert default is not None and default.text() == "Keep it hidden"
    next(each for each in box.buttons() if each.text() == text).click()
    qtbot.waitUntil(lambda: question(session) is None)


def test_click_selects_and_number_key_toggles_a_background(session: Session, qtbot: QtBot) -> None:
    click(session, qtbot, TileKind.GREEN)
    assert chosen(session).colour == "#00b140"
    assert chosen(session).kind == "colour"
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_1)
    assert chosen(session).kind == "blur"
    qtbot.keyClick(session.window, Qt.Key.Key_1)
    assert chosen(session).kind == "colour", "a second key press returns to the previous background"


def test_background_none_is_last_and_shown_after_a_question_only(session: Session, qtbot: QtBot) -> None:
    assert [tile.kind for tile in tiles(session)].index(TileKind.NONE) == len(tiles(session)) - 1
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_0)
    assert question(session) is None, "a single key does not select none"
    qtbot.keyClick(session.window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    answer(session, qtbot, "Keep it hidden")
    click(session, qtbot, TileKind.NONE)
    box = question(session)
    assert box is not None
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: question(session) is None)
    session.window.strip.choose(tiles(session)[-1])  # as the menu of the tray does
    assert chosen(session).kind == "blur"
    answer(session, qtbot, "Show it")
    assert chosen(session).kind == "none"
    room = session.window.overlay.unmatted
    qtbot.waitUntil(lambda: room.isVisible() and bool(room.text()))
    click(session, qtbot, TileKind.BLUR)
    qtbot.waitUntil(lambda: not room.isVisible())


def test_toggling_never_returns_to_background_none(session: Session, qtbot: QtBot) -> None:
    session.store.edit("background", kind="none")
    click(session, qtbot, TileKind.GREEN)
    session.window.strip.toggle(2)
    assert chosen(session).kind == "colour"


def test_all_backgrounds_are_shown_in_a_grid_and_chosen_there(session: Session, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: len(tiles(session)) > 8)
    button(session, "allBackgroundsButton").click()
    grid = session.window.findChild(TileGrid)
    assert grid is not None
    view, model = grid.view, session.window.strip.model
    viewport = view.viewport()
    assert viewport is not None
    qtbot.waitUntil(lambda: viewport.height() > 2 * view.tile_size.height(), timeout=5000)
    assert grid.height() < session.window.height()
    assert view.visualRect(model.index(len(tiles(session)) - 1)).right() < viewport.width(), "it never scrolls sideways"
    row = next(row for row, tile in enumerate(tiles(session)) if tile.name == "Bookshelf")
    view.scrollTo(model.index(row))
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=view.visualRect(model.index(row)).center())
    assert chosen(session).path == tiles(session)[row].path
    qtbot.waitUntil(lambda: session.window.findChild(TileGrid) is None)
    strip = session.window.strip.view
    current = strip.visualRect(strip.currentIndex()).center()
    assert strip.currentIndex().row() == row
    assert strip.viewport().rect().contains(current)  # type: ignore[union-attr]


def test_enter_and_space_select_the_current_tile(session: Session, qtbot: QtBot) -> None:
    activate(session, qtbot)
    view = session.window.strip.view
    view.setFocus()
    view.setCurrentIndex(session.window.strip.model.index(1))
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
