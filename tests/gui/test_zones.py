"""Zones on the preview, and its warnings: somebody is hidden until they move, text can be read behind a weak blur."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QCheckBox, QLabel
from pytestqt.qtbot import QtBot

from app.core.settings import BackgroundSettings, FramingSettings, OutputSettings, Settings, StrictLevel, Zone
from app.gui.preview.rendering import ViewMode
from app.gui.preview.zones import ZoneMarks
from app.gui.shell.application import Session
from app.gui.widgets.theme import ALARM
from app.gui.widgets.value_slider import StillSlider
from app.runtime.status import PipelineStatus
from app.testing.parts import PERSON
from tests.fakes.hiding import HidingEngine
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import at, button, existing, find, pull, ready, turn_wheel


def painted(session: Session) -> tuple[Zone, ...]:
    return session.pipeline.settings.people.zones


def marks(session: Session) -> ZoneMarks:
    return session.window.zones


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
        session.store.edit("window", mirror_preview=mirror)
        pull(session, qtbot, at(session, 0.2, 0.2), at(session, 0.6, 0.4))
        zone = painted(session)[-1]
        assert (zone.kind, zone.camera, zone.filled) == ("drop", existing(session.bridge.status.source).id, False)
        assert zone.points[0] == pytest.approx((start / 2, 0.1), abs=0.01)
        assert zone.points[-1] == pytest.approx((end / 2, 0.2), abs=0.01)
    assert session.pipeline.settings.framing == FramingSettings(zoom=2, pan_x=-1, pan_y=-1), "the brush does not pan"


@pytest.mark.parametrize(
    ("mode", "moved"),
    [
        (ViewMode.ORIGINAL, (False, False)),
        (ViewMode.COMPARE, (False, True)),
        (ViewMode.COMPOSITE, (True, True)),
    ],
)
def test_a_stroke_lies_where_the_shown_side_has_a_person_who_was_moved(
    session: Session, qtbot: QtBot, mode: ViewMode, moved: tuple[bool, bool]
) -> None:
    ready(session, qtbot)
    session.store.edit("window", mirror_preview=False)
    session.store.edit("placement", scale=0.5, x=0.25)
    qtbot.waitUntil(lambda: session.bridge.status.view.size == 2 and shows_camera(session))
    session.window.preview.set_mode(mode)
    button(session, "dropBrush").click()
    for x, is_moved in zip((0.4, 0.6), moved, strict=True):
        pull(session, qtbot, at(session, x, 0.5), at(session, x, 0.6))
        expected = max(0.0, 0.5 + (x - 0.5 - 0.25) * 2) if is_moved else x
        assert painted(session)[-1].points[0] == pytest.approx((expected, 0.5), abs=0.02)


def test_a_stroke_begins_on_the_picture(session: Session, qtbot: QtBot) -> None:
    """A click on the empty border painted a zone at the picture's edge, where the room was shown."""
    qtbot.waitUntil(lambda: shows_camera(session))
    preview = session.window.preview
    preview.setFixedSize(900, 300)
    qtbot.waitUntil(lambda: preview.picture_rect().left() > 20)
    beside, inside = QPoint(5, 150), at(session, 0.3, 0.5)
    button(session, "keepBrush").click()
    qtbot.mouseClick(preview, Qt.MouseButton.LeftButton, pos=beside)
    qtbot.mouseDClick(preview, Qt.MouseButton.LeftButton, pos=beside)
    pull(session, qtbot, beside, inside)
    assert painted(session) == ()
    pull(session, qtbot, inside, beside)
    assert painted(session)[-1].points[-1][0] in (0, 1), "a stroke may leave the picture"


def test_nothing_is_selected_or_moved_on_the_stand_by_card(session: Session, qtbot: QtBot) -> None:
    """A click on it selected an invisible spot: with "only me" the user was gone after the pause."""
    qtbot.waitUntil(lambda: shows_camera(session))
    session.store.edit("people", only_me=True)
    find(session.window, QCheckBox, "mousePersonCheck").setChecked(True)
    session.store.set("paused", True)
    qtbot.waitUntil(lambda: not shows_camera(session))
    before, preview = session.store.current, session.window.preview
    qtbot.mouseClick(preview, Qt.MouseButton.LeftButton, pos=at(session, 0.9, 0.1))
    pull(session, qtbot, at(session, 0.5, 0.5), at(session, 0.2, 0.2))
    turn_wheel(preview, 3)
    qtbot.keyClick(preview, Qt.Key.Key_Down)
    assert session.store.current == before
    session.store.set("paused", False)
    qtbot.waitUntil(lambda: shows_camera(session))
    qtbot.mouseClick(preview, Qt.MouseButton.LeftButton, pos=at(session, 0.4, 0.6))
    assert session.store.current.selected is not None


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
    clear = button(session, "zonesClear")
    qtbot.waitUntil(clear.isEnabled)  # with the next status, which names the camera
    clear.click()
    assert painted(session) == ()


def test_a_click_selects_a_person_and_is_not_saved(session: Session, qtbot: QtBot) -> None:
    session.store.edit("window", mirror_preview=True)
    qtbot.waitUntil(lambda: shows_camera(session))
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
    assert session.store.current.kept.selected is None
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
    session.store.set("paused", True)
    qtbot.waitUntil(lambda: session.bridge.picture is not None and session.bridge.picture.frame is None)
    button(session, "keepBrush").click()
    pull(session, qtbot, at(session, 0.2, 0.2), at(session, 0.6, 0.4))
    assert painted(session) == ()


STRICT: Settings = QUIET.with_strict("strict").replace(
    background=BackgroundSettings(kind="colour", colour="#0000ff"), output=OutputSettings(virtual_camera="fake")
)


def text(session: Session, name: str) -> str:
    found = find(session.window, QLabel, name)
    return found.text() if found.isVisible() else ""


@pytest.fixture
def hiding(world: FakeWorld, start_window: StartWindow) -> Session:
    """A window over an engine that hides somebody at the level strict."""
    world.engine = HidingEngine
    return start_window(STRICT)


def test_the_preview_asks_to_move_and_a_button_shows_the_person(
    hiding: Session, world: FakeWorld, qtbot: QtBot
) -> None:
    """The outputs never contain the hint, and it stays away while others see something else."""
    hint = "Move a little to appear"
    qtbot.waitUntil(lambda: text(hiding, "moveHint") == hint)
    frames = hiding.bridge.status.frames_out
    qtbot.waitUntil(lambda: hiding.bridge.status.frames_out > frames + 5)
    assert {tuple(colour) for colour in world.newest().image.reshape(-1, 3).tolist()} == {PERSON, (255, 0, 0)}
    hiding.store.set("frozen", True)
    assert text(hiding, "moveHint") == ""
    assert text(hiding, "stateBadge") != "Only me: click yourself"
    hiding.store.set("frozen", False)
    hiding.store.set("paused", True)
    assert text(hiding, "moveHint") == ""
    hiding.store.set("paused", False)
    qtbot.waitUntil(lambda: text(hiding, "moveHint") == hint)
    show = button(hiding, "showAnywayButton")
    assert show.text() == "Show me anyway"
    picture = hiding.window.preview.picture_rect().toAlignedRect()
    assert picture.contains(show.geometry().translated(show.parentWidget().pos()))  # type: ignore[union-attr]

    qtbot.mouseClick(show, Qt.MouseButton.LeftButton)

    assert hiding.store.current == STRICT.with_strict("balanced")
    assert not show.isVisible()
    assert text(hiding, "moveHint") == ""
    qtbot.waitUntil(lambda: not hiding.bridge.status.hides_person)


def test_the_hint_stays_inside_a_small_picture(hiding: Session, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: text(hiding, "moveHint") != "" and hiding.window.preview.image is not None)
    preview, show = hiding.window.preview, button(hiding, "showAnywayButton")
    for size in ((240, 135), (480, 270)):
        preview.resize(*size)
        qtbot.waitUntil(lambda: preview.rect().contains(show.geometry().translated(show.parentWidget().pos())))  # type: ignore[union-attr]


def blur(strength: float, level: StrictLevel) -> Settings:
    """Settings of a blur on the scale of the level."""
    settings = QUIET.with_strict(level)
    return settings.replace(background=BackgroundSettings(kind="blur", blur_strength=strength))


def test_the_preview_says_from_where_on_text_can_be_read(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window(blur(69, "off"))
    readable = "Text behind you can be read"
    qtbot.waitUntil(lambda: text(session, "readableBadge") == readable)
    session.store.edit("background", blur_strength=70)
    qtbot.waitUntil(lambda: text(session, "readableBadge") == "")
    session.store.edit("background", blur_strength=0)
    qtbot.waitUntil(lambda: text(session, "readableBadge") == readable)
    session.store.set("paused", True)
    qtbot.waitUntil(lambda: text(session, "readableBadge") == "")
    session.store.set("paused", False)
    qtbot.waitUntil(lambda: text(session, "readableBadge") == readable)
    session.store.set("edges.strict", "balanced")
    qtbot.waitUntil(lambda: text(session, "readableBadge") == "")
    assert session.store.current.background.blur_strength == 0


def test_the_strength_that_hides_text_is_marked_where_the_level_allows_less(controls: Session, qtbot: QtBot) -> None:
    controls.store.change(lambda _settings: blur(30, "off"))
    marked = find(controls.window, StillSlider, "blurSlider")
    qtbot.waitUntil(lambda: marked.isVisible() and marked.mark == 70)
    assert "from the mark on, text is unreadable" in marked.toolTip()
    with_mark = marked.grab().toImage()
    for level in ("balanced", "strict"):
        controls.store.set("edges.strict", level)
        assert marked.mark is None
        assert "at every strength" in marked.toolTip()
    controls.store.set("edges.strict", "off")
    controls.store.edit("background", blur_strength=30)
    controls.store.edit("matting", location="remote", server="https://matting.example:8765")
    assert marked.mark is None, "while a server makes the mattes the level is balanced"
    overlay = controls.window.overlay
    overlay.show_status(PipelineStatus(), "", controls.store.current)
    assert overlay.readable.text() == ""
    controls.store.edit("matting", location="local")
    overlay.show_status(PipelineStatus(), "", controls.store.current)
    assert overlay.readable.text() == "Text behind you can be read"
    marked.set_mark(None)
    plain = marked.grab().toImage()
    changed = [
        x
        for x in range(plain.width())
        if any(QColor(plain.pixel(x, y)) != QColor(with_mark.pixel(x, y)) for y in range(plain.height()))
    ]
    assert changed
    assert all(abs(x / plain.width() - 0.7) < 0.05 for x in changed), changed
