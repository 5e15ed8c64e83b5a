"""The preview under the pointer: zones that are painted, a person who is selected, zoom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt, QTimer
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QCheckBox, QLabel
from pytestqt.qtbot import QtBot

from app.config.setting import SETTINGS
from app.core.geometry import WHOLE
from app.core.settings import FramingSettings
from app.core.types import Orientation
from app.effects.zones import MAX_ZONES, Zone
from app.gui.application import Session
from app.settings import Settings
from tests.gui import widgets as ui
from tests.gui.conftest import activate

LEFT = Qt.MouseButton.LeftButton


def painted(session: Session) -> tuple[Zone, ...]:
    return session.pipeline.settings.people.zones


def colour_at(session: Session, where: QPoint) -> QColor:
    """Return the colour of a pixel of the preview."""
    image = session.window.preview.grab().toImage()
    return image.pixelColor(QPointF(QPointF(where) * image.devicePixelRatio()).toPoint())


@pytest.fixture
def session(session: Session, qtbot: QtBot) -> Session:
    """A running window whose preview shows the camera."""
    ui.ready(session, qtbot)
    ui.until(qtbot, ui.shows_camera, session)
    session.bridge.poll()  # a camera that comes puts the brush away
    return session


def test_a_stroke_is_stored_in_coordinates_of_the_camera(session: Session, qtbot: QtBot) -> None:
    session.store.edit("framing", zoom=2, pan_x=-1, pan_y=-1)
    ui.button(session, "dropBrush").click()
    for mirror, start, end in ((False, 0.2, 0.6), (True, 0.8, 0.4)):
        session.store.edit("window", mirror_preview=mirror)
        ui.pull(session, qtbot, ui.at(session, 0.2, 0.2), ui.at(session, 0.6, 0.4))
        zone = painted(session)[-1]
        assert (zone.camera, zone.filled) == (ui.existing(session.bridge.status.source).id, False)
        assert zone.points[0] == pytest.approx((start / 2, 0.1), abs=0.01)
        assert zone.points[-1] == pytest.approx((end / 2, 0.2), abs=0.01)
    assert session.pipeline.settings.framing == FramingSettings(zoom=2, pan_x=-1, pan_y=-1), (
        "the brush does not pan"
    )
    qtbot.waitUntil(lambda: session.window.interaction.shown_zones == painted(session))
    ui.button(session, "dropBrush").click()
    assert not session.window.interaction.shown_zones
    clear = ui.button(session, "zonesClear")
    qtbot.waitUntil(clear.isEnabled)  # with the next status, which names the camera
    clear.click()
    assert painted(session) == ()


def test_no_zone_is_shown_again_where_there_are_too_many(session: Session, qtbot: QtBot) -> None:
    """The stroke after the last possible one ended the oldest hide zone without a word."""
    zones = tuple(Zone(points=((0.1, n / 400),), radius=0.01) for n in range(MAX_ZONES))
    session.store.edit("people", zones=zones)
    ui.button(session, "dropBrush").click()
    ui.pull(session, qtbot, ui.at(session, 0.7, 0.7), ui.at(session, 0.8, 0.8))
    assert painted(session) == zones
    assert "remove some" in session.window.notices.text_of("zonesNotice")
    session.store.edit("people", zones=zones[1:])
    ui.pull(session, qtbot, ui.at(session, 0.7, 0.7), ui.at(session, 0.8, 0.8))
    assert painted(session)[:-1] == zones[1:] and len(painted(session)) == MAX_ZONES


def test_strokes_and_marks_follow_a_turned_camera(session: Session, qtbot: QtBot) -> None:
    """The first point of a stroke hid another place until the window had looked at the status again."""
    ui.find(session.bridge, QTimer).stop()
    session.store.edit("window", mirror_preview=False)
    ui.button(session, "dropBrush").click()
    ui.pull(session, qtbot, ui.at(session, 0.2, 0.3), ui.at(session, 0.25, 0.3))
    start = painted(session)[-1].points[0]
    assert start == pytest.approx((0.2, 0.3), abs=0.01)
    background = colour_at(session, ui.at(session, 0.9, 0.5)).name()
    session.store.edit("capture", rotate=90)

    def shows_turned() -> bool:
        frame = ui.existing(session.bridge.picture).frame
        rect = session.window.preview.picture
        return (
            frame is not None
            and frame.source.orientation == Orientation(90)
            and rect.width() < rect.height()
        )

    qtbot.waitUntil(shows_turned)
    ui.pull(session, qtbot, ui.at(session, 0.4, 0.6), ui.at(session, 0.5, 0.6))
    assert Orientation(90).to_upright(*painted(session)[-1].points[0]) == pytest.approx(
        (0.4, 0.6), abs=0.02
    )
    turned = ui.at(session, *Orientation(90).to_upright(*start))
    qtbot.waitUntil(lambda: colour_at(session, turned).name() != background)


def test_a_stroke_begins_on_the_picture(session: Session, qtbot: QtBot) -> None:
    """A click on the empty border painted a zone at the picture's edge, where the room was shown."""
    preview = session.window.preview
    preview.setFixedSize(900, 300)
    qtbot.waitUntil(lambda: preview.picture.left() > 20)
    beside = QPoint(5, 150)
    inside = ui.at(session, 0.3, 0.5)
    ui.button(session, "dropBrush").click()
    qtbot.mouseClick(preview, LEFT, pos=beside)
    qtbot.mouseDClick(preview, LEFT, pos=beside)
    ui.pull(session, qtbot, beside, inside)
    assert painted(session) == ()
    ui.pull(session, qtbot, inside, beside)
    assert painted(session)[-1].points[-1][0] in (0, 1), "a stroke may leave the picture"


def selected(settings: Settings) -> object:
    return SETTINGS["people.selected"].value_in(settings)


def test_nothing_is_selected_moved_or_painted_on_the_stand_by_card(
    session: Session, qtbot: QtBot
) -> None:
    """A click on it selected an invisible spot: with "only me" the user was gone after the pause."""
    session.store.edit("people", only_me=True)
    session.store.edit("framing", zoom=2)
    session.store.set("paused", True)
    ui.until_not(qtbot, ui.shows_camera, session)
    before = session.store.current
    preview = session.window.preview
    qtbot.mouseClick(preview, LEFT, pos=ui.at(session, 0.9, 0.1))
    ui.pull(session, qtbot, ui.at(session, 0.5, 0.5), ui.at(session, 0.2, 0.2))
    ui.turn_wheel(preview, 3)
    qtbot.keyClick(preview, Qt.Key.Key_Down)
    assert session.store.current == before
    ui.button(session, "dropBrush").click()
    ui.pull(session, qtbot, ui.at(session, 0.2, 0.2), ui.at(session, 0.6, 0.4))
    assert painted(session) == (), "a stroke on it became a zone of every camera"
    ui.button(session, "dropBrush").click()
    session.store.set("paused", False)
    ui.until(qtbot, ui.shows_camera, session)
    qtbot.mouseClick(preview, LEFT, pos=ui.at(session, 0.4, 0.6))
    assert selected(session.store.current) is not None


def test_a_click_selects_a_person_and_is_not_saved(session: Session, qtbot: QtBot) -> None:
    preview = session.window.preview
    only_me = ui.find(session.window, QCheckBox, "people.only_me")
    qtbot.mouseClick(preview, LEFT, pos=ui.at(session, 0.3, 0.5))
    assert selected(session.pipeline.settings) is None, "without Only me a click selects nobody"
    only_me.click()
    qtbot.mouseClick(preview, LEFT, pos=ui.at(session, 0.3, 0.5))
    ui.pull(
        session, qtbot, ui.at(session, 0.5, 0.5), ui.at(session, 0.7, 0.5)
    )  # a drag is no click
    assert selected(session.pipeline.settings) == pytest.approx((0.7, 0.5), abs=0.01), (
        "the preview is mirrored"
    )
    assert session.store.saved.follows_person and selected(session.store.saved) is None
    only_me.click()
    assert selected(session.pipeline.settings) is None


def use_another_camera(session: Session) -> None:
    source = replace(ui.existing(session.bridge.status.source), id="another")
    session.window.panel.zones.show_status(replace(session.bridge.status, source=source))


LEAVE: dict[str, Callable[[Session], object]] = {
    "escape": lambda session: QtBot.keyClick(session.window.preview, Qt.Key.Key_Escape),
    "only me": lambda session: ui.find(session.window, QCheckBox, "people.only_me").click(),
    "choose a background": lambda session: QtBot.mouseClick(
        ui.existing(session.window.strip.view.viewport()), LEFT
    ),
    "hide the panel": lambda session: session.store.set("window.show_panel", False),
    "open a dialog": lambda session: session.window.open_preferences().activateWindow(),
    "pause": lambda session: session.store.set("paused", True),
    "another camera": use_another_camera,
}


@pytest.mark.parametrize("leave", LEAVE)
def test_whatever_leaves_the_controls_of_the_brush_ends_it(
    session: Session, qtbot: QtBot, leave: str
) -> None:
    """After "Only me", the click that was to select a face painted a zone on it that hides."""
    activate(session, qtbot)
    drop = ui.button(session, "dropBrush")
    brush = session.window.badges.brush
    ui.bring_up(session, drop)
    qtbot.mouseClick(drop, LEFT)
    ui.pull(session, qtbot, ui.at(session, 0.1, 0.2), ui.at(session, 0.2, 0.2))
    assert session.window.interaction.brush_in_use
    hint = ui.find(session.window, QLabel, "brushHint")
    session.window.panel.page.scroll_to(session.window.panel.zones)
    qtbot.waitUntil(lambda: hint.visibleRegion().contains(hint.rect().center()))
    qtbot.mouseClick(hint, LEFT)
    assert session.window.interaction.brush_in_use, "nothing of the brush itself ends it"
    assert "paints" in brush.text() and brush.isVisible()
    assert session.window.preview.cursor().shape() == Qt.CursorShape.CrossCursor
    qtbot.mouseClick(session.window.preview, LEFT, pos=ui.at(session, 0.3, 0.2))
    before = painted(session)
    assert len(before) == 2
    qtbot.mousePress(session.window.preview, LEFT, pos=ui.at(session, 0.3, 0.3))
    LEAVE[leave](session)
    qtbot.waitUntil(lambda: not session.window.interaction.brush_in_use)
    qtbot.mouseRelease(session.window.preview, LEFT, pos=ui.at(session, 0.5, 0.5))
    assert painted(session) == before, "the stroke that was being painted is dropped"
    assert not any((drop.isChecked(), brush.text()))
    assert session.window.preview.cursor().shape() != Qt.CursorShape.CrossCursor
    session.store.set("paused", False)
    ui.until(qtbot, ui.shows_camera, session)
    qtbot.mouseClick(session.window.preview, LEFT, pos=ui.at(session, 0.5, 0.5))
    assert painted(session) == before


def test_the_wheel_and_keys_zoom_and_pan(controls: Session, qtbot: QtBot) -> None:
    preview = controls.window.preview
    store = controls.store
    ui.turn_wheel(preview, 8, ui.at(controls, 0.0, 1.0))
    assert store.current.framing.zoom == pytest.approx(1.1**8)
    assert store.current.framing.pan_x == pytest.approx(1, abs=0.02), (
        "the mirrored left is the camera's right"
    )
    assert store.current.framing.pan_y == pytest.approx(1, abs=0.02)
    ui.turn_wheel(preview, -20)
    assert store.current.framing.zoom == 1
    for key, zoom in ((Qt.Key.Key_Plus, 1.1), (Qt.Key.Key_Minus, 1), (Qt.Key.Key_Minus, 1)):
        qtbot.keyClick(preview, key)
        assert store.current.framing.zoom == pytest.approx(zoom)
    store.edit("framing", zoom=2)
    qtbot.keyClick(preview, Qt.Key.Key_Down)
    qtbot.keyClick(preview, Qt.Key.Key_Right)
    assert store.current.framing.pan_x < 0 < store.current.framing.pan_y, (
        "right in the mirrored preview"
    )
    ui.pick(ui.box(controls, "people.framing"), 2)
    assert store.current.framing == WHOLE, "a manual zoom would override it"


@pytest.mark.parametrize("mirror", [True, False])
def test_dragging_pans_a_zoomed_image(controls: Session, qtbot: QtBot, mirror: bool) -> None:
    controls.store.edit("window", mirror_preview=mirror)
    ui.pull(controls, qtbot, ui.at(controls, 0.5, 0.5), ui.at(controls, 0.7, 0.3))
    assert controls.store.current.framing == WHOLE, "nothing to pan without a zoom"
    assert controls.window.preview.cursor().shape() is Qt.CursorShape.ArrowCursor
    controls.store.edit("framing", zoom=2)
    assert controls.window.preview.cursor().shape() is Qt.CursorShape.OpenHandCursor
    ui.pull(controls, qtbot, ui.at(controls, 0.5, 0.5), ui.at(controls, 0.7, 0.3))
    assert controls.store.current.framing.pan_x == pytest.approx(0.4 if mirror else -0.4, abs=0.02)
    assert controls.store.current.framing.pan_y == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize(
    ("section", "link"), [("framing", "framingReset"), ("background", "backgroundReset")]
)
def test_a_picture_is_moved_as_it_is_seen_while_it_can_be_and_back(
    controls: Session, section: str, link: str
) -> None:
    """One slider moved the background to the left, the other the person to the right."""
    across = ui.slider(controls, f"{section}.pan_x")
    down = ui.slider(controls, f"{section}.pan_y")
    reset = ui.button(controls, link)
    assert not across.isEnabled() and not reset.isEnabled()
    controls.store.edit("background", kind="image", path=Path("beach.png"))
    controls.store.edit(section, zoom=2.0)
    for mirror in (True, False):
        controls.store.edit("window", mirror_preview=mirror)
        for moved in (across, down):
            moved.setValue(100)
        now = getattr(controls.store.current, section)
        assert (now.pan_x, now.pan_y) == (1 if mirror else -1, -1), (
            "to the right and down in the preview"
        )
    controls.store.edit("window", mirror_preview=True)
    assert across.value() == -100, "the direction is that of the preview"
    reset.click()
    now = getattr(controls.store.current, section)
    assert (now.zoom, now.pan_x, now.pan_y) == (1, 0, 0) and not reset.isEnabled()
