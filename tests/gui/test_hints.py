"""Hints of the preview: somebody is hidden until they move, text can be read behind a weak blur."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.core.settings import BackgroundSettings, OutputSettings, Settings, StrictLevel
from app.gui.shell.application import Session
from app.gui.widgets.value_slider import StillSlider
from app.runtime.status import PipelineStatus
from app.testing.parts import PERSON
from tests.fakes.hiding import HidingEngine
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import button, find, said

STRICT: Settings = QUIET.replaced_at(("matting", "edges"), strict="strict").replace(
    background=BackgroundSettings(kind="colour", colour="#0000ff"), output=OutputSettings(virtual_camera="fake")
)


def inside(session: Session) -> bool:
    """Whether the button below the hint is on the preview."""
    show, preview = button(session, "showAnywayButton"), session.window.preview
    return preview.rect().contains(QRect(show.mapTo(preview, QPoint()), show.size()))


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
    qtbot.waitUntil(lambda: said(hiding, "moveHint") == hint)
    frames = hiding.bridge.status.frames_out
    qtbot.waitUntil(lambda: hiding.bridge.status.frames_out > frames + 5)
    assert {tuple(colour) for colour in world.newest().image.reshape(-1, 3).tolist()} == {PERSON, (255, 0, 0)}
    hiding.store.set("frozen", True)
    assert said(hiding, "moveHint") == ""
    assert said(hiding, "stateBadge") != "Only me: click yourself"
    hiding.store.set("frozen", False)
    hiding.store.set("paused", True)
    assert said(hiding, "moveHint") == ""
    hiding.store.set("paused", False)
    qtbot.waitUntil(lambda: said(hiding, "moveHint") == hint)
    show = button(hiding, "showAnywayButton")
    assert show.text() == "Show me anyway"
    for size in ((240, 135), (480, 270)):
        hiding.window.preview.resize(*size)
        qtbot.waitUntil(lambda: inside(hiding))

    qtbot.mouseClick(show, Qt.MouseButton.LeftButton)

    assert hiding.store.current == STRICT.replaced_at(("matting", "edges"), strict="balanced")
    assert not show.isVisible()
    assert said(hiding, "moveHint") == ""
    qtbot.waitUntil(lambda: not hiding.bridge.status.hides_person)


def blur(strength: float, level: StrictLevel) -> Settings:
    """Settings of a blur."""
    settings = QUIET.replaced_at(("matting", "edges"), strict=level)
    return settings.replace(background=BackgroundSettings(kind="blur", blur_strength=strength))


def test_the_preview_says_from_where_on_text_can_be_read(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window(blur(69, "off"))
    qtbot.waitUntil(lambda: said(session, "readableBadge") == "Text behind you can be read")
    for name, hides, reads in (("background.blur_strength", 70, 0), ("paused", True, False)):
        session.store.set(name, hides)
        qtbot.waitUntil(lambda: said(session, "readableBadge") == "")
        session.store.set(name, reads)
        qtbot.waitUntil(lambda: said(session, "readableBadge") != "")
    session.store.set("edges.strict", "balanced")
    qtbot.waitUntil(lambda: said(session, "readableBadge") == "")
    assert find(session.window, StillSlider, "blurSlider").value() == 70


def test_the_strength_that_hides_text_is_marked_where_the_level_allows_less(controls: Session, qtbot: QtBot) -> None:
    controls.store.change(lambda _settings: blur(30, "off"))
    marked = find(controls.window, StillSlider, "blurSlider")
    qtbot.waitUntil(lambda: marked.isVisible() and marked.mark == 70)
    assert "from the mark on, text is unreadable" in marked.toolTip()
    with_mark = marked.grab().toImage()
    for level in ("balanced", "strict"):
        controls.store.set("edges.strict", level)
        assert marked.mark is None
        assert (marked.minimum(), marked.value()) == (70, 70), "what is shown"
        assert "at every strength" in marked.toolTip()
    controls.store.set("edges.strict", "off")
    controls.store.edit("background", blur_strength=30)
    overlay = controls.window.overlay
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
