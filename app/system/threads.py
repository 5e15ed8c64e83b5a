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


def lower_priority(niceness: int) -> None:
    """Raise the niceness of the calling thread by `niceness`, at most to 19; threads that it starts inherit it (Linux).

    Elsewhere niceness belongs to the process, which stays as it is.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + niceness)
