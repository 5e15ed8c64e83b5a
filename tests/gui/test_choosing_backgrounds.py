"""A background is chosen by a click, a number key or in the grid; none only after a question; the focus stays."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QLabel, QMessageBox, QSlider
from pytestqt.qtbot import QtBot

from app.gui.backgrounds.options import BackgroundOptions
from app.gui.backgrounds.tile_view import TileGrid
from app.gui.backgrounds.tiles import TileKind
from app.gui.widgets.controls import ElidedComboBox
from tests.gui.conftest import activate
from tests.gui.controls import Controls, made_store
from tests.gui.strip import chosen, tiles
from tests.gui.widgets import box, button, existing, find


def click(controls: Controls, qtbot: QtBot, kind: TileKind) -> None:
    strip = controls.window.strip
    index = strip.model.index(next(row for row, tile in enumerate(tiles(controls)) if tile.kind is kind))
    strip.view.scrollTo(index)
    qtbot.mouseClick(strip.view.viewport(), Qt.MouseButton.LeftButton, pos=strip.view.visualRect(index).center())


def question(controls: Controls) -> QMessageBox | None:
    return controls.window.findChild(QMessageBox, "unmattedQuestion")


def answer(controls: Controls, qtbot: QtBot, text: str) -> None:
    box = existing(question(controls))
    assert existing(box.defaultButton()).text() == "Keep it hidden"
    next(each for each in box.buttons() if each.text() == text).click()
    qtbot.waitUntil(lambda: question(controls) is None)


def test_click_selects_and_number_key_toggles_a_background(controls: Controls, qtbot: QtBot) -> None:
    click(controls, qtbot, TileKind.GREEN)
    assert chosen(controls).colour == "#00b140"
    assert chosen(controls).kind == "colour"
    activate(controls, qtbot)
    qtbot.keyClick(controls.window, Qt.Key.Key_1)
    assert chosen(controls).kind == "blur"
    qtbot.keyClick(controls.window, Qt.Key.Key_1)
    assert chosen(controls).kind == "colour", "a second key press returns to the previous background"


def test_background_none_is_last_and_shown_after_a_question_only(controls: Controls, qtbot: QtBot) -> None:
    assert [tile.kind for tile in tiles(controls)].index(TileKind.NONE) == len(tiles(controls)) - 1
    activate(controls, qtbot)
    qtbot.keyClick(controls.window, Qt.Key.Key_0)
    assert question(controls) is None, "a single key does not select none"
    qtbot.keyClick(controls.window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    answer(controls, qtbot, "Keep it hidden")
    click(controls, qtbot, TileKind.NONE)
    qtbot.keyClick(existing(question(controls)), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: question(controls) is None)
    controls.window.strip.choose(tiles(controls)[-1])  # as the menu of the tray does
    assert chosen(controls).kind == "blur"
    answer(controls, qtbot, "Show it")
    assert chosen(controls).kind == "none"
    click(controls, qtbot, TileKind.BLUR)
    assert chosen(controls).kind == "blur"


def test_toggling_never_returns_to_background_none(controls: Controls, qtbot: QtBot) -> None:
    controls.store.edit("background", kind="none")
    click(controls, qtbot, TileKind.GREEN)
    controls.window.strip.toggle(2)
    assert chosen(controls).kind == "colour"


def test_all_backgrounds_are_shown_in_a_grid_and_chosen_there(controls: Controls, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: len(tiles(controls)) > 8)
    button(controls, "allBackgroundsButton").click()
    grid = find(controls.window, TileGrid)
    view, model = grid.view, controls.window.strip.model
    viewport = existing(view.viewport())
    qtbot.waitUntil(lambda: viewport.height() > 2 * view.tile_size.height(), timeout=5000)
    assert grid.height() < controls.window.height()
    assert view.visualRect(model.index(len(tiles(controls)) - 1)).right() < viewport.width(), "no sideways scroll"
    row = next(row for row, tile in enumerate(tiles(controls)) if tile.name == "Bookshelf")
    view.scrollTo(model.index(row))
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=view.visualRect(model.index(row)).center())
    assert chosen(controls).path == tiles(controls)[row].path
    qtbot.waitUntil(lambda: controls.window.findChild(TileGrid) is None)
    strip = controls.window.strip.view
    current = strip.visualRect(strip.currentIndex()).center()
    assert strip.currentIndex().row() == row
    assert strip.viewport().rect().contains(current)  # type: ignore[union-attr]


def test_enter_and_space_select_the_current_tile(controls: Controls, qtbot: QtBot) -> None:
    activate(controls, qtbot)
    view = controls.window.strip.view
    view.setFocus()
    view.setCurrentIndex(controls.window.strip.model.index(1))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert chosen(controls).kind == "colour"
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert chosen(controls).kind == "colour", "moving the current tile does not select it"
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert chosen(controls).kind == "blur"


def test_the_focus_of_an_option_that_disappears_returns_to_where_it_was(controls: Controls, qtbot: QtBot) -> None:
    activate(controls, qtbot)
    view, slider = controls.window.strip.view, find(controls.window, QSlider, "blurSlider")
    view.setFocus()
    slider.setFocus()
    controls.store.edit("background", blur_strength=70.0)
    assert slider.hasFocus()
    controls.store.edit("background", kind="image", path=Path("beach.png"))
    assert view.hasFocus()


def test_the_list_of_fits_is_as_wide_as_its_longest_entry(qtbot: QtBot) -> None:
    options = BackgroundOptions(made_store(), lambda: None)
    qtbot.addWidget(options)
    options.setStyleSheet("QComboBox { border: 1px solid grey; padding: 6px 10px }")  # as in the window
    choice = find(options, ElidedComboBox, "fitCombo")
    choice.setItemText(1, "Show the whole image in another language")
    choice.setCurrentIndex(1)
    options.resize(600, 48)
    options.setCurrentIndex(1)
    options.show()
    qtbot.waitUntil(lambda: choice.shown_text(choice.text_width()) == choice.currentText())


def test_the_list_of_fits_is_beside_its_caption(controls: Controls, qtbot: QtBot, picture: Path) -> None:
    controls.store.edit("background", kind="image", path=picture)
    controls.window.resize(1400, 840)
    choice = box(controls, "fitCombo")
    qtbot.waitUntil(choice.isVisible)
    (caption,) = (each for each in controls.window.strip.findChildren(QLabel) if each.text() == "Fit")

    def gap() -> int:
        end = caption.mapTo(controls.window, QPoint(caption.width(), 0))
        return choice.mapTo(controls.window, QPoint()).x() - end.x()

    qtbot.waitUntil(lambda: 0 <= gap() <= 20)
