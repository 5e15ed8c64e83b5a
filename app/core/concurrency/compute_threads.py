"""A limit for the threads of one engine, where several streams share the cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

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


def cpu_share(cgroups: Path = Path("/sys/fs/cgroup")) -> float:
    """Return how many cores' time this process may use: a container's quota, at most its cores.

    cgroups: replaced in tests.
    """
    cores = float(usable_cores())
    quotas = (
        _quota(cgroups / "cpu.max"),
        _quota(cgroups / "cpu" / "cpu.cfs_quota_us", cgroups / "cpu" / "cpu.cfs_period_us"),
    )
    return min([cores, *(quota for quota in quotas if quota is not None)])


def _quota(*files: Path) -> float | None:
    """Return the quota divided by the period, which one or two files hold; None without a quota."""
    try:
        quota, period = (int(word) for word in " ".join(file.read_text() for file in files).split())
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 else None


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
