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
from typing import TypeVar

Result = TypeVar("Result")


def eventually(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Return as soon as `condition` holds; fail after `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline_s, f"did not happen within {timeout_s:g} seconds"
        pause.wait(0.005)


def beside(call: Callable[[], Result]) -> Future[Result]:
    """Run `call` on another thread."""
    thread = ThreadPoolExecutor(1)
    answer = thread.submit(call)
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
