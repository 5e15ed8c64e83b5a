"""A background is chosen by a click, a number key or in the grid, none only after a question; files are added."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication, QImage
from PyQt6.QtWidgets import QApplication, QColorDialog, QFileDialog, QLabel, QPushButton, QSlider, QWidget
from pytestqt.qtbot import QtBot

from app.core.files import paths
from app.core.types import BgrImage, PictureKind
from app.gui.backgrounds.options import BackgroundOptions
from app.gui.backgrounds.tile_view import TileGrid
from app.gui.backgrounds.tiles import TileKind
from app.gui.shell.application import Session
from app.gui.widgets.controls import ElidedComboBox
from app.media.image_file import read_image
from tests.clips import write_clip
from tests.gui.conftest import activate
from tests.gui.widgets import add, answer, asked, box, button, chosen, existing, find, made_store, own, tiles

QUESTION = "unmattedQuestion"
COPY = Qt.DropAction.CopyAction


def click(controls: Session, qtbot: QtBot, kind: TileKind) -> None:
    strip = controls.window.strip
    index = strip.model.index(next(row for row, tile in enumerate(tiles(controls)) if tile.kind is kind))
    strip.view.scrollTo(index)
    qtbot.mouseClick(strip.view.viewport(), Qt.MouseButton.LeftButton, pos=strip.view.visualRect(index).center())


def test_click_selects_and_number_key_toggles_a_background(controls: Session, qtbot: QtBot) -> None:
    click(controls, qtbot, TileKind.GREEN)
    assert chosen(controls).colour == "#00b140"
    assert chosen(controls).kind == "colour"
    activate(controls, qtbot)
    qtbot.keyClick(controls.window, Qt.Key.Key_1)
    assert chosen(controls).kind == "blur"
    qtbot.keyClick(controls.window, Qt.Key.Key_1)
    assert chosen(controls).kind == "colour", "a second key press returns to the previous background"
    controls.store.edit("background", kind="none")
    click(controls, qtbot, TileKind.GREEN)
    qtbot.keyClick(controls.window, Qt.Key.Key_2)
    assert chosen(controls).kind == "colour", "but never to the room"


def test_background_none_is_last_and_shown_after_a_question_only(controls: Session, qtbot: QtBot) -> None:
    assert [tile.kind for tile in tiles(controls)].index(TileKind.NONE) == len(tiles(controls)) - 1
    activate(controls, qtbot)
    qtbot.keyClick(controls.window, Qt.Key.Key_0)
    assert asked(controls, QUESTION) is None, "a single key does not select none"
    qtbot.keyClick(controls.window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert existing(existing(asked(controls, QUESTION)).defaultButton()).text() == "Keep it hidden"
    answer(controls, qtbot, QUESTION, "Keep it hidden")
    qtbot.waitUntil(lambda: asked(controls, QUESTION) is None)
    click(controls, qtbot, TileKind.NONE)
    qtbot.keyClick(existing(asked(controls, QUESTION)), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: asked(controls, QUESTION) is None)
    controls.window.strip.choose(tiles(controls)[-1])  # as the menu of the tray does
    assert chosen(controls).kind == "blur"
    answer(controls, qtbot, QUESTION, "Show it")
    assert chosen(controls).kind == "none"
    click(controls, qtbot, TileKind.BLUR)
    assert chosen(controls).kind == "blur"


def test_a_colour_is_the_background_as_soon_as_it_is_picked(controls: Session, qtbot: QtBot) -> None:
    click(controls, qtbot, TileKind.GREEN)
    qtbot.mouseClick(button(controls, "colourButton"), Qt.MouseButton.LeftButton)
    dialog = find(controls.window, QColorDialog)
    dialog.setCurrentColor(QColor("#3060a0"))
    assert (chosen(controls).kind, chosen(controls).colour) == ("colour", "#3060a0")
    assert controls.store.current.window.own_colour == "#3060a0"
    dialog.reject()
    assert chosen(controls).colour == "#00b140", "the dialog was cancelled"
    assert controls.store.current.window.own_colour == "#3a5f8a"
    qtbot.waitUntil(lambda: controls.window.findChild(QColorDialog) is None)


def test_all_backgrounds_are_shown_in_a_grid_and_chosen_there(controls: Session, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: len(tiles(controls)) > 8)
    button(controls, "allBackgroundsButton").click()
    grid = find(controls.window, TileGrid)
    view, model = grid.view, controls.window.strip.model
    viewport = existing(view.viewport())
    qtbot.waitUntil(lambda: viewport.height() > 2 * view.tile_size.height())
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


def test_enter_and_space_select_the_current_tile(controls: Session, qtbot: QtBot) -> None:
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
    controls.window.strip.show_all()
    grid = find(controls.window, TileGrid).view
    grid.setCurrentIndex(controls.window.strip.model.index(1))
    qtbot.keyClick(grid, Qt.Key.Key_Space)
    assert chosen(controls).kind == "colour"
    controls.window.strip.show_all()
    qtbot.keyClick(controls.window.findChildren(TileGrid)[-1].view, Qt.Key.Key_1)
    assert chosen(controls).kind == "blur", "the tiles show their keys there too"


def test_the_focus_of_an_option_that_disappears_returns_to_where_it_was(controls: Session, qtbot: QtBot) -> None:
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


def test_the_list_of_fits_is_beside_its_caption(controls: Session, qtbot: QtBot, picture: Path) -> None:
    controls.store.edit("background", kind="image", path=picture)
    controls.window.resize(1400, 840)
    choice = box(controls, "fitCombo")
    qtbot.waitUntil(choice.isVisible)
    (caption,) = (each for each in controls.window.strip.findChildren(QLabel) if each.text() == "Fit")

    def gap() -> int:
        end = caption.mapTo(controls.window, QPoint(caption.width(), 0))
        return choice.mapTo(controls.window, QPoint()).x() - end.x()

    qtbot.waitUntil(lambda: 0 <= gap() <= 20)


def test_added_file_reaches_the_output(session: Session, qtbot: QtBot, picture: Path) -> None:
    qtbot.mouseClick(find(session.window, QPushButton, "addBackgroundButton"), Qt.MouseButton.LeftButton)
    dialog = find(session.window, QFileDialog)
    dialog.filesSelected.emit([str(picture)])
    dialog.reject()
    qtbot.waitUntil(lambda: chosen(session).kind == "image")
    copy = existing(chosen(session).path)
    assert copy.parent == paths.backgrounds_dir()
    assert copy.read_bytes() == picture.read_bytes()
    qtbot.waitUntil(lambda: shows(session, (200, 120, 30)))
    qtbot.waitUntil(lambda: bool(own(session)) and session.window.strip.model.image_of(own(session)[0]) is not None)


def test_an_added_file_is_the_first_tile_shown_and_marked(controls: Session, qtbot: QtBot, picture: Path) -> None:
    strip = controls.window.strip
    strip.view.setFocus()
    strip.view.setCurrentIndex(strip.model.index(len(strip.model.tiles) - 1))  # far from where the new tile is
    tile = add(controls, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(controls).path == tile.path)
    index = strip.model.index(0)
    assert strip.model.tiles[0] == tile, "own pictures come first"
    assert strip.view.currentIndex() == index
    assert strip.model.chosen_row == 0
    viewport = existing(strip.view.viewport())
    qtbot.waitUntil(lambda: viewport.rect().contains(strip.view.visualRect(index).center()))
    assert strip.model.number(0) == 4, "the numbers of the others stay"


def shows(session: Session, colour: tuple[int, int, int]) -> bool:
    """Whether the upper left corner of the output has this colour."""
    newest = session.bridge.picture
    return newest is not None and newest.kind is PictureKind.COMPOSITE and is_near(newest.image, colour)


def is_near(image: BgrImage, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(image[1, 1].astype(int) - np.array(colour)).max() < 3)


def uses(controls: Session, colour: tuple[int, int, int]) -> bool:
    """Whether the background in use is a file of this colour."""
    path = chosen(controls).path
    return path is not None and is_near(read_image(path), colour)


def drag_over(widget: QWidget, mime: QMimeData) -> bool:
    """Return whether the widget accepts what is dragged over it."""
    enter = QDragEnterEvent(QPoint(5, 5), COPY, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, enter)
    return enter.isAccepted()


def drop(widget: QWidget | None, mime: QMimeData) -> None:
    assert drag_over(existing(widget), mime)
    event = QDropEvent(QPointF(5, 5), COPY, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    assert event.isAccepted()


def mime_of(picture: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(picture))])
    return mime


@pytest.mark.parametrize("target", ["viewport", "window"])
def test_a_dropped_file_is_added(controls: Session, qtbot: QtBot, picture: Path, target: str) -> None:
    drop(controls.window.strip.view.viewport() if target == "viewport" else controls.window, mime_of(picture))
    qtbot.waitUntil(lambda: chosen(controls).kind == "image")
    qtbot.waitUntil(lambda: [tile.name for tile in own(controls)] == ["beach"])


def test_image_dropped_from_a_browser_is_saved_as_a_file(controls: Session, qtbot: QtBot) -> None:
    image = QImage(50, 31, QImage.Format.Format_RGB32)
    image.fill(QColor(10, 200, 30))
    mime = QMimeData()
    mime.setImageData(image)
    mime.setUrls([QUrl("https://example.org/meadow.jpg")])
    drop(controls.window.strip.view.viewport(), mime)
    qtbot.waitUntil(lambda: uses(controls, (30, 200, 10)))
    qtbot.waitUntil(lambda: len(own(controls)) == 1)


def test_copied_image_is_pasted(session: Session, qtbot: QtBot) -> None:
    clipboard = existing(QGuiApplication.clipboard())
    image = QImage(40, 30, QImage.Format.Format_ARGB32)
    image.fill(QColor(250, 10, 10))
    clipboard.setImage(image)
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: shows(session, (10, 10, 250)))
    clipboard.setText("no picture")
    qtbot.keyClick(session.window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "no image to paste" in session.window.error_bar.text


@pytest.mark.parametrize(
    ("name", "said"), [("broken.jpg", "broken.jpg"), ("notes.txt", "notes.txt is neither an image nor a video")]
)
def test_a_file_that_is_no_picture_does_not_enter_the_library(
    controls: Session, qtbot: QtBot, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / name).write_bytes(b"not a picture at all")
    controls.window.strip.library.add_files([tmp_path / name])
    qtbot.waitUntil(lambda: said in controls.window.error_bar.text)
    assert not own(controls)
    assert not list(paths.backgrounds_dir().glob("*"))
    assert chosen(controls).kind == "blur"


def test_video_tiles_have_a_badge(controls: Session, qtbot: QtBot, tmp_path: Path) -> None:
    tile = add(controls, qtbot, write_clip(tmp_path / "waves.avi"))
    assert tile.kind is TileKind.VIDEO
    qtbot.waitUntil(lambda: chosen(controls).kind == "video")
    qtbot.waitUntil(lambda: controls.window.strip.model.image_of(tile) is not None)


def test_a_dragged_file_marks_where_it_may_be_dropped(controls: Session, picture: Path) -> None:
    def marked() -> bool:
        return bool(controls.window.strip.view.property("dropTarget"))

    assert drag_over(controls.window, mime_of(picture))
    assert marked()
    QApplication.sendEvent(controls.window, QDragLeaveEvent())
    assert not marked()
    nothing = QMimeData()
    nothing.setText("a text")
    drag_over(controls.window, nothing)
    assert not marked(), "a text cannot be added"
