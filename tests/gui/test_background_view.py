"""The view of the background: zoom, place, and how it fits."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from PyQt6.QtCore import QLocale, QPoint, Qt
from PyQt6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.shell.application import Session
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import ElidedComboBox
from tests.gui.widgets import (
    bring_up,
    button,
    chosen,
    drag,
    existing,
    find,
    slider,
    translate,
)


@pytest.mark.parametrize("mirror", [True, False])
def test_the_background_is_zoomed_panned_and_centred(
    controls: Session, qtbot: QtBot, tmp_path: Path, mirror: bool
) -> None:
    """The preview mirrors the background only where the outputs are mirrored."""
    controls.store.edit("output", mirror=mirror)
    Image.new("RGB", (640, 100)).save(tmp_path / "wide.png")
    zoom, across = slider(controls, "background.zoom"), slider(controls, "background.pan_x")
    bring_up(controls, zoom)
    controls.store.edit("background", kind="blur")
    qtbot.waitUntil(lambda: not zoom.isEnabled())
    controls.store.edit("background", kind="image", path=tmp_path / "wide.png")
    qtbot.waitUntil(zoom.isEnabled)
    drag(qtbot, zoom, 0.5)
    assert 2 < chosen(controls).zoom < 3
    drag(qtbot, across, 1.0)
    assert chosen(controls).pan_x == pytest.approx(1 if mirror else -1)
    drag(qtbot, slider(controls, "background.pan_y"), 0.0)
    assert chosen(controls).pan_y == pytest.approx(1)
    qtbot.mouseClick(button(controls, "backgroundReset"), Qt.MouseButton.LeftButton)
    assert (chosen(controls).zoom, chosen(controls).pan_x, chosen(controls).pan_y) == (1, 0, 0)


def test_the_list_of_fits_is_whole_and_beside_its_caption(controls: Session, qtbot: QtBot, picture: Path) -> None:
    controls.store.edit("background", kind="image", path=picture)
    controls.window.resize(1400, 840)
    choice = find(controls.window, ElidedComboBox, "fitCombo")
    choice.setItemText(1, "Show the whole image in another language")
    choice.setCurrentIndex(1)
    (caption,) = (each for each in controls.window.strip.findChildren(QLabel) if each.text() == "Fit")

    def gap() -> int:
        end = caption.mapTo(controls.window, QPoint(caption.width(), 0))
        return choice.mapTo(controls.window, QPoint()).x() - end.x()

    qtbot.waitUntil(lambda: choice.isVisible() and 0 <= gap() <= 20)
    qtbot.waitUntil(lambda: choice.shown_text() == choice.currentText())


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_how_an_image_fits_is_readable_in_a_narrow_window(
    controls: Session, qapp: QApplication, qtbot: QtBot, picture: Path, language: str
) -> None:
    with translate(qapp, QLocale(language)), closing(Tasks()) as tasks:
        strip = BackgroundStrip(controls.store, tasks)
        qtbot.addWidget(strip)
        strip.resize(480, 160)  # as in a window of 800 pixels
        strip.show()
        fit = find(strip, ElidedComboBox, "fitCombo")
        controls.store.edit("background", kind="image", path=picture)
        holder = existing(fit.parentWidget())
        qtbot.waitUntil(lambda: 0 < fit.geometry().right() < holder.width())
        assert fit.shown_text() == fit.currentText() != ""
