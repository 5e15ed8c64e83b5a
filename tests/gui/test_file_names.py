"""Names of files are shown as they are, followed when they change, and shortened where they are too long."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PyQt6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from app.gui.shell.application import Session
from app.gui.widgets.controls import NameButton
from tests.gui.widgets import add, chosen, existing, own


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
