"""Painting zones on the preview, and their marks."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot

from app.core.settings import FramingSettings, Zone
from app.gui.preview.zones import ZoneMarks
from app.gui.shell.application import Session
from app.gui.widgets.theme import ALARM
from tests.gui.preview import at, pull, ready
from tests.gui.widgets import button, existing, find


def painted(session: Session) -> tuple[Zone, ...]:
    return session.pipeline.settings.people.zones


def marks(session: Session) -> ZoneMarks:
    return session.window.zones.marks


def is_marked(session: Session, where: QPoint) -> bool:
    """Return whether the pixel has the colour of the mark."""
    image = session.window.preview.grab().toImage()
    colour = image.pixelColor(QPointF(QPointF(where) * image.devicePixelRatio()).toPoint())
    return colour.red() > colour.green() + 40 and colour.name() != "#000000"


def shows_camera(session: Session) -> bool:
    picture = session.bridge.picture
    return picture is not None and picture.frame is not None


def test_a_stroke_is_stored_in_coordinates_of_the_camera(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    session.store.edit("framing", zoom=2, pan_x=-1, pan_y=-1)
    qtbot.waitUntil(lambda: shows_camera(session))
    button(session, "dropBrush").click()
    for mirror, start, end in ((False, 0.2, 0.6), (True, 0.8, 0.4)):
        session.preferences.change(mirror_preview=mirror)
        pull(session, qtbot, at(session, 0.2, 0.2), at(session, 0.6, 0.4))
        zone = painted(session)[-1]
        assert (zone.kind, zone.camera, zone.filled) == ("drop", existing(session.bridge.status.source).id, False)
        assert zone.points[0] == pytest.approx((start / 2, 0.1), abs=0.01)
        assert zone.points[-1] == pytest.approx((end / 2, 0.2), abs=0.01)
    assert session.pipeline.settings.framing == FramingSettings(zoom=2, pan_x=-1, pan_y=-1), "the brush does not pan"


def test_a_keep_zone_is_marked_until_it_is_removed(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    qtbot.waitUntil(lambda: shows_camera(session))
    keep = button(session, "keepBrush")
    keep.click()
    pull(session, qtbot, at(session, 0.3, 0.5), at(session, 0.4, 0.5))
    keep.click()
    qtbot.waitUntil(lambda: [zone.kind for zone in marks(session).shown] == ["keep"])
    qtbot.waitUntil(lambda: "always show" in session.window.overlay.unmatted.text())
    image = marks(session).grab().toImage()
    reddish = sum(
        image.pixelColor(x, y).name() == ALARM.lower()
        for x in range(0, image.width(), 2)
        for y in range(image.height())
    )
    assert reddish > 20, "the label and the outline"
    button(session, "zoneUndo").click()
    qtbot.waitUntil(lambda: not marks(session).shown)
    qtbot.waitUntil(lambda: session.window.overlay.unmatted.text() == "")


def test_drop_zones_are_outlined_while_a_brush_is_selected(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    qtbot.waitUntil(lambda: shows_camera(session))
    drop = button(session, "dropBrush")
    drop.click()
    for x in (0.2, 0.6):
        pull(session, qtbot, at(session, x, 0.5), at(session, x + 0.1, 0.5))
    qtbot.waitUntil(lambda: len(marks(session).shown) == 2)
    drop.click()
    assert not marks(session).shown
    assert not is_marked(session, at(session, 0.25, 0.5))
    button(session, "zonesClear").click()
    qtbot.waitUntil(lambda: painted(session) == ())


def test_a_click_selects_a_person_and_is_not_saved(session: Session, qtbot: QtBot) -> None:
    session.preferences.change(mirror_preview=True)
    ready(session, qtbot)
    preview = session.window.preview
    qtbot.mouseClick(preview, Qt.MouseButton.LeftButton, pos=at(session, 0.3, 0.5))
    assert session.pipeline.settings.selected is None, "without Only me a click selects nobody"
    box = find(session.window, QCheckBox, "onlyMeCheck")
    box.click()
    qtbot.mouseClick(preview, Qt.MouseButton.LeftButton, pos=at(session, 0.3, 0.5))
    assert session.pipeline.settings.selected == pytest.approx((0.7, 0.5), abs=0.01)
    pull(session, qtbot, at(session, 0.5, 0.5), at(session, 0.7, 0.5))
    assert session.pipeline.settings.selected == pytest.approx((0.7, 0.5), abs=0.01), "a drag is no click"
    assert session.store.saved.people.only_me
    assert session.store.saved.selected is None
    assert session.store.scene.selected is None
    box.click()
    assert session.pipeline.settings.selected is None


def test_one_brush_at_a_time(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    drop = button(session, "dropBrush")
    drop.click()
    keep = button(session, "keepBrush")
    keep.click()
    assert not drop.isChecked()
    tool = session.window.panel.zones.tool
    assert [tool.kind, keep.isChecked()] == ["keep", True]
    keep.click()
    assert [tool.kind, keep.isChecked()] == [None, False]
    qtbot.mouseClick(session.window.preview, Qt.MouseButton.LeftButton, pos=at(session, 0.5, 0.5))
    assert painted(session) == ()


def test_a_stroke_on_the_stand_by_card_is_no_zone(session: Session, qtbot: QtBot) -> None:
    """It became a zone of every camera."""
    ready(session, qtbot)
    session.store.set_paused(True)
    qtbot.waitUntil(lambda: session.bridge.picture is not None and session.bridge.picture.frame is None)
    button(session, "keepBrush").click()
    pull(session, qtbot, at(session, 0.2, 0.2), at(session, 0.6, 0.4))
    assert painted(session) == ()
