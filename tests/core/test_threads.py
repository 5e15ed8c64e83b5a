"""Waiting for what nothing tells of, and threads that can be stopped."""

from __future__ import annotations

import threading

from app.core.threads import poll_until
from app.core.worker import Worker


def test_what_nothing_tells_of_is_looked_for_until_it_is_there_or_the_time_is_over() -> None:
    answers = iter([False, False, True])

    assert poll_until(lambda: next(answers), 60, 0.001)
    assert not poll_until(lambda: False, 0.0, 0.001)
    assert poll_until(lambda: True, 0.0, 0.001), "looked at once, also without time"


def test_a_worker_knows_its_own_thread_and_forgets_what_it_ran() -> None:
    """What ran on it may hold frames, which are freed with its owner."""
    seen: list[bool] = []

    def run(stop: threading.Event) -> None:
        seen.append(worker.is_this_thread)
        stop.wait(60)

    worker = Worker("test", run)
    worker.start()
    assert not worker.join(0)
    assert worker.stop(60)

    assert seen == [True] and not worker.is_this_thread
    assert not worker.died and all(value is not run for value in vars(worker).values())
