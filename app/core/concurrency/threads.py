"""Names and priorities of native threads, their turns, and a clock that goes on while the machine is suspended."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MAX_NAME_BYTES = 15
"""Limit of Linux."""
# On Linux time.monotonic() stands still during a suspension; on macOS CLOCK_MONOTONIC goes on, unlike time.monotonic().
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def name_thread(name: str) -> None:
    """Name the calling thread for the system, as `top -H` shows it. Threads that it starts inherit the name (Linux)."""
    if sys.platform == "linux":
        with suppress(OSError):
            Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_bytes(name.encode()[:MAX_NAME_BYTES])


def lower_priority(niceness: int, *, batch: bool = False) -> None:
    """Raise the niceness of the calling thread by `niceness`, at most to 19; threads that it starts inherit it (Linux).

    batch: also do not let it preempt other threads when it wakes up. Elsewhere niceness belongs to the process, which
    stays as it is.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + niceness)
            if batch:
                os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))


def elapsed_s() -> float:
    """Return the seconds since an arbitrary moment, those in suspension included, unaffected by the wall clock."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


class Turns:
    """Tells when a frame step runs. Thread-safe."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._running = False

    @contextmanager
    def step(self) -> Iterator[None]:
        """Mark the duration of a step. One thread at a time."""
        with self._condition:
            self._running = True
        try:
            yield
        finally:
            with self._condition:
                self._running = False
                self._condition.notify_all()

    def wait_for_gap(self, timeout_s: float) -> None:
        """Return once no step runs, or after `timeout_s`."""
        with self._condition:
            self._condition.wait_for(lambda: not self._running, timeout_s)
