"""Waiting for what other threads do, and how Linux schedules them."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

Result = TypeVar("Result")
Values = ParamSpec("Values")
PATIENCE_S = 60.0


def eventually(
    condition: Callable[Values, object], *values: Values.args, **named: Values.kwargs
) -> None:
    """Return as soon as `condition` holds for these values; fail after a minute."""
    within(PATIENCE_S, condition, *values, **named)


def within(
    timeout_s: float,
    condition: Callable[Values, object],
    *values: Values.args,
    **named: Values.kwargs,
) -> None:
    """As `eventually`, with another limit."""
    deadline_s = time.monotonic() + timeout_s
    while not condition(*values, **named):
        _pause_until(deadline_s, f"{_name(condition)} did not hold")


def no_longer(
    condition: Callable[Values, object], *values: Values.args, **named: Values.kwargs
) -> None:
    """Return as soon as `condition` does not hold for these values; fail after a minute."""
    deadline_s = time.monotonic() + PATIENCE_S
    while condition(*values, **named):
        _pause_until(deadline_s, f"{_name(condition)} still holds")


def eventually_is(
    expected: object,
    read: Callable[Values, object],
    *values: Values.args,
    **named: Values.kwargs,
) -> None:
    """Return as soon as `read` returns for these values what is expected; fail after a minute."""
    deadline_s = time.monotonic() + PATIENCE_S
    while (found := read(*values, **named)) != expected:
        _pause_until(deadline_s, f"{_name(read)} returned {found!r}, not {expected!r}")


def _pause_until(deadline_s: float, failure: str) -> None:
    assert time.monotonic() < deadline_s, f"{failure}, for too long"
    threading.Event().wait(0.005)


def _name(function: Callable[..., object]) -> str:
    return getattr(function, "__name__", repr(function))


def beside(
    call: Callable[Values, Result], *values: Values.args, **named: Values.kwargs
) -> Future[Result]:
    """Run `call` with these values on another thread."""
    thread = ThreadPoolExecutor(1)
    answer = thread.submit(call, *values, **named)
    thread.shutdown(wait=False)
    return answer


def accepts(path: Path) -> bool:
    """Whether a server accepts connections on this socket; the file is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as tried:
        return tried.connect_ex(str(path)) == 0


def scheduled() -> list[tuple[str, int, int]]:
    """Name, niceness and policy of each native thread of this process."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread that has just ended
            number = int(task.name)
            niceness = os.getpriority(os.PRIO_PROCESS, number)
            policy = os.sched_getscheduler(number)
            found.append(((task / "comm").read_text().strip(), niceness, policy))
    return found
