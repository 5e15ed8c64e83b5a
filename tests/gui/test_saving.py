"""Settings and scenes are saved, applied after questions, and changed by `ctl`; results of tasks come to the window."""

from __future__ import annotations

import ast
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.config import settings_file
from app.config.scenes import SceneStore
from app.config.setting import SETTINGS, Setting
from app.control.commands import Command
from app.control.transport import ask
from app.core.errors import SourceOpenError, Stage
from app.core.settings import BackgroundSettings, OutputSettings, PeopleSettings, Settings, SettingsOwner, Zone
from app.core.types import PictureKind
from app.gui.application import Session, WindowOptions
from app.gui.bridge import Bridge, ViewMode, ViewRequest
from app.gui.panels.devices import edit_capture
from app.gui.state import NICENESS, THREADS, Saver, SettingsStore, Tasks
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld
from tests.gui.conftest import ON_DEVICE, QUIET, StartWindow, activate
from tests.gui.widgets import answer, answered, asked, button, existing, full, give_name, made_store, settle
from tests.other_values import other_value
from tests.paths import ROOT
from tests.waiting import beside, eventually

IN_A_FILE = [
    setting
    for setting in SETTINGS.values()
    if setting.description and setting.name not in ("people.zones", "output.record", "output.record_alpha")
]
ZONES = [Zone(points=((x / 10, 0.5),)) for x in range(6)]


def values_of(setting: Setting) -> st.SearchStrategy[Any]:
    if setting.choices:
        return st.sampled_from([setting.parsed(choice) for choice in setting.choices])
    if setting.range is not None and setting.unset is None:
        low, high = setting.range
        return st.integers(int(low), int(high)) if setting.annotation is int else st.floats(low, high)
    return st.sampled_from([setting.parsed(other_value(setting, Path("/nowhere/file.png"))), setting.default])


Changes = list[tuple[Setting, Any]]
CHANGES = st.lists(
    st.sampled_from(IN_A_FILE).flatmap(lambda setting: values_of(setting).map(lambda value: (setting, value))),
    max_size=4,
)
ZONE_LISTS = st.lists(st.sampled_from(ZONES), unique=True, max_size=4).map(tuple)


def changed(settings: Settings, changes: Changes) -> Settings:
    for setting, value in changes:
        settings = setting.replaced_in(settings, value)
    return settings


def store_of(saved: Settings, run: Settings) -> SettingsStore:
    return SettingsStore(SettingsOwner(run), saved)


@profile(deadline=None, max_examples=200)
@given(file=CHANGES, options=CHANGES, touched=CHANGES, zones=st.tuples(ZONE_LISTS, ZONE_LISTS, ZONE_LISTS))
def test_what_is_saved_differs_only_in_what_the_user_changed(
    file: Changes, options: Changes, touched: Changes, zones: tuple[tuple[Zone, ...], ...]
) -> None:
    """After one run with `--strict off`, a touch of any edge or light control saved that for good."""
    saved = changed(Settings(), file).replaced_at(["people"], zones=zones[0])
    run = changed(saved, options).replaced_at(["people"], zones=zones[1])
    store = store_of(saved.kept, run)
    before = store.saved
    by_user = set[str]()
    for setting, value in touched:
        old = store.current
        store.set(setting.name, value)
        by_user |= {name for name, each in SETTINGS.items() if each.value_in(old) != each.value_in(store.current)}
        if setting.name in ("background.path", "background.colour"):
            by_user.add("background.kind")  # a background that was chosen is saved as the one in use
    store.edit("people", zones=zones[2])
    for name, setting in SETTINGS.items():
        if name == "people.zones":
            added, removed = set(zones[2]) - set(zones[1]), set(zones[1]) - set(zones[2])
            assert set(store.saved.people.zones) == (set(zones[0]) - removed) | added
        elif name not in by_user:
            assert setting.value_in(store.saved) == setting.value_in(before), name


@pytest.mark.parametrize("saved_level", ["off", "balanced"])
@pytest.mark.parametrize("run_level", ["off", "balanced"])
@pytest.mark.parametrize("strength", [0, 10, 69, 70, 90])
def test_the_next_start_blurs_at_least_as_what_the_user_saw(saved_level: str, run_level: str, strength: float) -> None:
    """Saved without strict mode, 10 of a run at `balanced` was readable from the next start on."""
    saved = Settings().replaced_at(["matting", "edges"], strict=saved_level)
    store = store_of(saved, saved.replaced_at(["matting", "edges"], strict=run_level))
    store.edit("background", blur_strength=strength)
    assert store.saved.shown_blur >= store.current.shown_blur
    assert store.saved.matting == saved.matting


def test_a_camera_is_remembered_without_the_options_of_the_run() -> None:
    store = store_of(Settings(), Settings().replaced_at(["capture"], source="camera:usb-1", width=640))
    edit_capture(store, lock_exposure=True)
    assert store.saved.window.cameras["camera:usb-1"].width == Settings().capture.width


RUN = QUIET.replaced_at(["matting", "edges"], strict="off").replaced_at(["background"], kind="colour")
SAVED = QUIET.replaced_at(["capture"], source="auto")


def test_a_scene_that_failed_saves_no_option_of_the_run(
    start_window: StartWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    """It took back the level `off` of the run also in the settings file: the next run had it."""
    session = start_window(RUN, saved_settings=SAVED)
    eventually(lambda: session.bridge.status.phase is Phase.RUNNING)
    world.faults.put("open_source", SourceOpenError("There is no such camera."))
    store = session.store
    scenes = SceneStore(settings_file.default_path().with_name("scenes.json"))
    scenes.put("Desk", SAVED.replaced_at(["capture"], source="camera:7"), with_devices=True)
    assert "no such camera" in str(answered(qtbot, "scene", "Desk"))
    assert (store.current.capture.source, store.current.matting.edges.strict) == ("demo", "off")
    assert store.saved.replace(window=SAVED.window) == SAVED


def write(session: Session) -> None:
    """Write as after half a second."""
    existing(session._saver).write()  # noqa: SLF001


def test_what_was_changed_last_is_saved_while_all_threads_are_busy(session: Session) -> None:
    """It was lost, with exit code 0."""
    release = threading.Event()
    for _ in range(THREADS):
        session.window.tasks.run(lambda: release.wait(60), lambda _done: None)
    session.store.edit("background", blur_strength=93)
    write(session)
    session.window.scenes.save("Late")
    session.store.edit("background", blur_strength=94)
    path = settings_file.default_path()
    threading.Timer(0.3, release.set).start()
    assert session.close() == 0
    scene = SceneStore(path.with_name("scenes.json")).get("Late").settings
    assert [each.background.blur_strength for each in (settings_file.load(path)[0], scene)] == [94, 93]


@pytest.mark.error_logs
@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("what", ["settings at the end", "settings before it", "a scene"])
def test_what_cannot_be_saved_is_told_with_an_exit_code(
    qapp: QApplication, world: FakeWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    monkeypatch.setattr(settings_file, "save", full)
    monkeypatch.setattr(SceneStore, "put", full)
    failing = Session(qapp, QUIET, WindowOptions(parts=world.parts()))
    failing.start()
    if what == "a scene":
        failing.window.scenes.save("Late")
    else:
        failing.store.edit("background", blur_strength=91)
    if what == "settings before it":
        write(failing)
        QApplication.processEvents()
    assert failing.close() == 1
    assert "the disk is full" in caplog.text


@pytest.mark.parametrize("by", ["button", "end"])
def test_a_failed_write_is_repeated_and_its_error_ends(session: Session, qtbot: QtBot, by: str) -> None:
    blocked, area = settings_file.default_path(), session.window.notices
    blocked.mkdir(parents=True)
    session.store.edit("background", blur_strength=91)
    qtbot.waitUntil(lambda: "settings.json cannot be written" in area.error)
    assert any(problem.stage is Stage.SETTINGS for problem in session.bridge.status.problems)
    blocked.rmdir()
    if by == "button":
        next(each for each in area.findChildren(QPushButton) if each.text() == "Try again").click()
        qtbot.waitUntil(lambda: not area.error)
    else:
        assert session.close() == 0
    assert settings_file.load(blocked)[0].background.blur_strength == 91


def test_two_windows_save_what_each_changed(
    start_window: StartWindow, world: FakeWorld, tmp_path: Path, qtbot: QtBot
) -> None:
    """A run of some seconds beside the window wrote what it had over what was changed there meanwhile."""
    path = tmp_path / "settings.json"
    settings_file.save(path, QUIET)
    window, beside_it = (start_window(settings_path=path) for _ in range(2))
    beside_it.store.edit("background", blur_strength=91)
    qtbot.waitUntil(lambda: settings_file.read(path).background.blur_strength == 91)
    window.store.edit("background", blur_strength=92)
    window.close()
    beside_it.store.edit("people", zones=ZONES[:1])
    beside_it.close()
    kept = settings_file.read(path)
    assert kept.people.zones == tuple(ZONES[:1]) and kept.background.blur_strength == 92


def test_views_are_rendered_on_request_and_signalled_one_at_a_time(qtbot: QtBot, world: FakeWorld) -> None:
    bridge, signals = Bridge(Pipeline(QUIET, parts=world.parts())), list[int]()
    bridge.frame_ready.connect(lambda: signals.append(1))
    demand = bridge.pipeline.demand
    bridge.request_view(None)
    bridge.start()
    eventually(lambda: bridge.status.frames_out > 10)
    assert (bridge.take_image(), demand.watched, demand.want_foreground) == (None, False, False)
    assert bridge.picture is not None, "snapshots do not need a view"
    bridge.request_view(ViewRequest(32, 24, ViewMode.FOREGROUND))
    assert (demand.watched, demand.want_foreground) == (True, True)
    for beyond in range(2):
        frames = bridge.status.frames_out
        # While the event loop is blocked, as during a long paint:
        eventually(lambda least=frames + 10: bridge.status.frames_out > least)  # type: ignore[misc]
        qtbot.waitUntil(lambda beyond=beyond: len(signals) == beyond + 1)  # type: ignore[misc]
        qtbot.waitUntil(lambda frames=frames: bridge.status.frames_out > frames + 20)  # type: ignore[misc]
        assert len(signals) == beyond + 1, "no second signal before the image is taken"
        image = existing(bridge.take_image())
        assert (image.width(), image.height()) == (32, 24)
    assert bridge.stop()


def test_outcomes_arrive_are_logged_or_are_dropped(
    qtbot: QtBot, tasks: Tasks, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is delivered to a deleted object, where it would raise, or after the end."""
    taken: list[tuple[str, bool]] = []

    def fail() -> None:
        raise OSError("the disk is full")

    def take(value: object) -> None:
        taken.append((str(value), threading.current_thread() is threading.main_thread()))

    tasks.run(fail, take, take)
    qtbot.waitUntil(lambda: taken == [("the disk is full", True)])
    tasks.run(fail, take)
    qtbot.waitUntil(lambda: "the disk is full" in caplog.text)
    deleted = QLabel()
    tasks.run(lambda: "late", deleted.setText)
    sip.delete(deleted)
    settle(tasks, qtbot)
    tasks.run(lambda: 3, take)
    tasks.close()
    tasks.run(lambda: 4, take)
    QCoreApplication.sendPostedEvents()
    assert len(taken) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a niceness of its own")
def test_the_threads_let_the_window_run_first(qtbot: QtBot, tasks: Tasks) -> None:
    found, own = list[int](), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    tasks.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), found.append)
    qtbot.waitUntil(lambda: found == [min(19, own + NICENESS)])


def test_no_closure_hears_of_what_outlives_the_window_or_of_a_deletion() -> None:
    """Dialogs go while the store stays; Qt ends the connections of methods alone."""
    lasting = re.compile(r"(store|preferences|bridge)\.(status_)?changed\.connect$|^changed\.connect$")
    for path in (ROOT / "app" / "gui").rglob("*.py"):
        for node in (each for each in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(each, ast.Call)):
            if lasting.search(ast.unparse(node.func)):
                assert all(isinstance(each, ast.Attribute) for each in node.args), f"{path}:{node.lineno}"
            if ast.unparse(node.func).endswith("destroyed.connect"):
                assert not any(isinstance(each, ast.Lambda) for each in node.args), f"{path}:{node.lineno}"


def test_a_failed_write_that_a_later_one_made_good_is_no_failure_at_the_end() -> None:
    """Under load the first one had not been told when the window closed: exit code 1, and everything was written."""
    outcomes = iter((OSError("full"), None, OSError("lost")))

    def write() -> None:
        if (error := next(outcomes)) is not None:
            raise error

    tasks = Tasks()
    for _ in range(2):
        tasks.write(write, lambda _none: None, lambda _error: None)
    tasks.write(lambda: write(), lambda _none: None, lambda _error: None)
    assert [str(error) for error in tasks.close()] == ["lost"]


def save(session: Session, qtbot: QtBot, name: str, *, with_devices: bool = False) -> None:
    session.window.scenes.save(name, with_devices=with_devices)
    qtbot.waitUntil(lambda: name in session.window.scenes.names)


def test_scenes_are_saved_replaced_applied_renamed_and_removed(session: Session, qtbot: QtBot) -> None:
    scenes, file = session.window.scenes, SceneStore(settings_file.default_path().with_name("scenes.json"))
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    give_name(session, "Work")
    qtbot.waitUntil(lambda: scenes.names == ("Work",))
    session.store.edit("background", kind="colour", colour="#112233")
    for reply in ("Keep", "Replace"):
        assert file.get("Work").settings.background.kind == "blur"
        scenes.ask_for_name()
        give_name(session, " Work ")
        assert answer(session, qtbot, reply).startswith("There is a scene “Work” already. Replace it?")
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
    give_name(session, "Office", "Work")
    qtbot.waitUntil(lambda: scenes.names == ("Office",))
    scenes.ask_before_removal("Office")
    assert "Office" in answer(session, qtbot, "Remove")
    qtbot.waitUntil(lambda: scenes.names == ())
    scenes.apply("Office")
    qtbot.waitUntil(lambda: "There is no scene “Office”" in session.window.notices.error)


ZONE = Zone(points=((0.5, 0.5),))


@pytest.mark.parametrize(("section", "shown", "hidden", "said"), [
    ("background", {"kind": "none"}, {"kind": "blur"}, "“None”"),
    ("people", {"zones": ()}, {"zones": (ZONE,)}, "“Always hide”"),
    ("people", {"only_me": False}, {"only_me": True}, "“Only me”"),
    ("background", {"blur_strength": 10}, {"kind": "colour"}, "text in your room can be read"),
    ("matting.edges", {"strict": "off"}, {"strict": "balanced"}, "text in your room can be read"),
])  # fmt: skip
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
        qtbot.waitUntil(lambda: asked(controls) is not None)
        assert getattr(store.current, section) == before
        assert said in answer(controls, qtbot, text)
        assert getattr(store.current, section) == wanted


def test_a_scene_that_shows_more_than_was_confirmed_asks_again(controls: Session, qtbot: QtBot) -> None:
    """The answer about “Only me” also ended a drop zone that `ctl` had added while the question was open."""
    scenes, store = controls.window.scenes, controls.store
    save(controls, qtbot, "everybody")
    store.edit("people", only_me=True)
    scenes.apply("everybody")
    qtbot.waitUntil(lambda: asked(controls) is not None)
    store.edit("people", zones=(ZONE,))
    hidden = store.current.people
    assert "“Only me”" in answer(controls, qtbot, "Show it")
    assert store.current.people == hidden
    assert "“Always hide”" in answer(controls, qtbot, "Show it")
    assert store.current.people == PeopleSettings()


def test_what_ctl_changes_is_shown(session: Session, qtbot: QtBot) -> None:
    assert answered(qtbot, "set", "window.show-readout off").done and answered(qtbot, "retry").done
    readout = next(each for each in session.window.findChildren(QAction) if each.shortcut().toString() == "I")
    qtbot.waitUntil(lambda: not readout.isChecked())
    assert not session.store.current.window.show_readout
    refused = answered(qtbot, "set", "window.theme pink")
    assert not refused.done and "'system', 'light' or 'dark'" in refused.message
    for option, names in (("--save", ("Desk",)), ("--remove", ())):
        assert answered(qtbot, "scene", f"{option} Desk").done
        qtbot.waitUntil(lambda names=names: session.window.scenes.names == names)  # type: ignore[misc]


def test_a_background_chosen_after_one_of_the_command_line_is_saved_with_its_kind() -> None:
    """The next start showed the blur: of both the kind was "image", so that only the file was saved."""
    image = BackgroundSettings(kind="image", path=Path("option.png"))
    store = SettingsStore(SettingsOwner(Settings(background=image)), Settings())
    store.edit("background", fit="fit")
    assert store.saved.background == BackgroundSettings(fit="fit")
    store.edit("background", kind="image", path=Path("chosen.png"))
    assert store.saved.background == BackgroundSettings(kind="image", path=Path("chosen.png"), fit="fit")


def test_recording_pause_and_freeze_are_not_saved(tmp_path: Path, qtbot: QtBot) -> None:
    store, tasks = made_store(Settings(paused=True, frozen=True, output=OutputSettings(record=Path("a.mp4")))), Tasks()
    assert store.saved == store.current.kept == Settings()
    Saver(store, tmp_path / "settings.json", tasks).write()
    assert (tasks.close(), [*tmp_path.iterdir()]) == ([], []), "what the file holds is not written"


def test_changed_is_emitted_once_per_change_on_the_gui_thread(qtbot: QtBot) -> None:
    store = made_store()
    emitted: list[tuple[str, int]] = []
    store.changed.connect(lambda new: emitted.append((new.background.kind, threading.get_ident())))
    own = threading.get_ident()
    store.edit("background", kind="blur")
    store.edit("background", kind="none")
    beside(lambda: store.edit("background", kind="colour")).result()
    assert (store.current.background.kind, emitted) == ("colour", [("none", own)]), "in effect without the GUI thread"
    qtbot.waitUntil(lambda: emitted[1:] == [("colour", own)])


def test_a_pause_does_not_wait_for_the_gui_thread(start_window: StartWindow, qtbot: QtBot, world: FakeWorld) -> None:
    session = start_window(ON_DEVICE)
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING and bool(world.pictures()))
    beside(lambda: ask(Command("pause"))).result(60)  # while the GUI thread is blocked
    sent = len(world.pictures())
    assert session.pipeline.settings.paused, "in effect when it was answered"
    eventually(lambda: len(world.pictures()) > sent + 2)  # the output continues meanwhile
    sent_after = world.pictures()[sent + 1 :]  # one picture may have been on its way into the device
    assert {picture.kind for picture in sent_after} == {PictureKind.STANDBY}
    session.store.edit("background", blur_strength=72.0)  # based on what the window showed last
    qtbot.waitUntil(button(session, "pauseButton").isChecked)
    assert (session.pipeline.settings.paused, session.pipeline.settings.background.blur_strength) == (True, 72.0)


@pytest.mark.usefixtures("each_language")
@pytest.mark.parametrize("each_language", ["de"], indirect=True)
def test_ctl_accepts_the_names_of_translated_tiles(start_window: StartWindow, qtbot: QtBot) -> None:
    model = start_window().window.strip.model
    answer = answered(qtbot, "background", "grün")
    assert answer.done, answer.message
    qtbot.waitUntil(lambda: model.tiles[model.chosen_row].name == "Grün")
    refused = answered(qtbot, "background", "Atlantis").message
    assert all(tile.name in refused for tile in model.tiles)
