"""Work off the GUI thread: a disk that does not answer holds up its own task, no other, and not the end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.config import settings_file
from app.config.scenes import SceneStore
from app.core.errors import Stage, Text
from app.core.threads import DaemonPool
from app.gui import state
from app.gui.application import Session, WindowOptions
from app.gui.state import NICENESS, THREADS, Tasks, log_error
from tests.fakes.world import FakeWorld, Hold, ignore
from tests.gui.conftest import QUIET
from tests.gui.widgets import settle, until_is
from tests.stand_ins import always
from tests.waiting import eventually_is

GONE = Path("/gone/beach.png")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hold]:
    """What holds up whoever reads; it is late at once."""
    monkeypatch.setattr(state, "LATE_S", 0.05)
    monkeypatch.setattr(state, "WATCH_MS", 20)
    hold = Hold()
    yield hold
    hold.go_on.set()


class Told:
    """The problems that the status shows."""

    def __init__(self) -> None:
        self.open: dict[object, str] = {}

    def report(self, stage: Stage, problem: Text | None, part: object) -> None:
        assert stage is Stage.SETTINGS
        if problem is None:
            self.open.pop(part, None)
        else:
            self.open[part] = problem


@pytest.mark.usefixtures("machine")
def test_tasks_of_a_dead_disk_are_named_and_make_way_for_others(qtbot: QtBot, disk: Hold) -> None:
    """Three of them stopped all others: no list of cameras, no recording, and nothing was said."""
    told = Told()
    tasks = Tasks(told.report)
    for _ in range(2 * THREADS):
        tasks.run(disk, ignore, file=GONE)
    done: list[int] = []

    tasks.run(always(7), done.append)

    until_is(qtbot, [7], list, done)
    until_is(qtbot, 2 * THREADS, len, told.open)
    assert set(told.open.values()) == {
        f"{GONE} does not answer; reconnect its disk, or choose another file."
    }
    disk.go_on.set()
    eventually_is(0, len, told.open)
    tasks.close()


@pytest.mark.usefixtures("machine")
def test_no_more_threads_than_a_limit_wait_for_dead_disks(
    qtbot: QtBot, disk: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "MOST_LATE", THREADS)
    tasks = Tasks()
    before = threading.active_count()
    for _ in range(5 * THREADS):
        tasks.run(disk, ignore, file=GONE)
    qtbot.wait(300)

    assert threading.active_count() - before <= 2 * THREADS

    tasks.close()


def test_a_scenes_file_that_does_not_answer_stops_no_settings_and_not_the_end(
    session: Session, qtbot: QtBot, disk: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was saved any more, nothing was said, and the window stayed."""
    names = SceneStore.names

    def hang(store: SceneStore) -> tuple[str, ...]:
        disk()
        return names(store)

    monkeypatch.setattr(SceneStore, "names", hang)
    session.window.scenes.reload()
    qtbot.waitUntil(lambda: "scenes.json does not answer" in " ".join(session.window.notices.texts))
    session.store.edit("background", blur_strength=93)
    path = settings_file.default_path()
    qtbot.waitUntil(lambda: settings_file.load(path)[0].background.blur_strength == 93)
    session.store.edit("background", blur_strength=94)

    assert session.close() == 0

    assert settings_file.load(path)[0].background.blur_strength == 94
    assert not disk.go_on.is_set()


@pytest.mark.error_logs
@pytest.mark.usefixtures("machine")
def test_the_end_says_what_a_dead_disk_did_not_take(
    qapp: QApplication,
    world: FakeWorld,
    disk: Hold,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(state, "END_S", 0.2)
    monkeypatch.setattr(settings_file, "save", lambda *_: disk())
    session = Session(qapp, QUIET, WindowOptions(parts=world.parts()))
    session.start()
    session.store.edit("background", blur_strength=93)

    assert session.close() == 1

    assert (
        f"{settings_file.default_path()} does not answer; what was changed last is not saved."
        in caplog.text
    )


def test_changes_of_one_file_come_one_after_the_other(
    qtbot: QtBot, disk: Hold, tasks: Tasks
) -> None:
    done: list[str] = []
    file = Path("scenes.json")

    def note(_none: None) -> None:
        done.append("first")

    tasks.write(disk, note, log_error, file)
    tasks.read(always("second"), done.append, log_error, file)
    tasks.write(always("another file"), done.append, log_error, Path("settings.json"))
    until_is(qtbot, ["another file"], list, done)
    qtbot.wait(100)  # it is late, and keeps its place

    disk.go_on.set()

    until_is(qtbot, ["another file", "first", "second"], list, done)


def test_calls_of_a_pool_begin_in_order_and_one_that_is_given_up_makes_way() -> None:
    pool = DaemonPool("test", 1)
    first = Hold()
    begun: list[int] = []
    calls = [
        pool.submit(first),
        pool.submit(partial(begun.append, 2)),
        pool.submit(partial(begun.append, 3)),
    ]
    assert first.entered.wait(60)
    assert calls[2].cancel()
    pool.late(0.0)  # it has computed before it waits
    assert pool.late(0.0) == calls[:1] and begun == []

    pool.give_up(calls[0])

    calls[1].result(60)
    assert begun == [2] and not calls[0].done()
    first.go_on.set()
    assert calls[0].result(60) is None


def test_an_error_of_a_call_is_that_of_its_outcome() -> None:
    def fail() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        DaemonPool("test", 1).submit(fail).result(60)


@pytest.mark.linux("app.core.threads")
def test_a_call_that_computes_is_not_late() -> None:
    """On a busy machine a picture that took its time was said to be on a dead disk."""
    pool = DaemonPool("test", 1)
    computing = threading.Event()
    enough = threading.Event()

    def compute() -> None:
        computing.set()
        while not enough.is_set():
            sum(range(1000))

    call = pool.submit(compute)
    assert computing.wait(60)
    longest_s = 0.2
    ends_s = time.monotonic() + 3 * longest_s
    while time.monotonic() < ends_s:
        assert pool.late(longest_s) == []

    enough.set()
    call.result(60)


def test_outcomes_arrive_are_logged_or_dropped(
    qtbot: QtBot, tasks: Tasks, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is delivered to a deleted object, where it would raise, or after the end."""
    taken = list[tuple[str, bool]]()
    fail = Mock(side_effect=OSError("the disk is full"))

    def take(value: object) -> None:
        taken.append((str(value), threading.current_thread() is threading.main_thread()))

    tasks.run(fail, take, take)
    until_is(qtbot, [("the disk is full", True)], list, taken)
    tasks.run(fail, take)
    qtbot.waitUntil(lambda: "the disk is full" in caplog.text)
    deleted = QLabel()
    tasks.run(always("late"), deleted.setText)
    sip.delete(deleted)
    settle(tasks, qtbot)
    tasks.run(always(3), take)
    tasks.close()
    tasks.run(always(4), take)
    QCoreApplication.sendPostedEvents()
    assert len(taken) == 1


@pytest.mark.linux("app.core.threads")
def test_the_threads_let_the_window_run_first(qtbot: QtBot, tasks: Tasks) -> None:
    found = list[int]()
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    tasks.run(niceness, found.append)
    until_is(qtbot, [min(19, own + NICENESS)], list, found)
