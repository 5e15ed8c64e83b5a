"""The order and the looks of the controls: what is where, what is in line, what shows the focus."""

from __future__ import annotations

import PyQt6.QtWidgets as qt  # noqa: N813
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent
from pytestqt.qtbot import QtBot

from app.gui.application import Session
from tests.gui import widgets as ui
from tests.gui.conftest import activate


def test_detail_is_beside_the_preview(controls: Session) -> None:
    """It was in the preferences, which lie over the preview."""
    slider = ui.find(controls.window, qt.QSlider, "downsampleSlider")

    ui.bring_up(controls, slider)

    assert slider.isVisible() and controls.window.panel.isAncestorOf(slider)


def test_simple_begins_with_camera_and_quality_and_ends_with_turning(controls: Session) -> None:
    page = ui.existing(controls.window.panel.page.widget())
    names = (
        "cameraCombo",
        "qualityFine",
        "people.framing",
        "virtualCameraToggle",
        "capture.rotate",
    )
    places = [ui.find(page, qt.QWidget, name).mapTo(page, QPoint(0, 0)).y() for name in names]

    assert places == sorted(places)


def test_hiding_things_is_a_tick_box(controls: Session) -> None:
    """It was a list of two entries, one of which was "Balanced"."""
    box = ui.find(controls.window, qt.QCheckBox, "strict.level")
    assert box.text() == "Hide things mistaken for people" and box.isChecked()

    box.click()
    switched_off = controls.store.current.strict.level
    box.click()
    switched_on = controls.store.current.strict.level

    assert (switched_off, switched_on) == ("off", "balanced")


def test_resetting_the_edge_is_offered_only_where_it_changes_something(controls: Session) -> None:
    controls.window.open_preferences()
    reset = ui.find(controls.window, qt.QPushButton, "edgeReset")
    assert not reset.isEnabled()

    controls.store.edit("matting.edges", contrast=0.5)
    assert reset.isEnabled()

    reset.click()
    assert controls.store.current.matting.edges.contrast == 0 and not reset.isEnabled()


def test_a_ring_shows_the_focus_of_the_keyboard_alone(controls: Session, qtbot: QtBot) -> None:
    """A black ring stayed around each button that was clicked."""
    activate(controls, qtbot)
    handle = ui.existing(controls.window.windowHandle())
    matte, person = (ui.button(controls, f"{name}Button") for name in ("matte", "foreground"))

    matte.setFocus()
    press = QMouseEvent(
        QEvent.Type.MouseButtonPress, QPointF(), QPointF(), Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    qt.QApplication.sendEvent(handle, press)
    matte.setFocus()
    assert not matte.property("ring")

    qtbot.keyClick(handle, Qt.Key.Key_Shift)
    assert matte.property("ring")

    person.setFocus()
    assert person.property("ring") and not matte.property("ring")


@pytest.mark.parametrize("width", [1000, 1100, 1270])
def test_no_tile_is_cut_at_the_end_of_the_strip(
    controls: Session, qtbot: QtBot, width: int
) -> None:
    """Half a tile, or a sliver of one, was seen there."""
    view = controls.window.strip.view
    model = controls.window.strip.model
    controls.window.resize(width, 830)
    qtbot.waitUntil(lambda: view.visualRect(model.index(0)).width() > 0)
    qt.QApplication.processEvents()

    edges = [view.visualRect(model.index(row)).right() for row in range(model.rowCount())]

    visible_end = ui.existing(view.viewport()).width() - 1
    tile = view.visualRect(model.index(0)).width()
    last_whole = max(edge for edge in edges if edge <= visible_end)
    assert visible_end - last_whole < tile // 8


def test_groups_are_flush_with_their_controls(controls: Session) -> None:
    controls.store.set("window.all_settings", True)
    page = ui.existing(controls.window.panel.page.widget())
    qt.QApplication.processEvents()

    lefts = {group.toggle.mapTo(page, QPoint(0, 0)).x() for group in controls.window.panel.groups}

    assert lefts == {ui.box(controls, "cameraCombo").mapTo(page, QPoint(0, 0)).x()}
