"""Signals during a run without a window."""

from __future__ import annotations

from app.cli.headless_run import HeadlessRun
from app.core.settings import Settings
from app.runtime.pipeline import Pipeline
from tests.waiting import beside


def test_a_signal_may_come_in_the_middle_of_waiting() -> None:
    """Python may run the handler on the main thread inside Event.wait, while that holds the event's lock."""
    session = HeadlessRun(Pipeline(Settings()), None, None)
    with session._wake._cond:  # type: ignore[attr-defined]
        beside(session.interrupt).result(60)  # else it waits for a lock that the interrupted thread holds
    assert session.interrupted
