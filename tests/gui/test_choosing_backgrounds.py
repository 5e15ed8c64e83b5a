"""Backgrounds are chosen, dropped and pasted, shown in a grid, fitted, zoomed and blurred."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication, QImage
from PyQt6.QtWidgets import QApplication, QColorDialog, QDialog, QFileDialog, QPushButton, QSlider, QWidget
from pytestqt.qtbot import QtBot

from app.control.files import named_background
from app.core import paths
from app.core.settings import BackgroundSettings, Settings, StrictLevel
from app.core.types import BgrImage, PictureKind
from app.gui.application import Session
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.backgrounds.tiles import TileGrid, TileKind
from app.gui.backgrounds.tiles import tiles as named_tiles
from app.gui.tasks import Tasks
from app.gui.widgets.controls import ElidedComboBox, StillSlider
from app.media.image_file import read_image
from tests.clips import write_clip
from tests.gui.conftest import QUIET, StartWindow, activate
from tests.gui.widgets import add, answer, asked, button, chosen, existing, find, own, said, tiles

QUESTION = "unmattedQuestion"
COPY = Qt.DropAction.CopyAction


def click(controls: Session, qtbot: QtBot, kind: TileKind) -> None:
    strip = controls.window.strip
    index = strip.model.index(next(row for row, tile in enumerate(tiles(controls)) if tile.kind is kind))
    strip.view.scrollTo(index)
    qtbot.mouseClick(strip.view.viewport(), Qt.MouseButton.LeftButton, pos=strip.view.visualRect(index).center())


def test_number_keys_choose_in_the_order_of_the_strip(controls: Session, qtbot: QtBot, picture: Path) -> None:
    """The key of the first tile was 4, and 1 pressed twice returned to the background before."""
    add(controls, qtbot, picture)
    qtbot.waitUntil(lambda: len(tiles(controls)) > 10)
    activate(controls, qtbot)
    keys = (Qt.Key(Qt.Key.Key_0 + number) for number in range(1, 10))
    for place, key in enumerate(keys):
        for _again in range(3):
            qtbot.keyClick(controls.window, key)
            assert tiles(controls)[place].chosen_by(chosen(controls)), f"key {place + 1}"
            assert controls.window.strip.model.number(place) == place + 1
    qtbot.keyClick(controls.window, Qt.Key.Key_1)
    qtbot.keyClick(controls.window, Qt.Key.Key_1)
    assert chosen(controls).kind == "blur"
    listed = named_background("4", chosen(controls), named_tiles("#102030"))
    assert listed.path == tiles(controls)[3].path == own(controls)[0].path, "`ctl background` has the same numbers"
    click(controls, qtbot, TileKind.GREEN)
    click(controls, qtbot, TileKind.GREEN)
    assert chosen(controls).colour == "#00b140"


def test_one_key_always_hides_the_user_and_never_shows_them(controls: Session, qtbot: QtBot) -> None:
    """P pressed twice in haste showed the user again."""
    activate(controls, qtbot)
    for _again in range(3):
        qtbot.keyClick(controls.window, Qt.Key.Key_H)
        assert controls.store.current.paused
    controls.store.set("paused", False)
    controls.window.windows.open_preferences()
    dialog = find(controls.window, QDialog, "preferencesDialog")
    dialog.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_H)
    assert controls.store.current.paused, "a dialog in front does not take the key"
    assert "H always hides you" in button(controls, "pauseButton").toolTip()


@pytest.mark.parametrize("way", ["key", "click"])
def test_a_blur_that_shows_text_replaces_an_image_after_a_question(controls: Session, qtbot: QtBot, way: str) -> None:
    """A single key showed a readable room."""
    controls.store.edit("matting.edges", strict="off")
    controls.store.edit("background", kind="blur", blur_strength=20)
    click(controls, qtbot, TileKind.GREEN)
    assert asked(controls, QUESTION) is None and chosen(controls).kind == "colour"
    for text, kind in (("Keep it hidden", "colour"), ("Show it", "blur")):
        if way == "click":
            click(controls, qtbot, TileKind.BLUR)
        else:
            activate(controls, qtbot)
            qtbot.keyClick(controls.window, Qt.Key.Key_1)
        assert chosen(controls).kind == "colour"
        answer(controls, qtbot, QUESTION, text)
        qtbot.waitUntil(lambda: asked(controls, QUESTION) is None)
        assert chosen(controls).kind == kind
    click(controls, qtbot, TileKind.GREEN)
    controls.store.edit("background", blur_strength=70)
    click(controls, qtbot, TileKind.BLUR)
    assert asked(controls, QUESTION) is None and chosen(controls).kind == "blur"


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


OWN = {"kind": "colour", "colour": "#3a5f8a"}
GREEN = {"kind": "colour", "colour": "#00b140"}


@pytest.mark.parametrize(
    ("before", "meanwhile", "after"),
    [
        (GREEN, {}, GREEN),
        ({"kind": "none"}, {}, OWN),
        ({"kind": "image", "path": Path("beach.png")}, {"kind": "blur"}, {"kind": "blur"}),
        ({"kind": "blur"}, GREEN, GREEN),
    ],
)
def test_a_colour_is_in_use_while_it_is_picked_and_goes_with_a_cancelled_dialog(
    controls: Session, before: dict[str, object], meanwhile: dict[str, object], after: dict[str, object]
) -> None:
    """What was chosen beside the dialog was undone, and after "None" the colour stayed. The room never comes back."""
    controls.store.edit("background", **before)
    controls.window.strip.choose_colour()
    dialog = find(controls.window, QColorDialog)
    dialog.setCurrentColor(QColor("#3060a0"))
    assert (chosen(controls).kind, chosen(controls).colour) == ("colour", "#3060a0")
    assert controls.store.current.window.own_colour == "#3060a0"
    controls.store.edit("background", **meanwhile)  # as the menu of the tray does
    dialog.reject()
    assert after.items() <= dict(chosen(controls)).items()
    assert controls.store.current.window.own_colour == OWN["colour"]


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


def test_an_added_file_is_the_first_file_shown_and_marked(controls: Session, qtbot: QtBot, picture: Path) -> None:
    strip = controls.window.strip
    strip.view.setFocus()
    strip.view.setCurrentIndex(strip.model.index(len(strip.model.tiles) - 1))  # far from where the new tile is
    tile = add(controls, qtbot, picture)
    index = strip.model.index(3)
    assert strip.model.tiles[3] == tile, "own pictures come first of the files"
    assert strip.view.currentIndex() == index
    assert strip.model.chosen_row == 3
    viewport = existing(strip.view.viewport())
    qtbot.waitUntil(lambda: viewport.rect().contains(strip.view.visualRect(index).center()))


def shows(session: Session, colour: tuple[int, int, int]) -> bool:
    """Whether the upper left corner of the output has this colour."""
    newest = session.bridge.picture
    return newest is not None and newest.kind is PictureKind.COMPOSITE and is_near(newest.image, colour)


def is_near(image: BgrImage, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(image[1, 1].astype(int) - np.array(colour)).max() < 3)


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


def test_what_is_dropped_is_added(controls: Session, qtbot: QtBot, picture: Path, tmp_path: Path) -> None:
    """Files, and images of a browser, on the tiles and elsewhere; a border marks the tiles meanwhile."""
    strip = controls.window.strip
    assert drag_over(controls.window, mime_of(picture))
    assert strip.view.property("dropTarget")
    QApplication.sendEvent(controls.window, QDragLeaveEvent())
    assert not strip.view.property("dropTarget")
    nothing = QMimeData()
    nothing.setText("a text")
    drag_over(controls.window, nothing)
    assert not strip.view.property("dropTarget"), "a text cannot be added"
    drop(controls.window, mime_of(picture))
    qtbot.waitUntil(lambda: [tile.name for tile in own(controls)] == ["beach"])
    drop(strip.view.viewport(), mime_of(write_clip(tmp_path / "waves.avi")))
    qtbot.waitUntil(lambda: chosen(controls).kind == "video")
    qtbot.waitUntil(lambda: [tile.kind for tile in own(controls)] == [TileKind.IMAGE, TileKind.VIDEO])
    qtbot.waitUntil(lambda: all(strip.model.image_of(tile) is not None for tile in own(controls)))
    image = QImage(50, 31, QImage.Format.Format_RGB32)
    image.fill(QColor(10, 200, 30))
    mime = QMimeData()
    mime.setImageData(image)
    mime.setUrls([QUrl("https://example.org/meadow.jpg")])
    drop(strip.view.viewport(), mime)
    qtbot.waitUntil(lambda: len(own(controls)) == 3 and chosen(controls).kind == "image")
    assert is_near(read_image(existing(chosen(controls).path)), (30, 200, 10))


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
    assert "no image to paste" in session.window.notices.error


def test_a_file_that_is_no_picture_does_not_enter_the_library(controls: Session, qtbot: QtBot, tmp_path: Path) -> None:
    for name, words in (("broken.jpg", "broken.jpg"), ("notes.txt", "notes.txt is neither an image nor a video")):
        (tmp_path / name).write_bytes(b"not a picture at all")
        controls.window.strip.library.add_files([tmp_path / name])
        qtbot.waitUntil(lambda words=words: words in controls.window.notices.error)  # type: ignore[misc]
    assert not own(controls)
    assert not list(paths.backgrounds_dir().glob("*"))
    assert chosen(controls).kind == "blur"


@pytest.mark.usefixtures("each_language")
def test_how_an_image_fits_is_readable_in_a_narrow_window(
    controls: Session, qtbot: QtBot, tasks: Tasks, picture: Path
) -> None:
    strip = BackgroundStrip(controls.store, tasks)
    qtbot.addWidget(strip)
    strip.resize(480, 160)  # as in a window of 800 pixels
    strip.show()
    fit = find(strip, ElidedComboBox, "fitCombo")
    controls.store.edit("background", kind="image", path=picture)
    holder = existing(fit.parentWidget())
    qtbot.waitUntil(lambda: 0 < fit.geometry().right() < holder.width())
    assert fit.shown_text() == fit.currentText() != ""


def blur(strength: float, level: StrictLevel) -> Settings:
    """Settings of a blur."""
    settings = QUIET.replaced_at(("matting", "edges"), strict=level)
    return settings.replace(background=BackgroundSettings(kind="blur", blur_strength=strength))


def test_the_preview_says_from_where_on_text_can_be_read(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window(blur(69, "off"))
    qtbot.waitUntil(lambda: said(session, "readableBadge") == "Text behind you can be read")
    for name, hides, reads in (("background.blur_strength", 70, 0), ("paused", True, False)):
        session.store.set(name, hides)
        qtbot.waitUntil(lambda: said(session, "readableBadge") == "")
        session.store.set(name, reads)
        qtbot.waitUntil(lambda: said(session, "readableBadge") != "")
    session.store.set("edges.strict", "balanced")
    qtbot.waitUntil(lambda: said(session, "readableBadge") == "")
    assert find(session.window, StillSlider, "blurSlider").value() == 70


def test_the_strength_that_hides_text_is_marked_where_the_level_allows_less(controls: Session, qtbot: QtBot) -> None:
    controls.store.change(lambda _settings: blur(30, "off"))
    marked = find(controls.window, StillSlider, "blurSlider")
    qtbot.waitUntil(lambda: marked.isVisible() and marked.mark == 70)
    assert "from the mark on, text is unreadable" in marked.toolTip()
    with_mark = marked.grab().toImage()
    controls.store.set("edges.strict", "balanced")
    assert marked.mark is None
    assert (marked.minimum(), marked.value()) == (70, 70), "what is shown"
    assert "at every strength" in marked.toolTip()
    controls.store.set("edges.strict", "off")
    controls.store.edit("background", blur_strength=30)
    marked.set_mark(None)
    plain = marked.grab().toImage()
    changed = [
        x
        for x in range(plain.width())
        if any(QColor(plain.pixel(x, y)) != QColor(with_mark.pixel(x, y)) for y in range(plain.height()))
    ]
    assert changed
    assert all(abs(x / plain.width() - 0.7) < 0.05 for x in changed), changed
