"""The background in use: its colour, its name, keys that turn slides, and the place when a presentation ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QFile, QLocale, Qt
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QApplication, QColorDialog, QSlider
from pytestqt.qtbot import QtBot

from app.gui.panels.presenter import PresenterControls
from app.gui.shell.application import Session
from app.gui.widgets.controls import NameButton
from tests.gui.conftest import StartWindow, activate
from tests.gui.widgets import add, answer, asked, box, button, chosen, existing, find, own, talk, tiles, translate


def test_the_tile_and_the_dialog_have_the_colour_that_is_in_use(controls: Session, qtbot: QtBot) -> None:
    """Both had the last one that was picked, while another came from `ctl` or a scene."""
    model = controls.window.strip.model
    for colour, shown in (("#ff0000", "#ff0000"), ("#00b140", "#3a5f8a")):
        controls.store.edit("background", kind="colour", colour=colour)
        assert model.colour == shown
        controls.window.strip.choose_colour()
        dialog = controls.window.findChildren(QColorDialog)[-1]
        assert dialog.currentColor().name() == shown
        dialog.accept()


def test_the_keys_that_turn_slides_move_a_slider_while_there_are_none(controls: Session, qtbot: QtBot) -> None:
    activate(controls, qtbot)
    slider = find(controls.window, QSlider, "blurSlider")
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_PageUp)
    assert chosen(controls).blur_strength == 60
    qtbot.keyClick(slider, Qt.Key.Key_PageDown)
    assert chosen(controls).blur_strength == 50


def test_ending_returns_to_the_place_before(controls: Session, tmp_path: Path) -> None:
    """It moved whoever had chosen a place back to the middle."""
    controls.store.edit("placement", scale=0.7, x=0.2)
    before = controls.store.current
    find(controls.window, PresenterControls).present(talk(tmp_path))
    controls.store.edit("placement", scale=0.3)
    button(controls, "presentEnd").click()
    assert controls.store.current == before


@pytest.mark.parametrize(("target", "title"), [("screen:2", "Bildschirm 2"), ("window:Talk: 1", "Talk: 1")])
def test_the_screen_in_use_has_its_title_in_the_list(
    start_window: StartWindow, qapp: QApplication, target: str, title: str
) -> None:
    """After a start, or by `ctl`, it was called "screen:2" until the list was opened."""
    with translate(qapp, QLocale("de")):
        session = start_window(shown=False)
        session.store.edit("background", kind="screen", screen=target)
        choice = box(session, "screenCombo")
        assert (choice.currentText(), choice.currentData()) == (title, target)
        session.store.edit("background", kind="blur")
        assert [choice.itemData(row) for row in range(choice.count())] == [None]


def test_a_name_has_no_key(qtbot: QtBot, controls: Session, tmp_path: Path) -> None:
    """The folder "R&D" was called "RD"."""
    made = NameButton("R&D")
    qtbot.addWidget(made)
    for each in (made, plain := NameButton("RD")):
        each.setStyleSheet("QPushButton { border: 0; background: white; color: black }")
        each.resize(120, 30)
    qtbot.addWidget(plain)
    assert width_of_ink(made.grab().toImage()) > width_of_ink(plain.grab().toImage()) + 4
    picture = tmp_path / "Tom & Jerry.png"
    cv2.imwrite(str(picture), np.zeros((9, 16, 3), np.uint8))
    add(controls, qtbot, picture)
    controls.tray.fill()
    backgrounds = existing(controls.tray.menu.actions()[2].menu())
    assert backgrounds.actions()[0].text() == "Tom && Jerry"


def width_of_ink(image: QImage) -> int:
    """Return the distance in pixels from the first dark column to the last."""
    columns = [
        x
        for x in range(image.width())
        if any(QColor(image.pixel(x, y)).lightness() < 128 for y in range(image.height()))
    ]
    return columns[-1] - columns[0]


def test_a_picture_with_a_long_name_is_added(controls: Session, qtbot: QtBot) -> None:
    """Addresses of pictures on the web end in hundreds of characters: an unexpected error was reported."""
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(0xFF336699)
    library = controls.window.strip.library
    for number, name in enumerate(("é" * 300, "::", "a/b")):
        library.add_image(image, name)
        qtbot.waitUntil(lambda number=number: len(own(controls)) == number + 1)  # type: ignore[misc]
    assert {tile.name for tile in own(controls)} == {"é" * 60, "Image", "ab"}
    assert not controls.window.error_bar.text


def test_a_key_returns_to_a_background_that_was_renamed(controls: Session, qtbot: QtBot, picture: Path) -> None:
    tile = add(controls, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(controls).path == tile.path)
    strip = controls.window.strip
    strip.toggle(2)
    assert chosen(controls).kind == "colour"
    strip.library.rename(tile, "Seaside")
    qtbot.waitUntil(lambda: [each.name for each in own(controls)] == ["Seaside"])
    strip.toggle(2)
    assert chosen(controls).path == own(controls)[0].path


def test_a_background_in_use_that_is_kept_stays_in_use(
    controls: Session, qtbot: QtBot, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After "Keep" blur was in its place."""
    monkeypatch.setattr(QFile, "moveToTrash", lambda _name: (False, ""))
    tile = add(controls, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(controls).path == tile.path)
    controls.store.edit("background", zoom=2)
    before = chosen(controls)
    for reply, kept in (("Keep", True), ("Delete for good", False)):
        controls.window.strip.remove(tile)
        assert chosen(controls).kind == "blur", "the file is closed before it is moved"
        answer(controls, qtbot, "deletionQuestion", reply)
        qtbot.waitUntil(lambda: asked(controls, "deletionQuestion") is None)
        assert (chosen(controls) == before) is kept
    qtbot.waitUntil(lambda: not own(controls))
    assert chosen(controls).kind == "blur"


@pytest.mark.parametrize("other", [None, "Blur", "Green"])
def test_a_background_that_is_restored_is_in_use_again_unless_another_one_was_chosen(
    session: Session, qtbot: QtBot, picture: Path, other: str | None
) -> None:
    tile = add(session, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(session).path == tile.path)
    before, strip = chosen(session), session.window.strip
    undo: list[Callable[[], object]] = []
    strip.library.removed.connect(lambda _name, restore: undo.append(restore))
    strip.remove(tile)
    qtbot.waitUntil(lambda: bool(undo) and not own(session))
    if other is not None:
        strip.choose(next(each for each in tiles(session) if each.name == other))
    expected = before if other is None else chosen(session)
    with qtbot.waitSignal(strip.library.restored):
        undo[0]()
    assert chosen(session) == expected
