"""The background strip: selection, adding, renaming, removing, damaged files."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PyQt6.QtWidgets import QApplication, QFileDialog, QInputDialog, QListView, QPushButton, QSlider, QStackedWidget
from pytestqt.qtbot import QtBot

from app.config import paths
from app.core.settings import BackgroundSettings
from app.core.types import PictureKind
from app.gui.backgrounds.item import Tile, TileKind
from app.gui.shell.application import Session
from tests.gui.conftest import activate
from tests.gui.widgets import button


def chosen(session: Session) -> BackgroundSettings:
    return session.pipeline.settings.background


def tiles(session: Session) -> tuple[Tile, ...]:
    return session.window.strip.model.tiles


def click(session: Session, qtbot: QtBot, row: int) -> None:
    view = session.window.strip.view
    view.scrollTo(view.model().index(row, 0))  # type: ignore[union-attr]
    rect = view.visualRect(session.window.strip.model.index(row))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "beach.png"
    cv2.imwrite(str(path), np.full((90, 160, 3), (200, 120, 30), np.uint8))
    return path


def own(session: Session) -> list[Tile]:
    return [tile for tile in tiles(session) if tile.own]


def add(session: Session, qtbot: QtBot, path: Path) -> Tile:
    session.window.strip.library.add_files([path])
    qtbot.waitUntil(lambda: bool(own(session)))
    return own(session)[-1]


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


def test_added_file_reaches_the_output(session: Session, qtbot: QtBot, picture: Path) -> None:
    button = session.window.findChild(QPushButton, "addBackgroundButton")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    dialog = session.window.findChild(QFileDialog)
    assert dialog is not None
    dialog.filesSelected.emit([str(picture)])
    dialog.reject()
    qtbot.waitUntil(lambda: chosen(session).kind == "image")
    copy = chosen(session).path
    assert copy is not None
    assert copy.parent == paths.backgrounds_dir()
    assert copy.read_bytes() == picture.read_bytes()
    qtbot.waitUntil(lambda: shows(session, (200, 120, 30)))
    qtbot.waitUntil(lambda: bool(own(session)) and session.window.strip.model.has_image(own(session)[0]))


def shows(session: Session, colour: tuple[int, int, int]) -> bool:
    """Whether the upper left corner of the output has this colour."""
    newest = session.bridge.picture
    if newest is None or newest.kind is not PictureKind.COMPOSITE:
        return False
    return bool(np.abs(newest.image[1, 1].astype(int) - np.array(colour)).max() < 3)


@pytest.mark.parametrize("target", ["viewport", "window"])
def test_a_dropped_file_is_added(session: Session, qtbot: QtBot, picture: Path, target: str) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(picture))])
    drop(session, mime, target)
    qtbot.waitUntil(lambda: chosen(session).kind == "image")
    qtbot.waitUntil(lambda: [tile.name for tile in own(session)] == ["beach"])


def test_image_dropped_from_a_browser_is_saved_as_a_file(session: Session, qtbot: QtBot) -> None:
    image = QImage(50, 31, QImage.Format.Format_RGB32)
    image.fill(QColor(10, 200, 30))
    mime = QMimeData()
    mime.setImageData(image)
    mime.setUrls([QUrl("https://example.org/meadow.jpg")])
    drop(session, mime, "viewport")
    qtbot.waitUntil(lambda: shows(session, (30, 200, 10)))
    qtbot.waitUntil(lambda: len(own(session)) == 1)


def drop(session: Session, mime: QMimeData, target: str) -> None:
    widget = session.window.strip.view.viewport() if target == "viewport" else session.window
    assert widget is not None
    action, mouse, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), action, mime, mouse, keys)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(5, 5), action, mime, mouse, keys)
    QApplication.sendEvent(widget, event)
    assert event.isAccepted()


def test_copied_image_is_pasted(session: Session, qtbot: QtBot) -> None:
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    image = QImage(40, 30, QImage.Format.Format_ARGB32)
    image.fill(QColor(250, 10, 10))
    clipboard.setImage(image)
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: shows(session, (10, 10, 250)))
    clipboard.setText("no picture")
    qtbot.keyClick(session.window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "no image to paste" in session.window.error_bar.text


def test_a_background_is_renamed_and_stays_in_use(session: Session, qtbot: QtBot, picture: Path) -> None:
    tile = add(session, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(session).path == tile.path)
    session.window.strip.ask_for_name(tile)
    dialog = session.window.findChild(QInputDialog)
    assert dialog is not None
    dialog.setTextValue("Sea/side")
    dialog.accept()
    qtbot.waitUntil(lambda: [tile.name for tile in own(session)] == ["Seaside"])
    qtbot.waitUntil(lambda: chosen(session).path == paths.backgrounds_dir() / "Seaside.png")


def test_rename_to_an_existing_name_fails(session: Session, qtbot: QtBot, picture: Path) -> None:
    add(session, qtbot, picture)
    session.window.strip.library.add_files([picture])
    qtbot.waitUntil(lambda: len(own(session)) == 2)
    second = next(tile for tile in own(session) if tile.name == "beach 2")
    session.window.strip.library.rename(second, "beach")
    qtbot.waitUntil(lambda: "already" in session.window.error_bar.text)
    assert {tile.name for tile in own(session)} == {"beach", "beach 2"}


def test_removing_the_background_in_use_switches_to_blur(session: Session, qtbot: QtBot, picture: Path) -> None:
    tile = add(session, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(session).path == tile.path)
    activate(session, qtbot)
    view = session.window.strip.view
    view.setFocus()
    view.setCurrentIndex(session.window.strip.model.index(tiles(session).index(tile)))
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert chosen(session).kind == "blur"
    qtbot.waitUntil(lambda: not own(session))
    assert tile.path is not None
    assert not tile.path.exists()
    assert picture.exists(), "only the copy was removed"


def test_a_removed_background_can_be_restored(session: Session, qtbot: QtBot, picture: Path) -> None:
    tile = add(session, qtbot, picture)
    assert tile.path is not None
    session.window.strip.remove(tile)
    qtbot.waitUntil(lambda: "beach" in session.window.notices.text_of("removedNotice"))
    assert not tile.path.exists()
    qtbot.waitUntil(lambda: not own(session))
    button(session, "removedNoticeAction0").click()
    qtbot.waitUntil(lambda: [tile.name for tile in own(session)] == ["beach"])
    assert tile.path.read_bytes() == picture.read_bytes()
    assert not session.window.notices.texts


def test_a_reload_keeps_the_current_tile(session: Session, qtbot: QtBot) -> None:
    strip = session.window.strip
    strip.view.setCurrentIndex(strip.model.index(3))
    with qtbot.waitSignal(strip.model.modelReset):
        strip.library.reload()
    assert strip.view.currentIndex().row() == 3


def test_the_tile_beside_a_removed_one_becomes_the_current_one(
    session: Session, qtbot: QtBot, picture: Path, tmp_path: Path
) -> None:
    names = [picture, *(tmp_path / f"{name}.png" for name in ("city", "dune"))]
    for name in names[1:]:
        name.write_bytes(picture.read_bytes())
    session.window.strip.library.add_files(names)
    qtbot.waitUntil(lambda: len(own(session)) == 3)
    qtbot.waitUntil(lambda: chosen(session).kind == "image")
    session.store.edit("background", kind="blur")
    activate(session, qtbot)
    view = session.window.strip.view
    view.setFocus()
    view.setCurrentIndex(session.window.strip.model.index(tiles(session).index(own(session)[1])))
    for left, current in ((2, "dune"), (1, "beach")):
        qtbot.keyClick(view, Qt.Key.Key_Delete)
        qtbot.waitUntil(lambda left=left: len(own(session)) == left)  # type: ignore[misc]
        assert view.hasFocus()
        assert view.currentIndex().data() == current


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


def test_bundled_tiles_cannot_be_removed_or_renamed(session: Session, qtbot: QtBot) -> None:
    before = tiles(session)
    for tile in before:
        session.window.strip.remove(tile)
        session.window.strip.ask_for_name(tile)
    assert tiles(session) == before
    assert session.window.findChild(QInputDialog) is None


def test_a_damaged_file_does_not_enter_the_library(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture at all")
    session.window.strip.library.add_files([broken])
    qtbot.waitUntil(lambda: "broken.jpg" in session.window.error_bar.text)
    assert not own(session)
    assert not list(paths.backgrounds_dir().glob("broken*"))
    assert chosen(session).kind == "blur"


def test_a_file_that_was_damaged_later_is_marked(session: Session, qtbot: QtBot) -> None:
    paths.backgrounds_dir().mkdir(parents=True, exist_ok=True)
    (paths.backgrounds_dir() / "broken.jpg").write_bytes(b"not a picture at all")
    session.window.strip.library.reload()
    qtbot.waitUntil(lambda: bool(own(session)) and bool(own(session)[0].broken))
    model = session.window.strip.model
    index = model.index(len(tiles(session)) - 1)
    assert "broken.jpg" in str(model.data(index, int(Qt.ItemDataRole.ToolTipRole)))


def test_unsupported_file_type_is_rejected_with_an_error(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    session.window.strip.library.add_files([text])
    qtbot.waitUntil(lambda: "notes.txt is neither an image nor a video" in session.window.error_bar.text)
    assert not own(session)


def test_video_tiles_have_a_badge(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "waves.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for shade in range(5):
        writer.write(np.full((48, 64, 3), 40 * shade, np.uint8))
    writer.release()
    tile = add(session, qtbot, path)
    assert tile.kind is TileKind.VIDEO
    qtbot.waitUntil(lambda: chosen(session).kind == "video")
    qtbot.waitUntil(lambda: session.window.strip.model.has_image(tile))


def test_context_menu_of_a_tile(session: Session, qtbot: QtBot, picture: Path) -> None:
    tile = add(session, qtbot, picture)
    strip = session.window.strip
    row = tiles(session).index(tile)
    strip.view.scrollTo(strip.model.index(row))
    menu = strip.make_menu(tile)
    assert [action.text() for action in menu.actions() if action.text()] == ["Use", "Rename…", "Remove", "Add…"]
    fixed = strip.make_menu(tiles(session)[1])
    assert [action.text() for action in fixed.actions() if action.text()] == ["Use", "Add…"]
    assert isinstance(strip.view, QListView)
    strip.view.customContextMenuRequested.emit(QPoint(3, 3))
