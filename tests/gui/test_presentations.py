"""Slides are presented behind the person, and the background before them comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.core.files import paths
from app.core.framing import IN_PLACE, in_corner
from app.gui.panels.presenter import PresenterControls
from app.gui.shell.application import Session
from tests.gui.conftest import activate
from tests.gui.fitting import far_captions
from tests.gui.widgets import (
    add,
    bring_up,
    button,
    chosen,
    find,
    own,
    ready,
    talk,
)


def test_presenting_shows_slides_and_the_person_in_a_corner(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    ready(session, qtbot)
    activate(session, qtbot)
    before = chosen(session)
    presenter = find(session.window, PresenterControls)
    end = button(session, "presentEnd")
    assert not end.isEnabled()
    presenter.present(talk(tmp_path))
    assert chosen(session) == before.replace(kind="slides", path=tmp_path, fit="fit")
    assert session.store.current.placement == in_corner("bottom-right")
    shown = find(session.window, QLabel, "slideNumber")
    qtbot.waitUntil(lambda: shown.text() == "1 / 3")
    qtbot.waitUntil(lambda: far_captions(session.window.strip) == [])
    qtbot.mouseClick(button(session, "nextSlide"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shown.text() == "2 / 3")
    button(session, "nextSlide").clearFocus()  # a button that has no effect any more keeps the focus until then
    qtbot.keyClick(session.window, Qt.Key.Key_PageDown)
    qtbot.keyClick(session.window, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: shown.text() == "3 / 3" and not button(session, "nextSlide").isEnabled())
    qtbot.keyClick(session.window, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: chosen(session).slide == 2)
    bring_up(session, end)
    qtbot.mouseClick(end, Qt.MouseButton.LeftButton)
    assert chosen(session) == before
    assert session.store.current.placement == IN_PLACE
    session.store.edit("background", kind="none")
    session.store.edit("placement", scale=0.7, x=0.2)
    place = session.store.current.placement
    presenter.present(tmp_path)
    session.store.edit("placement", scale=0.3)
    end.click()
    assert chosen(session).kind == "blur", "never the room"
    assert session.store.current.placement == place, "not the middle"


@pytest.mark.parametrize("change", ["rename", "remove"])
def test_a_presentation_ends_although_the_background_before_it_was_renamed_or_removed(
    session: Session, qtbot: QtBot, picture: Path, tmp_path: Path, change: str
) -> None:
    tile = add(session, qtbot, picture)
    (tmp_path / "talk").mkdir()
    find(session.window, PresenterControls).present(talk(tmp_path / "talk"))
    qtbot.waitUntil(lambda: session.bridge.status.slides == 3)
    strip = session.window.strip
    strip.library.rename(tile, "Seaside") if change == "rename" else strip.remove(tile)
    qtbot.waitUntil(lambda: tile not in own(session))
    button(session, "presentEnd").click()
    qtbot.waitUntil(lambda: session.bridge.status.slides == 0)
    assert session.bridge.status.problems == ()
    shown = ("image", paths.backgrounds_dir() / "Seaside.png") if change == "rename" else ("blur", tile.path)
    assert (chosen(session).kind, chosen(session).path) == shown
