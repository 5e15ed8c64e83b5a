"""Scenes and what they ask before they show; what the window and `ctl` can do of each other."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QInputDialog, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from app.config.scenes import Scene, SceneStore, default_path
from app.config.setting import SETTINGS
from app.control.commands import OWN_COMMANDS, SETTABLE, Command
from app.control.transport import ask
from app.core import paths
from app.core.settings import BackgroundSettings, OutputSettings, PeopleSettings, Settings, SettingsOwner, Zone
from app.core.types import PictureKind
from app.gui.application import Session
from app.gui.backgrounds.tiles import TileKind
from app.gui.menus import ScenesMenu
from app.gui.store import SettingsStore
from app.runtime.status import Phase
from app.system import autostart
from tests.fakes.world import FakeWorld
from tests.gui.conftest import ON_DEVICE, PATIENCE_MS, StartWindow, activate
from tests.gui.widgets import add, answer, answered, asked, button, chosen, made_store, own, tiles, use_everything_on
from tests.waiting import beside, eventually
from tools import make_translations


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


def test_every_setting_that_a_control_changes_can_be_set_by_ctl(controls: Session) -> None:
    changed: set[str] = set()
    last = controls.store.current
    every = list(SETTINGS.values())

    def compare(settings: Settings) -> None:
        nonlocal last
        changed.update(setting.name for setting in every if setting.value_in(settings) != setting.value_in(last))
        last = settings

    controls.store.changed.connect(compare)
    window = controls.window
    for tile in window.strip.model.tiles:
        window.strip.choose(tile)
    use_everything_on(controls)
    window.action_bar.pause.click()
    window.action_bar.freeze.click()
    assert len(changed) >= 30, "the controls were used"
    assert changed <= {*SETTABLE, *OWN_COMMANDS}


def test_what_ctl_changes_is_shown(session: Session, qtbot: QtBot) -> None:
    assert answered(qtbot, "set", "window.theme dark").done
    dark = next(action for action in session.window.findChildren(QAction) if action.text() == "Dark")
    assert dark.isChecked()
    assert session.store.current.window.theme == "dark"
    refused = answered(qtbot, "set", "window.theme pink")
    assert not refused.done
    assert "'system', 'light' or 'dark'" in refused.message
    for option, names in (("--save", ("Desk",)), ("--remove", ())):
        assert answered(qtbot, "scene", f"{option} Desk").done
        qtbot.waitUntil(lambda names=names: session.window.scenes.names == names)  # type: ignore[misc]
    for word, on in (("on", True), ("off", False)):
        assert answered(qtbot, "autostart", word).done
        assert autostart.enabled() is on
    assert answered(qtbot, "retry").done


def test_a_background_chosen_after_one_of_the_command_line_is_saved_with_its_kind() -> None:
    """The next start showed the blur: of both the kind was "image", so that only the file was saved."""
    image = BackgroundSettings(kind="image", path=Path("option.png"))
    store = SettingsStore(SettingsOwner(Settings(background=image)), Settings())
    store.edit("background", fit="fit")
    assert store.saved.background == BackgroundSettings(fit="fit")
    store.edit("background", kind="image", path=Path("chosen.png"))
    assert store.saved.background == BackgroundSettings(kind="image", path=Path("chosen.png"), fit="fit")


def test_recording_pause_and_freeze_are_not_saved() -> None:
    store = made_store()
    store.edit("output", record=Path("a.mp4"), standby_text="soon")
    store.set("paused", True)
    store.set("frozen", True)
    assert store.current.paused
    assert store.current.frozen
    for kept in (store.saved, store.current.kept):
        assert kept.output == OutputSettings(standby_text="soon")
        assert not kept.paused
        assert not kept.frozen


def test_changed_is_emitted_once_per_effective_change() -> None:
    store = made_store()
    emitted: list[Settings] = []
    store.changed.connect(emitted.append)
    store.edit("background", kind="blur")
    store.edit("background", kind="none")
    assert [settings.background.kind for settings in emitted] == ["none"]


def test_a_change_on_another_thread_is_emitted_on_the_gui_thread(qtbot: QtBot) -> None:
    store = made_store()
    threads: list[int] = []
    store.changed.connect(lambda _new: threads.append(threading.get_ident()))
    beside(lambda: store.set("paused", True)).result()
    assert store.current.paused, "in effect without the GUI thread"
    assert not threads
    qtbot.waitUntil(lambda: threads == [threading.get_ident()])


def test_a_pause_does_not_wait_for_the_gui_thread(start_window: StartWindow, qtbot: QtBot, world: FakeWorld) -> None:
    session = start_window(ON_DEVICE)
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING and bool(world.pictures()))
    seen: list[tuple[bool, int]] = []

    def pause() -> None:
        ask(Command("pause"))
        sent = len(world.pictures())
        seen.append((session.pipeline.settings.paused, sent))
        eventually(lambda: len(world.pictures()) > sent + 1)  # the output continues without the GUI thread

    beside(pause).result(60)  # while the GUI thread is blocked
    (paused, sent) = seen[0]
    assert paused, "in effect when it was answered"
    eventually(lambda: len(world.pictures()) > sent + 2)  # the output continues while the GUI thread is blocked
    sent_after = world.pictures()[sent + 1 :]  # one picture may have been on its way into the device
    assert {picture.kind for picture in sent_after} == {PictureKind.STANDBY}
    session.store.edit("background", blur_strength=72.0)  # based on what the window showed last
    assert session.pipeline.settings.paused
    qtbot.waitUntil(button(session, "pauseButton").isChecked)
    assert session.pipeline.settings.paused
    assert session.pipeline.settings.background.blur_strength == 72.0


@pytest.mark.usefixtures("each_language")
@pytest.mark.parametrize("each_language", make_translations.LANGUAGES, indirect=True)
def test_ctl_accepts_names_and_numbers_of_the_translated_tiles(start_window: StartWindow, qtbot: QtBot) -> None:
    def is_chosen(row: int) -> bool:
        return model.chosen_row == row

    model = start_window().window.strip.model
    for row, tile in enumerate(model.tiles[:3]):
        for text in (tile.name, str(model.number(row))):
            answer = answered(qtbot, "background", text)
            assert answer.done, answer.message
            qtbot.waitUntil(partial(is_chosen, row))
    refused = answered(qtbot, "background", "Atlantis")
    assert not refused.done
    for row, tile in enumerate(model.tiles):
        assert f"{model.number(row)} " in refused.message
        assert tile.name in refused.message
