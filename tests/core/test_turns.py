"""Work that waits for the gap between two frame steps."""

from __future__ import annotations

import threading

import pytest

from app.core.threads import Turns


def test_the_end_of_a_step_ends_the_wait() -> None:
    turns, ended = Turns(), []

    def wait() -> None:
        turns.wait_for_gap(60)
        ended.append(True)

    with turns.step():
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.05)
        assert not ended
    thread.join(30)
    assert ended


def test_the_wait_is_bounded() -> None:
    turns = Turns()
    with turns.step():
        turns.wait_for_gap(0.01)


def test_a_step_that_fails_is_over() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="bad frame"), turns.step():
        raise ValueError("bad frame")
    turns.wait_for_gap(60)
