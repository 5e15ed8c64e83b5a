"""A thread that can be asked to stop."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from app.runtime.worker import NICENESS, Worker


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a niceness of its own")
@pytest.mark.parametrize("low_priority", [True, False])
def test_low_priority_raises_the_niceness(low_priority: bool) -> None:
    found: list[int] = []

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    worker = Worker("test", lambda stop: found.append(niceness()), low_priority=low_priority)
    worker.start()
    assert worker.join(60)
    assert found == [min(19, niceness() + NICENESS) if low_priority else niceness()]


def test_a_thread_died_if_it_ended_without_being_asked_to() -> None:
    def fail(stop: threading.Event) -> None:
        raise SystemExit("no longer")

    crashed, returned, stopped = Worker("a", fail), Worker("b", lambda stop: None), Worker("c", lambda stop: None)
    assert not crashed.died, "it was not started yet"
    stopped.request_stop()
    for worker in (crashed, returned, stopped):
        worker.start()
        assert worker.join(60)
    assert isinstance(crashed.error, SystemExit)
    assert (crashed.died, returned.died, stopped.died) == (True, True, False)
