"""Limits for this process: core dumps, heaps of the allocator and what they keep."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

from app.core.threads import usable_cores

_M_ARENA_MAX = -8
"""Parameter of glibc's `mallopt`."""


def disable_core_dumps() -> None:
    """Forbid the system to write the memory of this process, which holds frames of the camera, to disk if it crashes.

    On Linux and macOS, for this process and those that it starts; systemd's collector of core dumps obeys as well.
    """
    if sys.platform == "win32":  # Windows keeps no full dumps unless an administrator asks for them
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def limit_heaps(heaps: int | None = None) -> None:
    """Let the C library spread the threads over `heaps` heaps, by default one for each core. Call it early.

    glibc makes up to eight heaps for each core, and each keeps what its threads freed: every background, recording and
    engine has threads of its own, so that memory grew with each of them. Other C libraries keep their ways.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # musl has none
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, heaps or usable_cores())


def return_free_memory() -> None:
    """Give memory that was freed back to the system. Takes milliseconds, in which other threads may wait for memory.

    glibc by itself returns only what lies at the end of a heap: what big frames and engines leave below stays.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
