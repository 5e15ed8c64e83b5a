"""Scenes in the window: saved, applied after a question, renamed and removed."""

from __future__ import annotations

import time
from functools import partial

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from pytestqt.qtbot import QtBot

from app.config.scenes import SceneStore, default_path
from app.effects.zones import Zone
from app.gui.application import Session
from app.gui.main_window import MainWindow
from app.settings import Settings
from tests.gui import widgets as ui
from tests.gui.conftest import GERMAN, StartWindow, activate


def test_scenes_are_saved_replaced_applied_renamed_and_removed(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = session.window.scenes
    file = SceneStore(default_path())
    read = SceneStore.names
    end = iter((partial(time.sleep, 0.5),))
    monkeypatch.setattr(SceneStore, "names", lambda store: (read(store), next(end, bool)())[0])
    scenes.reload()  # it takes long, and the menu lost the scene that was saved meanwhile
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    ui.give_name(session, "Work")
    ui.settle(session.window.tasks, qtbot)
    ui.until(qtbot, ui.has_scenes, session, "Work")
    session.store.edit("background", kind="colour", colour="#112233")
    for reply in ("Keep", "Replace"):
        assert file.get("Work").settings.background.kind == "blur"
        scenes.ask_for_name()
        ui.give_name(session, " Work ")
        assert ui.answer(session, qtbot, reply).startswith(
            "There is a scene “Work” already. Replace it?"
        )
    qtbot.waitUntil(lambda: file.get("Work").settings.background.kind == "colour")
    assert scenes.names == ("Work",)
    session.store.edit("background", kind="blur")
    session.store.edit("matting", downsample_ratio=0.5)
    session.store.set("paused", True)
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: session.pipeline.settings.background.kind == "colour")
    assert session.pipeline.settings.matting.downsample_ratio is None
    assert session.pipeline.settings.paused, "a scene does not end a pause"
    scenes.ask_for_new_name("Work")
    ui.give_name(session, "Office", "Work")
    ui.until(qtbot, ui.has_scenes, session, "Office")
    scenes.ask_before_removal("Office")
    assert "Office" in ui.answer(session, qtbot, "Remove")
    ui.until(qtbot, ui.has_scenes, session)
    scenes.apply("Office")
    ui.until(qtbot, ui.has_error, session, "There is no scene “Office”")


ZONE = Zone(points=((0.5, 0.5),))


@pytest.mark.parametrize(("section", "shown", "hidden", "said"), [
    ("background", {"kind": "none"}, {"kind": "blur"}, "“None”"),
    ("people", {"zones": ()}, {"zones": (ZONE,)}, "“Always hide”"),
    ("people", {"only_me": False}, {"only_me": True}, "“Only me”"),
    ("background", {"blur_strength": 10}, {"kind": "colour"}, "text in your room can be read"),
    ("strict", {"level": "off"}, {"level": "balanced"}, "text in your room can be read"),
])  # fmt: skip
def test_a_scene_that_shows_the_room_asks_first(
    controls: Session,
    qtbot: QtBot,
    section: str,
    shown: dict[str, object],
    hidden: dict[str, object],
    said: str,
) -> None:
    scenes = controls.window.scenes
    store = controls.store
    store.edit("background", kind="blur")
    store.edit("strict", level="off")
    store.edit("background", blur_strength=10 if section == "strict" else 85)
    store.edit(section, **shown)
    saved = getattr(store.current, section)
    scenes.save("room")
    ui.until(qtbot, ui.has_scenes, controls, "room")
    store.edit(section, **hidden)
    before = getattr(store.current, section)
    for text, wanted in (("Keep it hidden", before), ("Show it", saved)):
        scenes.apply("room")
        ui.until(qtbot, ui.asked, controls)
        assert getattr(store.current, section) == before
        assert said in ui.answer(controls, qtbot, text)
        while (
            text == "Show it" and ui.asked(controls) is not None
        ):  # each thing that would be shown is asked about
            ui.answer(controls, qtbot, text)
        assert getattr(store.current, section) == wanted


def test_a_scene_that_shows_more_than_was_confirmed_asks_again(
    controls: Session, qtbot: QtBot
) -> None:
    """The answer about “Only me” also ended a drop zone that `ctl` had added while the question was open."""
    scenes = controls.window.scenes
    store = controls.store
    scenes.save("everybody")
    ui.until(qtbot, ui.has_scenes, controls, "everybody")
    store.edit("people", only_me=True)
    scenes.apply("everybody")
    ui.until(qtbot, ui.asked, controls)
    store.edit("people", zones=(ZONE,))
    hidden = store.current.people

    assert "“Only me”" in ui.answer(controls, qtbot, "Show it")
    assert store.current.people == hidden
    assert "“Always hide”" in ui.answer(controls, qtbot, "Show it")
    assert store.current.people == Settings().people


def scene_names(window: MainWindow) -> tuple[str, ...]:
    return window.scenes.names


def test_what_ctl_changes_is_shown_also_by_translated_names(
    start_window: StartWindow, qtbot: QtBot
) -> None:
    window = start_window(window=GERMAN).window
    assert (
        ui.answered(qtbot, "set", "window.show-readout off").done
        and ui.answered(qtbot, "retry").done
    )
    readout = next(
        each for each in window.findChildren(QAction) if each.shortcut().toString() == "I"
    )
    ui.until_not(qtbot, readout.isChecked)
    for option, scenes in (("--save", ("Desk",)), ("--remove", ())):
        assert ui.answered(qtbot, "scene", f"{option} Desk").done
        ui.until_is(qtbot, scenes, scene_names, window)
    answer = ui.answered(qtbot, "background", "grün")
    model = window.strip.model
    assert answer.done, answer.message
    qtbot.waitUntil(lambda: model.tiles[model.chosen_row].name == "Grün")
    refused = ui.answered(qtbot, "background", "Atlantis").message
    assert all(tile.name in refused for tile in model.tiles)
