"""Settings are saved; results of tasks come to the thread of the window."""

from __future__ import annotations

import ast
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from PyQt6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QApplication, QColorDialog
from pytestqt.qtbot import QtBot

from app.config import settings_file
from app.config.scenes import SceneStore
from app.config.setting import SETTINGS, Setting
from app.core.errors import SettingsError, SourceOpenError
from app.core.settings import Settings, SettingsOwner, Zone
from app.gui.application import Session, WindowOptions, make_application, run_window
from app.gui.bridge import Bridge
from app.gui.panels.devices import edit_capture
from app.gui.preview.rendering import ViewMode, ViewRequest
from app.gui.store import Saver, SettingsStore
from app.gui.tasks import NICENESS, Tasks
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import answered, existing, find
from tests.other_values import other_value
from tests.paths import ROOT
from tests.waiting import eventually

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


@pytest.fixture
def with_options(start_window: StartWindow, world: FakeWorld) -> Session:
    """A window whose run has options that the settings file does not."""
    session = start_window(RUN, options=WindowOptions(parts=world.parts(), saved_settings=SAVED))
    eventually(lambda: session.bridge.pipeline.status().phase is Phase.RUNNING)
    return session


def test_a_scene_that_failed_saves_no_option_of_the_run(with_options: Session, world: FakeWorld, qtbot: QtBot) -> None:
    """It took back the level `off` of the run also in the settings file: the next run had it."""
    world.faults.put("open_source", SourceOpenError("There is no such camera."))
    store = with_options.store
    scenes = SceneStore(settings_file.default_path().with_name("scenes.json"))
    scenes.put("Desk", SAVED.replaced_at(["capture"], source="camera:7"), with_devices=True)
    assert "no such camera" in str(answered(qtbot, "scene", "Desk"))
    assert store.current.capture.source == "demo"
    assert store.current.matting.edges.strict == "off"
    assert store.saved.replace(window=SAVED.window) == SAVED


def test_a_cancelled_colour_saves_no_option_of_the_run(with_options: Session) -> None:
    with_options.window.strip.choose_colour()
    dialog = find(with_options.window, QColorDialog)
    dialog.setCurrentColor(QColor("#3060a0"))
    assert with_options.store.saved.background.kind == "colour"
    dialog.reject()
    assert with_options.store.current.background == RUN.background
    assert with_options.store.saved.background == SAVED.background


def write(session: Session) -> None:
    """Write as after half a second."""
    existing(session._saver).write()  # noqa: SLF001


@pytest.fixture
def busy(session: Session) -> Iterator[threading.Event]:
    """Set to end what keeps all threads of the session's tasks busy."""
    release = threading.Event()
    for _ in range(3):
        session.window.tasks.run(lambda: release.wait(60), lambda _done: None)
    yield release
    release.set()


def test_what_was_changed_last_is_saved_while_all_threads_are_busy(session: Session, busy: threading.Event) -> None:
    """It was lost, with exit code 0."""
    session.store.edit("background", blur_strength=93)
    write(session)
    session.window.scenes.save("Late")
    session.store.edit("background", blur_strength=94)
    path = settings_file.default_path()
    threading.Timer(0.3, busy.set).start()
    assert session.close() == 0
    assert settings_file.load(path)[0].background.blur_strength == 94
    assert SceneStore(path.with_name("scenes.json")).get("Late").settings.background.blur_strength == 93


def test_slow_writes_land_in_their_order(session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    first, begun, written = threading.Event(), list[Settings](), list[float]()
    save = settings_file.save

    def slow(path: Path, settings: Settings) -> None:
        begun.append(settings)
        if len(begun) == 1:
            first.wait(5)
        save(path, settings)
        written.append(settings.background.blur_strength)

    monkeypatch.setattr(settings_file, "save", slow)
    for strength in (91, 92):
        session.store.edit("background", blur_strength=strength)
        write(session)
        qtbot.waitUntil(lambda: bool(begun))
    qtbot.wait(200)
    first.set()
    session.store.edit("background", blur_strength=93)
    assert session.close() == 0
    assert written == sorted(written) and written[-1] == 93
    assert settings_file.load(settings_file.default_path())[0].background.blur_strength == 93


def full(*_: object, **__: object) -> None:
    """Fail to write a file, in place of what saves it."""
    raise SettingsError("The file cannot be written: the disk is full.")


@pytest.fixture
def failing(qapp: QApplication, world: FakeWorld, machine: object) -> Session:
    """A running window that does not end with code 0."""
    session = Session(make_application(), QUIET, WindowOptions(parts=world.parts()))
    session.start()
    return session


@pytest.mark.error_logs
@pytest.mark.parametrize("what", ["settings at the end", "settings before it", "a scene"])
def test_what_cannot_be_saved_is_told_with_an_exit_code(
    failing: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    monkeypatch.setattr(settings_file, "save", full)
    monkeypatch.setattr(SceneStore, "put", full)
    if what == "a scene":
        failing.window.scenes.save("Late")
    else:
        failing.store.edit("background", blur_strength=91)
    if what == "settings before it":
        write(failing)
        QApplication.processEvents()
    assert failing.close() == 1
    assert "the disk is full" in caplog.text


@pytest.mark.error_logs
@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals of this kind")
def test_signals_hide_no_loss(qtbot: QtBot, world: FakeWorld, machine: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code was that of a signal, which tells nobody to look at the log."""
    monkeypatch.setattr(settings_file, "save", full)
    QTimer.singleShot(100, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert run_window(QUIET, WindowOptions(frames=10**9, parts=world.parts())) == 1


def test_a_failed_write_is_repeated(start_window: StartWindow, world: FakeWorld, tmp_path: Path, qtbot: QtBot) -> None:
    folder = tmp_path / "config"
    folder.write_text("a file in the place of the folder")
    options = WindowOptions(parts=world.parts(), settings_path=folder / "settings.json")
    session = start_window(QUIET, options=options)
    session.store.edit("background", blur_strength=91)
    qtbot.waitUntil(lambda: bool(session.window.notices.error))
    folder.unlink()
    assert session.close() == 0
    assert settings_file.load(folder / "settings.json")[0].background.blur_strength == 91


def test_a_saver_writes_nothing_that_the_file_holds(tmp_path: Path, qtbot: QtBot) -> None:
    tasks, store = Tasks(), store_of(Settings(), Settings())
    saver = Saver(store, tmp_path / "settings.json", tasks)
    store.change(lambda settings: settings.replace(paused=True))
    saver.write()
    assert tasks.close() == []
    assert list(tmp_path.iterdir()) == []


def test_two_windows_save_what_each_changed(start_window: StartWindow, world: FakeWorld, tmp_path: Path) -> None:
    """A run of some seconds beside the window wrote the zones of its start over those that were painted meanwhile."""
    path = tmp_path / "settings.json"
    settings_file.save(path, QUIET)
    window, beside_it = (start_window(options=WindowOptions(parts=world.parts(), settings_path=path)) for _ in range(2))
    window.store.edit("people", zones=ZONES[:1])
    assert window.close() == 0
    beside_it.store.edit("background", blur_strength=91)
    assert beside_it.close() == 0
    kept = settings_file.read(path)
    assert kept.people.zones == tuple(ZONES[:1]) and kept.background.blur_strength == 91


@pytest.fixture
def bridge(qapp: object, world: FakeWorld) -> Iterator[Bridge]:
    """A running pipeline of which no view is requested."""
    made = Bridge(Pipeline(QUIET, parts=world.parts()))
    made.request_view(None)
    made.start()
    yield made
    assert made.stop()


def test_at_most_one_frame_signal_is_pending(bridge: Bridge, qtbot: QtBot) -> None:
    signals: list[int] = []
    bridge.frame_ready.connect(lambda: signals.append(1))
    bridge.request_view(ViewRequest(32, 24))
    eventually(lambda: bridge.status.frames_out > 10)  # while the event loop is blocked, as during a long paint
    qtbot.waitUntil(lambda: bool(signals))
    frames = bridge.status.frames_out
    qtbot.waitUntil(lambda: bridge.status.frames_out > frames + 10)
    assert len(signals) == 1, "no second signal before the image is taken"
    image = existing(bridge.take_image())
    assert (image.width(), image.height()) == (32, 24)
    qtbot.waitUntil(lambda: len(signals) == 2)


def test_nothing_is_rendered_without_a_request(bridge: Bridge, qtbot: QtBot) -> None:
    demand = bridge.pipeline.demand
    eventually(lambda: bridge.status.frames_out > 10)
    assert bridge.take_image() is None
    assert (demand.watched, demand.want_foreground) == (False, False)
    assert bridge.picture is not None, "snapshots do not need a view"
    bridge.request_view(ViewRequest(32, 24, ViewMode.FOREGROUND))
    assert (demand.watched, demand.want_foreground) == (True, True)
    qtbot.waitUntil(lambda: bridge.take_image() is not None)


def test_new_view_is_rendered_without_a_new_frame(session: Session, qtbot: QtBot) -> None:
    # The stand-by card has no matte.
    qtbot.waitUntil(lambda: session.bridge.picture is not None and session.bridge.picture.alpha is not None)
    qtbot.waitUntil(lambda: session.window.preview.image is not None)
    session.store.set("frozen", True)
    qtbot.wait(300)
    before = existing(session.window.preview.image)
    session.window.action_bar.set_mode(ViewMode.MATTE)
    qtbot.waitUntil(lambda: session.window.preview.image != before)


class Taker(QObject):
    """Records what it receives, and on which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[object] = []

    def take(self, value: object) -> None:
        self.taken.append((value, threading.current_thread() is threading.main_thread()))


@pytest.fixture
def taker(qapp: object) -> Taker:
    return Taker()


def test_errors_arrive_or_are_told(qtbot: QtBot, tasks: Tasks, taker: Taker, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("the disk is full")

    tasks.run(fail, taker.take, lambda error: taker.take(str(error)))
    qtbot.waitUntil(lambda: taker.taken == [("the disk is full", True)])
    tasks.run(fail, taker.take)
    qtbot.waitUntil(lambda: "the disk is full" in caplog.text)


def test_results_for_deleted_widgets_are_dropped(qtbot: QtBot, tasks: Tasks, taker: Taker) -> None:
    release, ended = threading.Event(), threading.Event()

    def work() -> int:
        release.wait(60)
        ended.set()
        return 1

    notes = taker.taken
    tasks.run(work, taker.take)
    taker.deleteLater()
    QCoreApplication.sendPostedEvents(taker, QEvent.Type.DeferredDelete)
    release.set()
    eventually(ended.is_set)
    qtbot.wait(50)
    assert notes == []


def test_nothing_runs_or_is_delivered_after_close(qtbot: QtBot, tasks: Tasks, taker: Taker) -> None:
    tasks.run(lambda: 1, taker.take)
    tasks.close()
    tasks.run(lambda: 2, taker.take)
    qtbot.wait(50)
    assert taker.taken == []


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a niceness of its own")
def test_the_threads_let_the_window_run_first(qtbot: QtBot, tasks: Tasks, taker: Taker) -> None:
    tasks.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), taker.take)
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    qtbot.waitUntil(lambda: taker.taken == [(min(19, own + NICENESS), True)])


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
