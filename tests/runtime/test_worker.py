"""Threads that can be asked to stop, the newest-value slot between them, and building on one."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runtime.worker import NICENESS, LatestSlot, Prepared, Preparer, SlotClosed, Worker
from tests.waiting import eventually


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


@given(st.lists(st.integers(), min_size=1))
def test_keeps_the_newest_and_counts_the_rest_as_dropped(values: list[int]) -> None:
    slot: LatestSlot[int] = LatestSlot()
    for value in values:
        slot.put(value)
    assert slot.get(0) == values[-1]
    assert slot.dropped == len(values) - 1
    assert slot.get(0) is None


def test_a_closed_slot_gives_its_last_value_and_then_raises() -> None:
    slot: LatestSlot[str] = LatestSlot()
    slot.put("last")
    slot.close()
    slot.put("too late")
    assert slot.get() == "last"
    with pytest.raises(SlotClosed):
        slot.get()


@contextmanager
def started(
    build: Callable[[int], int] = lambda key: key,
    discard: Callable[[int], None] = lambda value: None,
) -> Iterator[Preparer[int, int]]:
    preparer = Preparer("builder", build, discard)
    preparer.start()
    yield preparer
    assert preparer.stop(60)


def built(preparer: Preparer[int, int], key: int) -> Prepared[int, int] | None:
    """Return the outcome of a request."""
    preparer.request(key)
    eventually(lambda: not preparer.busy)
    return preparer.take()


def test_the_newest_request_wins_and_replaced_values_are_discarded() -> None:
    gate, discarded = threading.Event(), list[int]()

    def build(key: int) -> int:
        gate.wait(60)
        return 10 + key

    with started(build, discarded.append) as preparer:
        for key in range(5):
            preparer.request(key)
        assert preparer.busy
        assert preparer.take() is None
        gate.set()
        eventually(lambda: not preparer.busy)
        assert preparer.take() == Prepared(4, 14, None)
    assert set(discarded) <= {10}


def test_an_error_is_the_outcome_and_the_next_request_works() -> None:
    with started(lambda key: 10 // key) as preparer:
        failed = built(preparer, 0)
        assert failed is not None and isinstance(failed.error, ZeroDivisionError)
        assert built(preparer, 5) == Prepared(5, 2, None)


def test_what_is_retired_or_not_taken_is_discarded_beside_the_rest_and_before_the_next_is_built() -> None:
    happened: list[tuple[str, int]] = []
    threads: list[str] = []

    def build(key: int) -> int:
        happened.append(("built", key))
        return key

    def discard(value: int) -> None:
        threads.append(threading.current_thread().name)
        happened.append(("discarded", value))

    with started(build, discard) as preparer:
        preparer.retire(1)
        eventually(lambda: happened == [("discarded", 1)])
        preparer.retire(2)
        preparer.request(3)
        eventually(lambda: not preparer.busy)
        assert happened[1:] == [("discarded", 2), ("built", 3)]
        assert threads == ["builder", "builder"]
    preparer.retire(4)
    assert preparer.join(60)
    assert happened[3:] == [("discarded", 3), ("discarded", 4)], "what nobody took, and what came too late"


def test_what_is_retired_during_a_discard_goes_before_the_next_is_built() -> None:
    happened: list[tuple[str, int]] = []

    def discard(value: int) -> None:
        happened.append(("discarded", value))
        if value == 1:
            preparer.retire(2)
            preparer.request(3)

    def build(key: int) -> int:
        happened.append(("built", key))
        return key

    with started(build, discard) as preparer:
        preparer.retire(1)
        eventually(lambda: ("built", 3) in happened)
    assert happened[:3] == [("discarded", 1), ("discarded", 2), ("built", 3)]


def test_what_cannot_be_discarded_does_not_end_the_building() -> None:
    def discard(value: int) -> None:
        raise OSError("the device is gone")

    with started(discard=discard) as preparer:
        preparer.retire(1)
        assert built(preparer, 2) == Prepared(2, 2, None)


def test_free_memory_is_returned_after_what_is_retired_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What engines and backgrounds had freed stayed with the process."""
    order: list[int | str] = []
    tidied = threading.Event()

    def tidy() -> None:
        order.append("tidied")
        tidied.set()

    monkeypatch.setattr("app.runtime.worker.return_free_memory", tidy)
    with started(discard=order.append) as preparer:
        preparer.retire(7)
        assert tidied.wait(60)
        built(preparer, 1)
        assert order == [7, "tidied"], "nothing was discarded since"
