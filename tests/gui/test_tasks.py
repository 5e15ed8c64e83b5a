"""Tasks off the GUI thread."""

from __future__ import annotations

import os
import sys
import threading

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from app.gui.state.tasks import NICENESS, Tasks
from tests.waiting import eventually


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


def test_results_are_delivered_on_the_gui_thread(qtbot: QtBot, taker: Taker) -> None:
    tasks = Tasks()
    tasks.run(lambda: threading.current_thread() is threading.main_thread(), taker.take)
    qtbot.waitUntil(lambda: taker.taken == [(False, True)])
    tasks.close()


def test_errors_are_delivered_or_logged(qtbot: QtBot, taker: Taker, caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()

    def fail() -> None:
        raise OSError("the disk is full")

    tasks.run(fail, taker.take, lambda error: taker.take(str(error)))
    qtbot.waitUntil(lambda: taker.taken == [("the disk is full", True)])
    tasks.run(fail, taker.take)
    qtbot.waitUntil(lambda: "the disk is full" in caplog.text)
    tasks.close()


def test_results_for_deleted_widgets_are_dropped(qtbot: QtBot, taker: Taker) -> None:
    tasks, release, ended = Tasks(), threading.Event(), threading.Event()

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
    tasks.close()


def test_nothing_runs_or_is_delivered_after_close(qtbot: QtBot, taker: Taker) -> None:
    tasks = Tasks()
    tasks.run(lambda: 1, taker.take)
    tasks.close()
    tasks.run(lambda: 2, taker.take)
    qtbot.wait(50)
    assert taker.taken == []


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a niceness of its own")
def test_the_threads_let_the_window_run_first(qtbot: QtBot, taker: Taker) -> None:
    tasks = Tasks()
    tasks.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), taker.take)
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    qtbot.waitUntil(lambda: taker.taken == [(min(19, own + NICENESS), True)])
    tasks.close()
