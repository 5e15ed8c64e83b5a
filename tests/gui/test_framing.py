"""Zoom and pan with sliders, wheel, drag and keys."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from app.core.framing import WHOLE
from app.core.settings import FramingSettings
from app.gui.preview.rendering import ViewMode
from tests.gui.controls import Controls
from tests.gui.preview import at, pull, ready
from tests.gui.wheel import turn_wheel
from tests.gui.widgets import bring_up, drag, find, pick, slider


def framing(controls: Controls) -> FramingSettings:
    return controls.store.current.framing


@pytest.mark.parametrize("mirror", [True, False])
def test_framing_sliders_take_effect_while_dragged(controls: Controls, qtbot: QtBot, mirror: bool) -> None:
    controls.preferences.change(mirror_preview=mirror)
    zoom, across = slider(controls, "zoomSlider"), slider(controls, "panXSlider")
    bring_up(controls, zoom)
    assert not across.isEnabled()
    drag(qtbot, zoom, 0.5)
    assert 2 < framing(controls).zoom < 3
    assert across.isEnabled()
    drag(qtbot, across, 1.0)
    assert framing(controls).pan_x == pytest.approx(-1 if mirror else 1)
    assert across.value() == 100
    controls.preferences.change(mirror_preview=not mirror)
    assert across.value() == -100, "the direction is that of the mirrored preview"
    drag(qtbot, slider(controls, "panYSlider"), 0.0)
    assert framing(controls).pan_y == pytest.approx(-1)
    reset = find(controls.window, QPushButton, "framingReset")
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert framing(controls) == WHOLE
    reset.clearFocus()
    assert not reset.isEnabled()


def test_wheel_zooms_at_the_pointer(controls: Controls, qtbot: QtBot) -> None:
    ready(controls, qtbot)
    turn_wheel(controls.window.preview, 8, at(controls, 0.0, 1.0))
    assert framing(controls).zoom == pytest.approx(1.1**8)
    assert framing(controls).pan_x == pytest.approx(1, abs=0.02), "the mirrored left is the camera's right"
    assert framing(controls).pan_y == pytest.approx(1, abs=0.02)
    turn_wheel(controls.window.preview, -20, at(controls, 0.5, 0.5))
    assert framing(controls).zoom == 1


@pytest.mark.parametrize("mirror", [True, False])
def test_dragging_pans_a_zoomed_image(controls: Controls, qtbot: QtBot, mirror: bool) -> None:
    controls.preferences.change(mirror_preview=mirror)
    ready(controls, qtbot)
    pull(controls, qtbot, at(controls, 0.5, 0.5), at(controls, 0.7, 0.3))
    assert framing(controls) == WHOLE, "nothing to pan without a zoom"
    assert controls.window.preview.cursor().shape() is Qt.CursorShape.ArrowCursor
    controls.store.edit("framing", zoom=2)
    assert controls.window.preview.cursor().shape() is Qt.CursorShape.OpenHandCursor
    pull(controls, qtbot, at(controls, 0.5, 0.5), at(controls, 0.7, 0.3))
    assert framing(controls).pan_x == pytest.approx(0.4 if mirror else -0.4, abs=0.02)
    assert framing(controls).pan_y == pytest.approx(0.4, abs=0.02)


def test_dragging_in_the_comparison_moves_the_divider(controls: Controls, qtbot: QtBot) -> None:
    ready(controls, qtbot)
    controls.store.edit("framing", zoom=2)
    controls.window.action_bar.set_mode(ViewMode.COMPARE)
    pull(controls, qtbot, at(controls, 0.5, 0.5), at(controls, 0.7, 0.3))
    assert framing(controls) == FramingSettings(zoom=2)


def test_keys_zoom_and_pan_the_preview(controls: Controls, qtbot: QtBot) -> None:
    ready(controls, qtbot)
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


def test_auto_framing_is_chosen_in_the_panel(controls: Controls, qtbot: QtBot) -> None:
    controls.store.edit("framing", zoom=2)
    box = find(controls.window, QComboBox, "autoFramingCombo")
    pick(box, box.findData("close"))
    assert controls.store.current.people.auto_framing == "close"
    assert framing(controls) == WHOLE, "a manual zoom would override it"
    controls.store.edit("people", auto_framing="off")
    qtbot.waitUntil(lambda: box.currentData() == "off")
