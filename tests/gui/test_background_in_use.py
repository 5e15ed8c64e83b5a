"""The background in use: its colour and its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QFile, Qt
from PyQt6.QtGui import QColor, QImage, QTextDocumentFragment
from PyQt6.QtWidgets import QColorDialog, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from app.core.files import paths
from app.core.settings import WindowSettings
from app.gui.backgrounds.files import add_picture
from app.gui.shell.application import Session
from app.gui.widgets.controls import NameButton
from app.media.image_file import MAX_SIDE
from tests.gui.conftest import StartWindow
from tests.gui.widgets import add, answer, asked, button, chosen, existing, find, own, tiles


def test_the_tile_and_the_dialog_have_the_colour_that_is_in_use(controls: Session) -> None:
    """Both had the last one that was picked, while another came from `ctl` or a scene."""
    for colour, shown in (("#ff0000", "#ff0000"), ("#00b140", "#3a5f8a")):
        controls.store.edit("background", kind="colour", colour=colour)
        assert controls.window.strip.model.colour == shown
        button(controls, "colourButton").click()
        dialog = controls.window.findChildren(QColorDialog)[-1]
        assert dialog.currentColor().name() == shown
        dialog.accept()


def test_a_name_has_no_key(qtbot: QtBot, controls: Session, tmp_path: Path) -> None:
    """The folder "R&D" was called "RD"."""
    shown = []
    for name in ("R&D", "RD"):
        made = NameButton(name)
        qtbot.addWidget(made)
        made.resize(120, 30)
        shown.append(made.grab().toImage())
    assert shown[0] != shown[1]
    picture = tmp_path / "Tom & Jerry.png"
    cv2.imwrite(str(picture), np.zeros((9, 16, 3), np.uint8))
    add(controls, qtbot, picture)
    controls.lifecycle.tray.fill()
    backgrounds = existing(controls.lifecycle.tray.menu.actions()[2].menu())
    assert "Tom && Jerry" in [each.text() for each in backgrounds.actions()]


def test_a_picture_with_a_long_name_is_added(controls: Session, qtbot: QtBot) -> None:
    """Addresses of pictures on the web end in hundreds of characters: an unexpected error was reported."""
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(0xFF336699)
    library = controls.window.strip.library
    for number, name in enumerate(("é" * 300, "::", "a/b")):
        library.add_image(image, name)
        qtbot.waitUntil(lambda number=number: len(own(controls)) == number + 1)  # type: ignore[misc]
    assert {tile.name for tile in own(controls)} == {"é" * 60, "Image", "ab"}
    assert not controls.window.notices.error


def test_a_pasted_picture_is_kept_no_larger_than_outputs_need() -> None:
    """One beyond the limit of the reader became a broken tile."""
    path = add_picture(np.zeros((100, 2 * MAX_SIDE, 3), np.uint8), "panorama")
    assert existing(cv2.imread(str(path))).shape == (50, MAX_SIDE, 3)


def test_a_tool_tip_shows_a_name_that_looks_like_html_as_it_is(controls: Session, qtbot: QtBot) -> None:
    folder = paths.backgrounds_dir()
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "a <b>bold\nplan.png"), np.zeros((9, 16, 3), np.uint8))
    controls.window.strip.library.reload()
    qtbot.waitUntil(lambda: bool(own(controls)))
    model = controls.window.strip.model
    index = model.index(model.tiles.index(own(controls)[0]))
    tip = QTextDocumentFragment.fromHtml(str(model.data(index, Qt.ItemDataRole.ToolTipRole))).toPlainText()
    assert "a <b>bold\nplan" in tip


def test_a_background_that_cannot_be_moved_to_the_trash_is_kept_and_in_use_until_the_user_deletes_it(
    controls: Session, qtbot: QtBot, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After "Keep" blur was in its place."""
    monkeypatch.setattr(QFile, "moveToTrash", lambda _name: (False, ""))
    tile = add(controls, qtbot, picture)
    controls.store.edit("background", zoom=2)
    before = chosen(controls)
    for reply, kept in (("Keep", True), ("Delete for good", False)):
        controls.window.strip.remove(tile)
        assert chosen(controls).kind == "blur", "the file is closed before it is moved"
        question = answer(controls, qtbot, "deletionQuestion", reply)
        assert "“beach” could not be moved to the trash and was kept" in question.text()
        assert existing(question.defaultButton()).text() == "Keep"
        qtbot.waitUntil(lambda: asked(controls, "deletionQuestion") is None)
        assert (chosen(controls) == before) is kept
        assert not kept or existing(tile.path).exists()
    qtbot.waitUntil(lambda: not own(controls))
    assert chosen(controls).kind == "blur" and not existing(tile.path).exists()


def test_a_background_that_is_restored_is_in_use_again_unless_another_one_was_chosen(
    controls: Session, qtbot: QtBot, picture: Path
) -> None:
    strip = controls.window.strip
    tile = add(controls, qtbot, picture)
    undo: list[Callable[[], object]] = []
    strip.library.removed.connect(lambda _name, restore: undo.append(restore))
    for other in (None, "Blur", "Green"):
        strip.choose(tile)
        qtbot.waitUntil(lambda: chosen(controls).path == tile.path and chosen(controls).kind == "image")
        before = chosen(controls)
        strip.remove(tile)
        qtbot.waitUntil(lambda: bool(undo) and not own(controls))
        if other is not None:
            strip.choose(next(each for each in tiles(controls) if each.name == other))
        expected = before if other is None else chosen(controls)
        with qtbot.waitSignal(strip.library.restored):
            undo.pop()()
        assert chosen(controls) == expected
        qtbot.waitUntil(lambda: own(controls) == [tile])


def to_the_tray(session: Session) -> None:
    session.window.close()


def at_the_end(session: Session) -> None:
    session.lifecycle.end()


@pytest.mark.parametrize("go", [to_the_tray, at_the_end])
def test_a_colour_that_is_not_confirmed_goes_with_its_dialog(
    start_window: StartWindow, monkeypatch: pytest.MonkeyPatch, go: Callable[[Session], None]
) -> None:
    """It stayed in use, and was saved."""
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    session = start_window(window=WindowSettings(first_run_done=True, close_to_tray=True))
    before, own = session.store.current.background, session.store.current.window.own_colour
    session.window.strip.choose_colour()
    find(session.window, QColorDialog).setCurrentColor(QColor("#ff0080"))
    assert session.store.current.background.colour == "#ff0080"
    go(session)
    assert session.store.current.background == before
    assert session.store.saved.window.own_colour == own
