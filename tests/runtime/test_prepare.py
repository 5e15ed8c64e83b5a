"""Building on a background thread."""

from __future__ import annotations

import threading

from app.runtime.prepare import Prepared, Preparer
from tests.waiting import eventually


def test_the_newest_request_wins_and_replaced_values_are_discarded() -> None:
    gate = threading.Event()
    discarded: list[str] = []

    def build(key: int) -> str:
        gate.wait(60)
        return f"built {key}"

    preparer: Preparer[int, str] = Preparer("builder", build, discarded.append)
    preparer.start()
    for key in range(5):
        preparer.request(key)
    assert preparer.busy
    assert preparer.take() is None
    gate.set()
    eventually(lambda: not preparer.busy)
    outcome = preparer.take()
    assert outcome == Prepared(4, "built 4", None)
    assert preparer.stop(60)
    assert set(discarded) <= {"built 0"}


def test_an_error_is_the_outcome_and_the_next_request_works() -> None:
    def build(key: int) -> int:
        return 10 // key

    preparer: Preparer[int, int] = Preparer("builder", build, lambda value: None)
    preparer.start()
    preparer.request(0)
    eventually(lambda: not preparer.busy)
    failed = preparer.take()
    assert failed is not None and isinstance(failed.error, ZeroDivisionError)
    preparer.request(5)
    eventually(lambda: not preparer.busy)
    assert preparer.take() == Prepared(5, 2, None)
    assert preparer.stop(60)


def test_what_nobody_took_is_discarded_at_the_end() -> None:
    discarded: list[int] = []
    preparer: Preparer[int, int] = Preparer("builder", lambda key: key, discarded.append)
    preparer.start()
    preparer.request(7)
    eventually(lambda: not preparer.busy)
    assert preparer.stop(60)
    assert discarded == [7]


def test_what_is_retired_is_discarded_beside_the_rest_and_before_the_next_is_built() -> None:
    happened: list[tuple[str, int]] = []
    threads: list[str] = []

    def build(key: int) -> int:
        happened.append(("built", key))
        return key

    def discard(value: int) -> None:
        threads.append(threading.current_thread().name)
        happened.append(("discarded", value))

    preparer: Preparer[int, int] = Preparer("builder", build, discard)
    preparer.start()
    preparer.retire(1)
    eventually(lambda: happened == [("discarded", 1)])
    preparer.retire(2)
    preparer.request(3)
    eventually(lambda: not preparer.busy)
    assert happened[1:] == [("discarded", 2), ("built", 3)]
    assert threads == ["builder", "builder"]
    assert preparer.stop(60)
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

    preparer: Preparer[int, int] = Preparer("builder", build, discard)
    preparer.start()
    preparer.retire(1)
    eventually(lambda: ("built", 3) in happened)
    assert preparer.stop(60)
    assert happened[:3] == [("discarded", 1), ("discarded", 2), ("built", 3)]


def test_what_cannot_be_discarded_does_not_end_the_building() -> None:
    def discard(value: int) -> None:
        raise OSError("the device is gone")

    preparer: Preparer[int, int] = Preparer("builder", lambda key: key, discard)
    preparer.start()
    preparer.retire(1)
    preparer.request(2)
    eventually(lambda: not preparer.busy)
    assert preparer.take() == Prepared(2, 2, None)
    assert preparer.stop(60)


def test_free_memory_is_returned_after_what_is_retired_is_gone() -> None:
    """What engines and backgrounds had freed stayed with the process."""
    order: list[str] = []
    tidied = threading.Event()

    def tidy() -> None:
        order.append("tidied")
        tidied.set()

    preparer: Preparer[int, str] = Preparer("builder", str, order.append, tidy=tidy)
    preparer.start()
    preparer.retire("an engine")
    assert tidied.wait(20)
    preparer.request(1)
    eventually(lambda: not preparer.busy)
    assert order == ["an engine", "tidied"], "nothing was discarded since"
    assert preparer.stop(60)
