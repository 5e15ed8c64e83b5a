"""Waiting for what nothing tells of, threads that can be stopped, slots between them, and builders."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.errors import t
from app.core.threads import poll_until
from app.core.worker import Builder, LatestSlot, SlotClosed, Worker
from tests.waiting import eventually


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


@pytest.mark.linux("app.core.threads")
def test_the_system_shows_the_name_of_a_worker() -> None:
    names: list[str] = []

    def run(_stop: threading.Event) -> None:
        file = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
        names.append(file.read_text().strip())

    worker = Worker("a-worker", run)
    worker.start()
    assert worker.join(60)

    assert names == ["a-worker"]


@pytest.mark.linux("app.core.threads")
@pytest.mark.parametrize(("more", "added"), [({}, 0), ({"niceness": 2}, 2)])
def test_a_worker_has_the_priority_of_its_maker_or_less(more: dict[str, int], added: int) -> None:
    def own_niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    found: list[int] = []
    ours = own_niceness()
    worker = Worker("test", lambda _stop: found.append(own_niceness()), **more)  # type: ignore[arg-type]
    worker.start()
    assert worker.join(60)

    assert found == [min(19, ours + added)]


def test_a_worker_that_fails_has_died_and_keeps_its_error() -> None:
    def run(_stop: threading.Event) -> None:
        raise ValueError("broken")

    worker = Worker("test", run)
    worker.start()
    assert worker.join(60)

    assert worker.died
    assert str(worker.error) == "broken"


def test_a_worker_that_ends_by_itself_has_died() -> None:
    worker = Worker("test", lambda _stop: None)
    worker.start()
    assert worker.join(60)

    assert worker.died
    assert worker.error is None


SLOW = t("It does not respond.")


def test_a_call_is_overdue_after_its_limit_until_it_returns() -> None:
    worker = Worker("test", lambda _stop: None)

    with worker.blocking_call(lambda: SLOW, 1000):
        within = worker.overdue_call()
    with worker.blocking_call(lambda: SLOW, -1):
        beyond = worker.overdue_call()
    after = worker.overdue_call()
    worker.limit_call(lambda: SLOW, -1)
    limited = worker.overdue_call()
    worker.died = True

    assert (within, beyond, after, limited) == (None, SLOW, None, SLOW)
    assert worker.overdue_call() is None, "its death is reported instead"


def test_a_slot_holds_the_newest_value_once() -> None:
    slot: LatestSlot[int] = LatestSlot()

    slot.put(1)
    slot.put(2)

    assert slot.get(0) == 2
    assert slot.get(0) is None
    assert slot.dropped == 1


def test_what_was_put_before_the_end_is_still_read() -> None:
    slot: LatestSlot[int] = LatestSlot()
    slot.put(1)
    slot.close()
    slot.put(2)

    assert slot.get() == 1
    with pytest.raises(SlotClosed):
        slot.get()
    assert slot.dropped == 0


@pytest.mark.parametrize("is_closed", [False, True])
def test_whoever_waits_for_a_slot_is_woken(is_closed: bool) -> None:
    slot: LatestSlot[int] = LatestSlot()
    read: list[int | None] = []

    def run(_stop: threading.Event) -> None:
        try:
            read.append(slot.get())
        except SlotClosed:
            read.append(None)

    reader = Worker("reader", run)
    reader.start()
    if is_closed:
        slot.close()
    else:
        slot.put(7)
    assert reader.join(60)

    assert read == [None if is_closed else 7]


class Workshop:
    """A builder of texts, whose builds wait for the test."""

    def __init__(self) -> None:
        self.discarded: list[str] = []
        self.begun: list[int] = []
        self.may_go_on = threading.Event()
        self.builder: Builder[int, str] = Builder("shop", self._build, self.discarded.append)

    def _build(self, key: int) -> str:
        self.begun.append(key)
        assert self.may_go_on.wait(60)
        if key < 0:
            raise ValueError(f"no {key}")
        return f"made {key}"

    def built(self) -> tuple[str | None, str]:
        """Return the outcome that comes next: a value, and an error as text."""
        eventually(lambda: self.builder.outcome is not None)
        outcome = self.builder.take_outcome()
        assert outcome is not None
        return outcome.value, str(outcome.error or "")


@contextmanager
def workshop() -> Iterator[Workshop]:
    shop = Workshop()
    shop.builder.start()
    try:
        yield shop
    finally:
        shop.may_go_on.set()
        assert shop.builder.stop(60)


def test_a_builder_makes_what_was_asked_for_last() -> None:
    """A request that has not begun is dropped for a newer one."""
    with workshop() as shop:
        shop.builder.request(1)
        eventually(lambda: shop.begun == [1])
        shop.builder.request(2)
        shop.builder.request(3)
        is_busy = shop.builder.busy
        shop.may_go_on.set()
        eventually(lambda: not shop.builder.busy)
        made = shop.built()

    assert is_busy
    assert made == ("made 3", "")
    assert shop.begun == [1, 3]
    assert shop.discarded == ["made 1"], "an outcome that nobody took"


def test_an_error_is_an_outcome() -> None:
    with workshop() as shop:
        shop.may_go_on.set()
        shop.builder.request(-1)
        failed = shop.built()
        pending = shop.builder.pending

    assert failed == (None, "no -1")
    assert not pending
    assert not shop.builder.died


def test_an_outcome_is_pending_until_it_is_taken() -> None:
    with workshop() as shop:
        pending = [shop.builder.pending]
        shop.builder.request(1)
        pending.append(shop.builder.pending)
        shop.may_go_on.set()
        eventually(lambda: not shop.builder.busy)
        pending.append(shop.builder.pending)
        shop.built()
        pending.append(shop.builder.pending)
        taken_again = shop.builder.take_outcome()

    assert pending == [False, True, True, False]
    assert taken_again is None


def test_what_is_retired_is_discarded_on_the_thread_of_the_builder() -> None:
    with workshop() as shop:
        shop.builder.retire("old")
        eventually(lambda: shop.discarded == ["old"])

    assert shop.begun == []


def test_a_builder_that_ends_discards_what_nobody_took() -> None:
    with workshop() as shop:
        shop.may_go_on.set()
        shop.builder.request(1)
        eventually(lambda: not shop.builder.busy)

    assert shop.discarded == ["made 1"]
    assert shop.builder.outcome is None


def test_a_request_that_is_withdrawn_is_not_begun() -> None:
    with workshop() as shop:
        shop.builder.request(1)
        eventually(lambda: shop.begun == [1])
        shop.builder.request(2)
        shop.builder.withdraw()
        is_busy = shop.builder.busy
        shop.may_go_on.set()
        shop.built()

    assert not is_busy
    assert shop.begun == [1]


def test_a_build_that_fails_because_of_the_end_is_no_error_of_the_request() -> None:
    """A start that failed for its weights also said that its preparation was cancelled."""
    with workshop() as shop:
        shop.builder.request(-1)
        eventually(lambda: shop.begun == [-1])

        shop.builder.request_stop()
        shop.may_go_on.set()
        eventually(lambda: all(each.name != "shop" for each in threading.enumerate()))

        assert shop.builder.take_outcome() is None
