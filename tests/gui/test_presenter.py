"""Presenter mode and the view of the background in the window."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.core.placement import IN_PLACE, in_corner
from app.core.settings import BackgroundSettings
from app.gui.panels.presenter import PresenterControls
from app.gui.shell.application import Session
from tests.gui.conftest import activate
from tests.gui.controls import Controls
from tests.gui.fitting import far_captions
from tests.gui.preview import ready, slider
from tests.gui.widgets import bring_up, drag


def background(controls: Session | Controls) -> BackgroundSettings:
    return controls.store.current.background


def pressed(controls: Session | Controls, name: str) -> QPushButton:
    found = controls.window.findChild(QPushButton, name)
    assert found is not None, name
    return found


def talk(folder: Path) -> Path:
    for number in range(3):
        Image.new("RGB", (64, 36), (80 * number, 0, 0)).save(folder / f"{number}.png")
    return folder


def test_presenting_shows_slides_and_the_person_in_a_corner(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    ready(session, qtbot)
    activate(session, qtbot)
    before = background(session)
    presenter = session.window.findChild(PresenterControls)
    assert presenter is not None
    end = pressed(session, "presentEnd")
    assert not end.isEnabled()
    presenter.present(talk(tmp_path))
    assert background(session) == before.replace(kind="slides", path=tmp_path, fit="fit")
    assert session.store.current.placement == in_corner("bottom-right")
    shown = session.window.findChild(QLabel, "slideNumber")
    assert shown is not None
    qtbot.waitUntil(lambda: shown.text() == "1 / 3")
    qtbot.waitUntil(lambda: far_captions(session.window.strip) == [])
    qtbot.mouseClick(pressed(session, "nextSlide"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shown.text() == "2 / 3")
    pressed(session, "nextSlide").clearFocus()  # a button that has no effect any more keeps the focus until then
    qtbot.keyClick(session.window, Qt.Key.Key_PageDown)
    qtbot.keyClick(session.window, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: shown.text() == "3 / 3" and not pressed(session, "nextSlide").isEnabled())
    qtbot.keyClick(session.window, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: background(session).slide == 2)
    bring_up(session, end)
    qtbot.mouseClick(end, Qt.MouseButton.LeftButton)
    assert background(session) == before
    assert session.store.current.placement == IN_PLACE


def test_ending_never_returns_to_the_room(controls: Controls, qtbot: QtBot, tmp_path: Path) -> None:
    ready(controls, qtbot)
    controls.store.edit("background", kind="none")
    presenter = controls.window.findChild(PresenterControls)
    assert presenter is not None
    presenter.present(talk(tmp_path))
    end = pressed(controls, "presentEnd")
    bring_up(controls, end)
    qtbot.mouseClick(end, Qt.MouseButton.LeftButton)
    assert background(controls).kind == "blur"


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
    assert 2 < background(controls).zoom < 3
    drag(qtbot, across, 1.0)
    assert background(controls).pan_x == pytest.approx(-1 if mirror else 1)
    drag(qtbot, slider(controls, "backgroundYSlider"), 0.0)
    assert background(controls).pan_y == pytest.approx(-1)
    drag(qtbot, slider(controls, "parallaxSlider"), 1.0)
    assert background(controls).parallax == pytest.approx(100)
    qtbot.mouseClick(pressed(controls, "backgroundReset"), Qt.MouseButton.LeftButton)
    assert (background(controls).zoom, background(controls).pan_x, background(controls).pan_y) == (1, 0, 0)
