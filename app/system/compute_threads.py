"""A limit for the threads of one engine, where several streams share the cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_limit: ContextVar[int | None] = ContextVar("compute_threads", default=None)


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Build engines of at most `count` threads inside the context, on the calling thread."""
    token = _limit.set(count)
    try:
        yield
    finally:
        _limit.reset(token)


def thread_limit() -> int | None:
    """Return the limit of the context; None: as many as the cores."""
    return _limit.get()


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
