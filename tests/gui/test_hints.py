"""A hint of the preview: text can be read behind a weak blur."""

from __future__ import annotations

from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.core.settings import BackgroundSettings, Settings, StrictLevel
from app.gui.shell.application import Session
from app.gui.widgets.value_slider import StillSlider
from app.runtime.status import PipelineStatus
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import find, said


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
    controls.store.set("edges.strict", "balanced")
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
