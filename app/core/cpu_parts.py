"""CPU time of marked sections of the program, per thread, for `run.py bench --in-use`."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from weakref import WeakSet


class _Spent(threading.local):
    """What the calling thread spent; goes with the thread."""

    def __init__(self) -> None:
        self.parts = _Parts()
        with _lock:
            _all.add(self.parts)


class _Parts:
    """CPU time of one thread by the names of the parts."""

    def __init__(self) -> None:
        self.thread = threading.get_native_id()
        self.spent_ns: dict[str, int] = {}


_lock = threading.Lock()
_all: WeakSet[_Parts] = WeakSet()
_spent = _Spent()


class CpuPart:
    """Context manager that adds the calling thread's CPU time within it to a named part. Costs about 1 µs.

    Time that other threads spend for the section does not count.
    """

    __slots__ = ("_name", "_started_ns")

    def __init__(self, name: str) -> None:
        self._name = name
        self._started_ns = 0

    def __enter__(self) -> None:
        self._started_ns = time.thread_time_ns()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        spent_ns = time.thread_time_ns() - self._started_ns
        known = _spent.parts.spent_ns
        known[self._name] = known.get(self._name, 0) + spent_ns


def cpu_parts_s() -> dict[tuple[int, str], float]:
    """Return the CPU time of living threads so far in seconds, by native thread id and name of the part."""
    with _lock:
        threads = list(_all)
    return {
        (parts.thread, name): spent_ns / 1e9 for parts in threads for name, spent_ns in parts.spent_ns.copy().items()
    }
