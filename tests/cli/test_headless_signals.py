"""Signals during a run without a window."""

from __future__ import annotations

import threading

from app.cli.headless_run import HeadlessRun
from app.core.settings import Settings
from app.runtime.pipeline import Pipeline


def test_a_signal_may_come_in_the_middle_of_waiting() -> None:
    """Python may run the handler on the main thread inside Event.wait, while that holds the event's lock."""
    session = HeadlessRun(Pipeline(Settings()), None, None)
    done = threading.Event()

    def interrupted() -> None:
        session.interrupt()
        done.set()

    with session._wake._cond:  # type: ignore[attr-defined]
        thread = threading.Thread(target=interrupted)
        thread.start()
        ended = done.wait(60)
    thread.join(60)
    assert ended, "the handler waits for a lock that the interrupted thread holds"
    assert session.interrupted
