"""A thread that can be asked to stop."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from app.runtime.worker import BEHIND, Worker


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a niceness of its own")
@pytest.mark.parametrize("behind", [True, False])
def test_a_thread_gives_way_to_the_others_where_it_is_asked_to(behind: bool) -> None:
    found: list[int] = []

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    worker = Worker("test", lambda stop: found.append(niceness()), behind=behind)
    worker.start()
    assert worker.join(5)
    assert found == [min(19, niceness() + BEHIND) if behind else niceness()]
