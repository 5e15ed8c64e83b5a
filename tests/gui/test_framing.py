"""Zoom and pan with sliders, wheel, drag and keys, and in scenes."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication, QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from app.core.framing import WHOLE
from app.core.settings import FramingSettings
from app.gui.preview.rendering import ViewMode
from app.gui.shell.application import Session
from tests.gui.preview import at, pull, ready, slider
from tests.gui.widgets import bring_up, drag


def framing(session: Session) -> FramingSettings:
    return session.pipeline.settings.framing


def turn_wheel(session: Session, notches: int, where: QPoint) -> None:
    preview = session.window.preview
    event = QWheelEvent(
        QPointF(where),
        QPointF(preview.mapToGlobal(where)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(preview, event)


@pytest.mark.parametrize("mirror", [True, False])
def test_framing_sliders_take_effect_while_dragged(session: Session, qtbot: QtBot, mirror: bool) -> None:
    session.preferences.change(mirror_preview=mirror)
    zoom, across = slider(session, "zoomSlider"), slider(session, "panXSlider")
    bring_up(session, zoom)
    assert not across.isEnabled()
    drag(qtbot, zoom, 0.5)
    assert 2 < framing(session).zoom < 3
    assert across.isEnabled()
    drag(qtbot, across, 1.0)
    assert framing(session).pan_x == pytest.approx(-1 if mirror else 1)
    assert across.value() == 100
    session.preferences.change(mirror_preview=not mirror)
    assert across.value() == -100, "the direction is that of the mirrored preview"
    drag(qtbot, slider(session, "panYSlider"), 0.0)
    assert framing(session).pan_y == pytest.approx(-1)
    reset = session.window.findChild(QPushButton, "framingReset")
    assert reset is not None
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert framing(session) == WHOLE
    reset.clearFocus()
    assert not reset.isEnabled()


def test_wheel_zooms_at_the_pointer(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    turn_wheel(session, 8, at(session, 0.0, 1.0))
    assert framing(session).zoom == pytest.approx(1.1**8)
    assert framing(session).pan_x == pytest.approx(1, abs=0.02), "the mirrored left is the camera's right"
    assert framing(session).pan_y == pytest.approx(1, abs=0.02)
    turn_wheel(session, -20, at(session, 0.5, 0.5))
    assert framing(session).zoom == 1


@pytest.mark.parametrize("mirror", [True, False])
def test_dragging_pans_a_zoomed_image(session: Session, qtbot: QtBot, mirror: bool) -> None:
    session.preferences.change(mirror_preview=mirror)
    ready(session, qtbot)
    pull(session, qtbot, at(session, 0.5, 0.5), at(session, 0.7, 0.3))
    assert framing(session) == WHOLE, "nothing to pan without a zoom"
    assert session.window.preview.cursor().shape() is Qt.CursorShape.ArrowCursor
    session.store.edit("framing", zoom=2)
    assert session.window.preview.cursor().shape() is Qt.CursorShape.OpenHandCursor
    pull(session, qtbot, at(session, 0.5, 0.5), at(session, 0.7, 0.3))
    assert framing(session).pan_x == pytest.approx(0.4 if mirror else -0.4, abs=0.02)
    assert framing(session).pan_y == pytest.approx(0.4, abs=0.02)


def test_dragging_in_the_comparison_moves_the_divider(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    session.store.edit("framing", zoom=2)
    session.window.action_bar.set_mode(ViewMode.COMPARE)
    pull(session, qtbot, at(session, 0.5, 0.5), at(session, 0.7, 0.3))
    assert framing(session) == FramingSettings(zoom=2)


def test_keys_zoom_and_pan_the_preview(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    preview = session.window.preview
    qtbot.keyClick(preview, Qt.Key.Key_Plus)
    assert framing(session).zoom == pytest.approx(1.1)
    session.store.edit("framing", zoom=2)
    qtbot.keyClick(preview, Qt.Key.Key_Down)
    assert framing(session).pan_y > 0
    qtbot.keyClick(preview, Qt.Key.Key_Right)
    assert framing(session).pan_x < 0, "right in the mirrored preview"
    for _ in range(20):
        qtbot.keyClick(preview, Qt.Key.Key_Minus)
    assert framing(session).zoom == 1


def test_auto_framing_is_chosen_in_the_panel_and_kept_in_scenes(session: Session, qtbot: QtBot) -> None:
    session.store.edit("framing", zoom=2)
    box = session.window.findChild(QComboBox, "autoFramingCombo")
    assert box is not None
    box.setCurrentIndex(box.findData("close"))
    box.activated.emit(box.currentIndex())
    assert session.pipeline.settings.people.auto_framing == "close"
    assert framing(session) == WHOLE, "a manual zoom would override it"
    session.window.scenes.save("Follow")
    qtbot.waitUntil(lambda: session.window.scenes.names == ("Follow",))
    session.store.edit("people", auto_framing="off")
    qtbot.waitUntil(lambda: box.currentData() == "off")
    session.window.scenes.apply("Follow")
    qtbot.waitUntil(lambda: session.pipeline.settings.people.auto_framing == "close")


def test_scenes_keep_the_framing(session: Session, qtbot: QtBot) -> None:
    close_up = FramingSettings(zoom=2.5, pan_x=-0.5, pan_y=0.25)
    session.store.edit("framing", **dict(close_up))
    session.window.scenes.save("Close")
    qtbot.waitUntil(lambda: session.window.scenes.names == ("Close",))
    session.store.edit("framing", zoom=1)
    session.window.scenes.apply("Close")
    qtbot.waitUntil(lambda: framing(session) == close_up)
    assert slider(session, "zoomSlider").value() == 250
