"""Handlers of the signals that end a command."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from app.system.process import handled, stopping

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of this kind")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_each_signal_that_ends_a_command_is_handled_inside_the_block_alone(name: str) -> None:
    number, received = getattr(signal, name), list[int]()
    before = signal.getsignal(number)
    with handled(lambda got, _frame: received.append(got)):
        os.kill(os.getpid(), number)
    assert received == [number] and signal.getsignal(number) is before


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """A program under nohup goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in stopping()
        with handled(lambda _got, _frame: None):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
