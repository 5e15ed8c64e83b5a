"""Scenes: saved, applied, renamed, removed, and what they ask before they show."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QInputDialog, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from app.config.scenes import Scene, SceneStore, default_path
from app.core.files import paths
from app.core.settings import BackgroundSettings, PeopleSettings, Settings, Zone
from app.gui.backgrounds.tiles import TileKind
from app.gui.shell.application import Session
from app.gui.shell.menus import ScenesMenu
from tests.gui.conftest import PATIENCE_MS, activate
from tests.gui.widgets import add, answer, asked, chosen, own, tiles


def save(session: Session, qtbot: QtBot, name: str, *, with_devices: bool = False) -> None:
    session.window.scenes.save(name, with_devices=with_devices)
    qtbot.waitUntil(lambda: name in session.window.scenes.names)


def enter(session: Session, name: str) -> None:
    """Answer the newest question for a name."""
    dialog = session.window.findChildren(QInputDialog)[-1]
    dialog.setTextValue(name)
    dialog.accept()


def test_scenes_are_saved_applied_renamed_and_removed(session: Session, qtbot: QtBot) -> None:
    scenes = session.window.scenes
    session.store.edit("background", kind="colour", colour="#112233")
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    enter(session, "Work")
    qtbot.waitUntil(lambda: scenes.names == ("Work",))
    session.store.edit("background", kind="blur")
    session.store.edit("matting", downsample_ratio=0.5)
    session.store.set("paused", True)
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: session.pipeline.settings.background.kind == "colour")
    assert session.pipeline.settings.matting.downsample_ratio is None
    assert session.pipeline.settings.paused, "a scene does not end a pause"
    scenes.ask_for_new_name("Work")
    enter(session, "Office")
    qtbot.waitUntil(lambda: scenes.names == ("Office",))
    scenes.ask_before_removal("Office")
    assert "Office" in answer(session, qtbot, "deletionQuestion", "Remove").text()
    qtbot.waitUntil(lambda: scenes.names == ())
    scenes.apply("Office")
    qtbot.waitUntil(lambda: "There is no scene “Office”" in session.window.notices.error)


class ScenesOfASlowDisk(SceneStore):
    """Gives the scene “slow” when it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.may_read, self.has_read = threading.Event(), threading.Event()
        self.may_read.set()

    def get(self, name: str) -> Scene:
        if name != "slow":
            return super().get(name)
        assert self.may_read.wait(PATIENCE_MS / 1000)
        scene = super().get(name)
        self.has_read.set()
        return scene


def test_of_two_scenes_the_one_that_was_chosen_last_is_applied(controls: Session, qtbot: QtBot, tmp_path: Path) -> None:
    scenes = ScenesOfASlowDisk(tmp_path / "scenes.json")
    for name, colour in (("slow", "#111111"), ("quick", "#222222")):
        scenes.put(name, Settings(background=BackgroundSettings(kind="colour", colour=colour)))
    window = controls.window
    menu = ScenesMenu(QMenu(window), scenes, controls.store, window.tasks, window)
    qtbot.waitUntil(lambda: menu.names == ("slow", "quick"))
    scenes.may_read.clear()
    scenes.has_read.clear()
    menu.apply("slow")
    menu.apply("quick")
    qtbot.waitUntil(lambda: chosen(controls).colour == "#222222")
    scenes.may_read.set()
    qtbot.waitUntil(scenes.has_read.is_set)
    qtbot.wait(100)  # until it is delivered
    assert chosen(controls).colour == "#222222"


ZONE = Zone(points=((0.5, 0.5),))


@pytest.mark.parametrize(
    ("section", "shown", "hidden", "said"),
    [
        ("background", {"kind": "none"}, {"kind": "blur"}, "“None”"),
        ("people", {"zones": ()}, {"zones": (ZONE,)}, "“Always hide”"),
        ("people", {"only_me": False}, {"only_me": True}, "“Only me”"),
        ("background", {"blur_strength": 10}, {"kind": "colour"}, "text in your room can be read"),
        ("matting.edges", {"strict": "off"}, {"strict": "balanced"}, "text in your room can be read"),
    ],
)
def test_a_scene_that_shows_the_room_asks_first(
    controls: Session, qtbot: QtBot, section: str, shown: dict[str, object], hidden: dict[str, object], said: str
) -> None:
    scenes, store = controls.window.scenes, controls.store
    store.edit("background", kind="blur")
    store.edit("matting.edges", strict="off")
    store.edit("background", blur_strength=10 if "strict" in shown else 85)
    store.edit(section, **shown)
    section = section.partition(".")[0]
    saved = getattr(store.current, section)
    save(controls, qtbot, "room")
    store.edit("matting.edges" if section == "matting" else section, **hidden)
    before = getattr(store.current, section)
    for text, wanted in (("Keep it hidden", before), ("Show it", saved)):
        scenes.apply("room")
        qtbot.waitUntil(lambda: asked(controls, "unmattedQuestion") is not None)
        assert getattr(store.current, section) == before
        box = answer(controls, qtbot, "unmattedQuestion", text)
        assert said in box.informativeText()
        assert getattr(store.current, section) == wanted
        qtbot.waitUntil(lambda: asked(controls, "unmattedQuestion") is None)


def test_a_scene_asks_before_each_thing_that_it_shows(controls: Session, qtbot: QtBot) -> None:
    """Who agreed to one was not asked about the others."""
    scenes, store = controls.window.scenes, controls.store
    store.edit("matting.edges", strict="off")
    store.edit("background", kind="blur", blur_strength=10)
    shown = store.current.background
    save(controls, qtbot, "both")
    store.edit("background", kind="colour")
    store.edit("people", only_me=True)
    for answers in (("Show it", "Keep it hidden"), ("Show it", "Show it")):
        scenes.apply("both")
        for text, words in zip(answers, ("text in your room", "“Only me”"), strict=True):

            def questions(words: str = words) -> list[QMessageBox]:
                return [box for box in controls.window.findChildren(QMessageBox) if words in box.informativeText()]

            qtbot.waitUntil(lambda: bool(questions()))
            assert store.current.background.kind == "colour"
            next(each for each in questions()[-1].buttons() if each.text() == text).click()
            qtbot.waitUntil(lambda: not questions())
    assert (store.current.background, store.current.people.only_me) == (shown, False)


def test_a_scene_that_shows_more_than_was_confirmed_asks_again(controls: Session, qtbot: QtBot) -> None:
    """The answer about “Only me” also ended a drop zone that `ctl` had added while the question was open."""
    scenes, store = controls.window.scenes, controls.store
    save(controls, qtbot, "everybody")
    store.edit("people", only_me=True)
    scenes.apply("everybody")
    qtbot.waitUntil(lambda: asked(controls, "unmattedQuestion") is not None)
    store.edit("people", zones=(ZONE,))
    hidden = store.current.people
    assert "“Only me”" in answer(controls, qtbot, "unmattedQuestion", "Show it").informativeText()
    assert store.current.people == hidden
    qtbot.waitUntil(lambda: len(controls.window.findChildren(QMessageBox, "unmattedQuestion")) == 1)
    assert "“Always hide”" in answer(controls, qtbot, "unmattedQuestion", "Show it").informativeText()
    assert store.current.people == PeopleSettings()


def test_a_scene_changes_the_camera_only_if_it_was_saved_with_it(controls: Session, qtbot: QtBot) -> None:
    scenes, store = controls.window.scenes, controls.store
    store.edit("capture", source="camera:usb-1")
    save(controls, qtbot, "look")
    save(controls, qtbot, "desk", with_devices=True)
    store.edit("capture", source="camera:usb-2")
    store.edit("background", kind="colour")
    scenes.apply("look")
    qtbot.waitUntil(lambda: store.current.background.kind == "blur")
    assert store.current.capture.source == "camera:usb-2"
    scenes.apply("desk")
    qtbot.waitUntil(lambda: store.current.capture.source == "camera:usb-1")


def entry(controls: Session, name: str) -> QAction:
    """Open the Scenes menu and return the entry of a scene."""
    menu = controls.window.menus.scenes
    menu.aboutToShow.emit()
    return next(action for action in menu.actions() if action.text() == name)


def test_the_scene_in_use_is_marked(controls: Session, qtbot: QtBot) -> None:
    store = controls.store
    save(controls, qtbot, "Blurred")
    store.edit("background", kind="colour")
    save(controls, qtbot, "Coloured & more")
    assert not entry(controls, "Blurred").isChecked()
    assert entry(controls, "Coloured && more").isChecked()
    entry(controls, "Blurred").trigger()
    qtbot.waitUntil(lambda: store.current.background.kind == "blur")
    assert entry(controls, "Blurred").isChecked()
    store.edit("background", blur_strength=97)
    assert not entry(controls, "Blurred").isChecked(), "another look than the saved one"


def test_saving_says_so_and_asks_before_it_replaces_a_scene(session: Session, qtbot: QtBot) -> None:
    scenes, store = session.window.scenes, session.store

    scenes.ask_for_name()
    enter(session, "Work")
    qtbot.waitUntil(lambda: "Saved the scene “Work”. Ctrl+1 applies it." in session.window.notices.texts)
    store.edit("background", kind="colour", colour="#112233")
    file = SceneStore(paths.config_dir() / "scenes.json")
    for reply in ("Keep", "Replace"):
        assert file.get("Work").settings.background.kind == "blur"
        scenes.ask_for_name()
        enter(session, " Work ")
        question = answer(session, qtbot, "deletionQuestion", reply)
        assert question.text() == "There is a scene “Work” already. Replace it?"
        qtbot.waitUntil(lambda: asked(session, "deletionQuestion") is None)
    qtbot.waitUntil(lambda: file.get("Work").settings.background.kind == "colour")
    assert scenes.names == ("Work",)


def test_a_scene_follows_a_background_that_is_renamed(session: Session, qtbot: QtBot, picture: Path) -> None:
    """Applying it failed: it named the old file."""
    tile, scenes = add(session, qtbot, picture), session.window.scenes
    scene_store = SceneStore(default_path())
    save(session, qtbot, "Beach")
    session.window.strip.choose(next(each for each in tiles(session) if each.kind is TileKind.BLUR))
    session.window.strip.library.rename(tile, "Seaside")
    qtbot.waitUntil(lambda: [tile.name for tile in own(session)] == ["Seaside"])
    renamed = paths.backgrounds_dir() / "Seaside.png"
    qtbot.waitUntil(lambda: scene_store.get("Beach").settings.background.path == renamed)
    scenes.apply("Beach")
    qtbot.waitUntil(lambda: chosen(session).kind == "image")
    assert chosen(session).path == renamed
