"""Names and priorities of native threads."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

MAX_NAME_BYTES = 15
"""Limit of Linux."""


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
