"""Waiting for the processes of a run."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing import resource_tracker
from types import SimpleNamespace

import psutil
import pytest

from app.core.exit_codes import EXIT_DONE, EXIT_FAILED
from tests.training.failing import fail_or_work
from training import train


@pytest.fixture(scope="module", autouse=True)
def _tracker() -> None:
    """Start a process of multiprocessing that outlives the test which needs it first."""
    resource_tracker.ensure_running()


class EndsMeanwhile:
    """A process that is alive when it is asked first, and has ended when it is asked again."""

    pid, exitcode, sentinel = None, 0, 7

    def __init__(self, **_: object) -> None:
        self._answers = iter([True])

    def start(self) -> None:
        """Do nothing."""

    def is_alive(self) -> bool:
        return next(self._answers, False)


def test_processes_that_end_while_they_are_counted_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Sequence[int]] = []

    def wait(sentinels: Sequence[int]) -> None:
        assert sentinels, "waits for ever"
        waited.append(sentinels)

    monkeypatch.setattr(multiprocessing, "get_context", lambda _: SimpleNamespace(Process=EndsMeanwhile))
    monkeypatch.setattr(train, "_end_on_signals", lambda _: None)
    monkeypatch.setattr(train, "wait", wait)
    assert train.run_processes(lambda rank, _: None, lambda _: "", 1) == EXIT_DONE
    assert waited == [[EndsMeanwhile.sentinel]]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
def test_when_one_process_fails_the_others_end() -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    began_s, before = time.monotonic(), psutil.Process().children()
    assert train.run_processes(fail_or_work, lambda _: 300.0, 2) == EXIT_FAILED
    assert time.monotonic() - began_s < 200
    for number, handler in handlers.items():
        signal.signal(number, handler)
    left = [child for child in psutil.Process().children() if child not in before]
    assert not [child for child in left if "spawn_main" in " ".join(child.cmdline())]
