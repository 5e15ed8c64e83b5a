"""Work that waits for the gap between two frame steps."""

from __future__ import annotations

import time

import pytest

from app.core.threads import Turns
from tests.waiting import beside


def test_the_end_of_a_step_ends_the_wait() -> None:
    turns = Turns()
    with turns.step():
        wait = beside(lambda: turns.wait_for_gap(60))
        time.sleep(0.05)
        assert not wait.done()
    wait.result(30)


def test_the_wait_is_bounded() -> None:
    turns = Turns()
    with turns.step():
        turns.wait_for_gap(0.01)


def test_a_step_that_fails_is_over() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="bad frame"), turns.step():
        raise ValueError("bad frame")
    turns.wait_for_gap(60)
