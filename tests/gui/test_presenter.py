"""Presenter mode and the view of the background in the window."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from PyQt6.QtCore import QLocale, Qt
from PyQt6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.core.placement import IN_PLACE, in_corner
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.i18n.language import translate
from app.gui.panels.presenter import PresenterControls
from app.gui.shell.application import Session
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import ElidedComboBox
from app.runtime.status import PipelineStatus
from tests.gui.conftest import activate
from tests.gui.controls import Controls
from tests.gui.fitting import far_captions
from tests.gui.widgets import bring_up, button, chosen, drag, existing, find, ready, slider


def talk(folder: Path) -> Path:
    for number in range(3):
        Image.new("RGB", (64, 36), (80 * number, 0, 0)).save(folder / f"{number}.png")
    return folder


def test_presenting_shows_slides_and_the_person_in_a_corner(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    ready(session, qtbot)
    activate(session, qtbot)
    before = chosen(session)
    presenter = find(session.window, PresenterControls)
    end = button(session, "presentEnd")
    assert not end.isEnabled()
    presenter.present(talk(tmp_path))
    assert chosen(session) == before.replace(kind="slides", path=tmp_path, fit="fit")
    assert session.store.current.placement == in_corner("bottom-right")
    shown = find(session.window, QLabel, "slideNumber")
    qtbot.waitUntil(lambda: shown.text() == "1 / 3")
    qtbot.waitUntil(lambda: far_captions(session.window.strip) == [])
    qtbot.mouseClick(button(session, "nextSlide"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shown.text() == "2 / 3")
    button(session, "nextSlide").clearFocus()  # a button that has no effect any more keeps the focus until then
    qtbot.keyClick(session.window, Qt.Key.Key_PageDown)
    qtbot.keyClick(session.window, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: shown.text() == "3 / 3" and not button(session, "nextSlide").isEnabled())
    qtbot.keyClick(session.window, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: chosen(session).slide == 2)
    bring_up(session, end)
    qtbot.mouseClick(end, Qt.MouseButton.LeftButton)
    assert chosen(session) == before
    assert session.store.current.placement == IN_PLACE


def test_ending_never_returns_to_the_room(controls: Controls, qtbot: QtBot, tmp_path: Path) -> None:
    ready(controls, qtbot)
    controls.store.edit("background", kind="none")
    find(controls.window, PresenterControls).present(talk(tmp_path))
    end = button(controls, "presentEnd")
    bring_up(controls, end)
    qtbot.mouseClick(end, Qt.MouseButton.LeftButton)
    assert chosen(controls).kind == "blur"


@pytest.mark.parametrize("mirror", [True, False])
def test_the_background_is_zoomed_panned_and_centred(
    controls: Controls, qtbot: QtBot, tmp_path: Path, mirror: bool
) -> None:
    """The preview mirrors the background only where the outputs are mirrored."""
    controls.store.edit("output", mirror=mirror)
    Image.new("RGB", (640, 100)).save(tmp_path / "wide.png")
    zoom, across = slider(controls, "backgroundZoomSlider"), slider(controls, "backgroundXSlider")
    bring_up(controls, zoom)
    controls.store.edit("background", kind="blur")
    qtbot.waitUntil(lambda: not zoom.isEnabled())
    controls.store.edit("background", kind="image", path=tmp_path / "wide.png")
    qtbot.waitUntil(zoom.isEnabled)
    drag(qtbot, zoom, 0.5)
    assert 2 < chosen(controls).zoom < 3
    drag(qtbot, across, 1.0)
    assert chosen(controls).pan_x == pytest.approx(-1 if mirror else 1)
    drag(qtbot, slider(controls, "backgroundYSlider"), 0.0)
    assert chosen(controls).pan_y == pytest.approx(-1)
    drag(qtbot, slider(controls, "parallaxSlider"), 1.0)
    assert chosen(controls).parallax == pytest.approx(100)
    qtbot.mouseClick(button(controls, "backgroundReset"), Qt.MouseButton.LeftButton)
    assert (chosen(controls).zoom, chosen(controls).pan_x, chosen(controls).pan_y) == (1, 0, 0)


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_how_a_slide_fits_is_readable_in_a_narrow_window(
    controls: Controls, qapp: QApplication, qtbot: QtBot, tmp_path: Path, language: str
) -> None:
    with translate(qapp, QLocale(language)), closing(Tasks()) as tasks:
        strip = BackgroundStrip(controls.store, controls.preferences, tasks)
        qtbot.addWidget(strip)
        strip.resize(440, 160)
        strip.show()
        fit = find(strip, ElidedComboBox, "fitCombo")
        add = find(strip, QPushButton, "addBackgroundButton")
        controls.store.edit("background", kind="slides", path=talk(tmp_path))
        strip.show_status(PipelineStatus(slides=12))
        qtbot.waitUntil(lambda: fit.shown_text(fit.text_width()) == fit.currentText() != "")
        assert fit.geometry().right() < existing(fit.parentWidget()).width()
        assert add.text() == ""
        controls.store.edit("background", kind="blur")
        qtbot.waitUntil(lambda: add.text() != "")
