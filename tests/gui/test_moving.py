"""Zoom and pan, with sliders, wheel, drag and keys."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from app.core.framing import WHOLE, framed
from app.core.geometry import Layout, lay_out
from app.core.settings import FramingSettings
from app.gui.shell.application import Session
from tests.gui.conftest import activate
from tests.gui.widgets import at, bring_up, drag, find, pick, pull, slider, turn_wheel


def framing(controls: Session) -> FramingSettings:
    return controls.store.current.framing


@pytest.mark.parametrize("mirror", [True, False])
def test_framing_sliders_take_effect_while_dragged(controls: Session, qtbot: QtBot, mirror: bool) -> None:
    controls.store.edit("window", mirror_preview=mirror)
    zoom, across = slider(controls, "framing.zoom"), slider(controls, "framing.pan_x")
    bring_up(controls, zoom)
    assert not across.isEnabled()
    drag(qtbot, zoom, 0.5)
    assert 2 < framing(controls).zoom < 3
    assert across.isEnabled()
    drag(qtbot, across, 1.0)
    assert framing(controls).pan_x == pytest.approx(1 if mirror else -1)
    assert across.value() == 100
    controls.store.edit("window", mirror_preview=not mirror)
    assert across.value() == -100, "the direction is that of the mirrored preview"
    drag(qtbot, slider(controls, "framing.pan_y"), 0.0)
    assert framing(controls).pan_y == pytest.approx(1)
    reset = find(controls.window, QPushButton, "framingReset")
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert framing(controls) == WHOLE
    reset.clearFocus()
    assert not reset.isEnabled()


@pytest.mark.parametrize("mirror", [True, False])
def test_sliders_move_what_is_seen_in_their_own_direction(controls: Session, mirror: bool) -> None:
    """One moved the background to the left, the other the person to the right."""
    controls.store.edit("window", mirror_preview=mirror)
    controls.store.edit("framing", zoom=2)
    width, height = 160, 90
    frame = np.zeros((height, width, 3), np.uint8)
    frame[40:50, 75:85] = 255
    narrow, wide = np.zeros((180, 100, 3), np.uint8), np.zeros((90, 320, 3), np.uint8)
    narrow[85:95, 45:55] = wide[40:50, 155:165] = 255

    def seen() -> list[tuple[float, float]]:
        """Return where the spot is, from the left and the top of the preview."""
        settings = controls.store.current
        pictures = [framed(frame, settings.framing)]
        for image, is_whole in ((frame, False), (wide, False), (narrow, False), (narrow, True), (wide, True)):
            zoom = 2 if image is frame else 1
            layout = Layout("fit" if is_whole else "fill", zoom, settings.background.pan_x, settings.background.pan_y)
            pictures.append(lay_out(image, layout, width, height, lambda _image, *_size: np.zeros_like(frame)))
        spots = [np.argwhere((each[:, ::-1] if mirror else each)[..., 0] > 128) for each in pictures]
        return [(float(spot[:, 1].mean()), float(spot[:, 0].mean())) for spot in spots]

    for section, seen_of in (("framing", slice(0, 1)), ("background", slice(1, None))):
        for number, axis in enumerate("xy"):
            before = seen()[seen_of]
            slider(controls, f"{section}.pan_{axis}").setValue(30)
            after = seen()[seen_of]
            moves = [now[number] - then[number] for now, then in zip(after, before, strict=True)]
            assert min(moves) >= 0 < max(moves), (section, axis, moves)


def test_wheel_zooms_at_the_pointer(controls: Session, qtbot: QtBot) -> None:
    turn_wheel(controls.window.preview, 8, at(controls, 0.0, 1.0))
    assert framing(controls).zoom == pytest.approx(1.1**8)
    assert framing(controls).pan_x == pytest.approx(1, abs=0.02), "the mirrored left is the camera's right"
    assert framing(controls).pan_y == pytest.approx(1, abs=0.02)
    turn_wheel(controls.window.preview, -20, at(controls, 0.5, 0.5))
    assert framing(controls).zoom == 1


@pytest.mark.parametrize("mirror", [True, False])
def test_dragging_pans_a_zoomed_image(controls: Session, qtbot: QtBot, mirror: bool) -> None:
    controls.store.edit("window", mirror_preview=mirror)
    pull(controls, qtbot, at(controls, 0.5, 0.5), at(controls, 0.7, 0.3))
    assert framing(controls) == WHOLE, "nothing to pan without a zoom"
    assert controls.window.preview.cursor().shape() is Qt.CursorShape.ArrowCursor
    controls.store.edit("framing", zoom=2)
    assert controls.window.preview.cursor().shape() is Qt.CursorShape.OpenHandCursor
    pull(controls, qtbot, at(controls, 0.5, 0.5), at(controls, 0.7, 0.3))
    assert framing(controls).pan_x == pytest.approx(0.4 if mirror else -0.4, abs=0.02)
    assert framing(controls).pan_y == pytest.approx(0.4, abs=0.02)


def test_keys_zoom_and_pan_the_preview(controls: Session, qtbot: QtBot) -> None:
    preview = controls.window.preview
    qtbot.keyClick(preview, Qt.Key.Key_Plus)
    assert framing(controls).zoom == pytest.approx(1.1)
    controls.store.edit("framing", zoom=2)
    qtbot.keyClick(preview, Qt.Key.Key_Down)
    assert framing(controls).pan_y > 0
    qtbot.keyClick(preview, Qt.Key.Key_Right)
    assert framing(controls).pan_x < 0, "right in the mirrored preview"
    for _ in range(20):
        qtbot.keyClick(preview, Qt.Key.Key_Minus)
    assert framing(controls).zoom == 1


def test_auto_framing_is_chosen_in_the_panel(controls: Session, qtbot: QtBot) -> None:
    controls.store.edit("framing", zoom=2)
    box = find(controls.window, QComboBox, "people.auto_framing")
    pick(box, box.findData("close"))
    assert controls.store.current.people.auto_framing == "close"
    assert framing(controls) == WHOLE, "a manual zoom would override it"
    controls.store.edit("people", auto_framing="off")
    qtbot.waitUntil(lambda: box.currentData() == "off")


def test_links_keep_the_focus_when_there_is_nothing_left_to_do(controls: Session, qtbot: QtBot) -> None:
    """Qt handed the focus of "Reset zoom" to the next control when the link was disabled."""
    activate(controls, qtbot)
    controls.store.edit("framing", zoom=2.0)
    controls.store.edit("background", zoom=2.0)
    for name in ("framingReset", "backgroundReset"):
        link = find(controls.window, QPushButton, name)
        bring_up(controls, link)
        qtbot.keyClick(link, Qt.Key.Key_Space)
        assert link.hasFocus(), name
        controls.window.preview.setFocus()
        assert not link.isEnabled(), name
