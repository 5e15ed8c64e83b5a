"""Bridge to the pipeline, tasks off the GUI thread, and connections that end with the object they are for."""

from __future__ import annotations

import ast
import os
import re
import sys
import threading
from collections.abc import Iterator

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from app.gui.preview.rendering import ViewMode, ViewRequest
from app.gui.shell.application import Session
from app.gui.state.bridge import Bridge
from app.gui.state.tasks import NICENESS, Tasks
from app.runtime.pipeline import Pipeline
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET
from tests.gui.widgets import existing
from tests.paths import ROOT
from tests.waiting import eventually


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


def test_results_are_delivered_on_the_gui_thread(qtbot: QtBot, tasks: Tasks, taker: Taker) -> None:
    tasks.run(lambda: threading.current_thread() is threading.main_thread(), taker.take)
    qtbot.waitUntil(lambda: taker.taken == [(False, True)])


def test_errors_are_delivered_or_logged(
    qtbot: QtBot, tasks: Tasks, taker: Taker, caplog: pytest.LogCaptureFixture
) -> None:
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
