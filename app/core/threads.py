"""Threads: names and priorities of native ones, how many may run, work that may not return,
strips, a clock.

`elapsed_s` goes on while the machine is suspended.
"""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

# Limit of Linux.
MAX_NAME_BYTES = 15
# On Linux time.monotonic() stands still during a suspension;
# on macOS CLOCK_MONOTONIC goes on, unlike time.monotonic().
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def name_thread(name: str) -> None:
    """Name the calling thread for the system, as `top -H` shows it.

    Threads that it starts inherit the name (Linux).
    """
    if sys.platform == "linux":
        file = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
        with suppress(OSError):
            file.write_bytes(name.encode()[:MAX_NAME_BYTES])


def lower_priority(niceness: int, *, batch: bool = False) -> None:
    """Raise the niceness of the calling thread by `niceness`, at most to 19.

    Threads that it starts inherit it (Linux).

    batch: also do not let it preempt other threads when it wakes up. Elsewhere niceness is the
    process's, and stays.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(
                os.PRIO_PROCESS,
                thread,
                os.getpriority(os.PRIO_PROCESS, thread) + niceness,
            )
            if batch:
                os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))


def on_own_thread(name: str, work: Callable[[], T]) -> Future[T]:
    """Call `work` on a new thread and return its outcome, which cannot be cancelled.

    For work that may never return, such as opening a file on a disk that is gone: the thread is a
    daemon, so that it does not keep the process alive. Raises RuntimeError where no thread can be
    started.
    """
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        name_thread(name)
        _carry(work, outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return outcome


def _carry(work: Callable[[], T], outcome: Future[T]) -> None:
    """Call `work`, and carry its result or its error to whoever takes the outcome."""
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - carried
        outcome.set_exception(error)
    else:
        outcome.set_result(result)


@dataclass(slots=True)
class _RunningCall:
    """A call, and when it was last seen to compute."""

    thread: threading.Thread
    computed_s: float
    """By time.monotonic()."""
    cpu_s: float = 0.0

    def look(self) -> None:
        """Note whether the thread, which is alive, has computed since the last look (Linux)."""
        if sys.platform == "linux":
            assert self.thread.ident is not None
            cpu_s = time.clock_gettime(time.pthread_getcpuclockid(self.thread.ident))
            if cpu_s > self.cpu_s:
                self.cpu_s = cpu_s
                self.computed_s = time.monotonic()


class DaemonPool:
    """Runs calls on daemon threads in the order in which they come, so many at a time. Any thread.

    For work on files: a call that never returns can be given up, so that those behind it run, and
    does not keep the process alive.
    """

    def __init__(self, name: str, most: int, begin: Callable[[], object] = lambda: None) -> None:
        """name: of the threads. most: calls at a time. begin: called on each thread first."""
        self._name = name
        self._most = most
        self._begin = begin
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        # Those that count. A thread leaves under the lock before it ends.
        self._running: dict[Future[Any], _RunningCall] = {}

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Call `work` as soon as fewer calls run, and return its outcome."""
        call: Future[T] = Future()
        with self._lock:
            self._waiting.append((call, work))
        self._start_next()
        return call

    def late(self, limit_s: float) -> list[Future[Any]]:
        """Return the calls that have waited for as long as this and were not given up.

        On a busy machine a call may take long to compute, which is no dead disk: look often, so
        that it is seen. Elsewhere than on Linux computing counts as waiting.
        """
        late = []
        with self._lock:
            for call, running in self._running.items():
                running.look()
                if time.monotonic() - running.computed_s >= limit_s:
                    late.append(call)
        return late

    def give_up(self, call: Future[Any]) -> None:
        """Let another call run in place of this one, which goes on."""
        with self._lock:
            self._running.pop(call, None)
        self._start_next()

    def _start_next(self) -> None:
        with self._lock:
            while self._waiting and len(self._running) < self._most:
                call, work = self._waiting.popleft()
                if call.set_running_or_notify_cancel():
                    thread = threading.Thread(
                        target=self._run,
                        args=(call, work),
                        name=self._name,
                        daemon=True,
                    )
                    thread.start()
                    self._running[call] = _RunningCall(thread, time.monotonic())

    def _run(self, call: Future[Any], work: Callable[[], Any]) -> None:
        name_thread(self._name)
        self._begin()
        _carry(work, call)
        self.give_up(call)


def poll_until(condition: Callable[[], bool], limit_s: float, interval_s: float) -> bool:
    """Look until a condition holds, for what nothing tells of.

    Return False if it does not within the time limit.

    The limit is short: nothing ends the wait earlier.
    """
    deadline_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(interval_s)
    return True


def elapsed_s() -> float:
    """Return the seconds since an arbitrary moment, those in suspension included, unaffected by
    the wall clock.
    """
    if sys.platform != "win32" and _CLOCK is not None:
        return time.clock_gettime(_CLOCK)
    return time.monotonic()


def thread_limit() -> int | None:
    """Return the limit of a quota; None: as many as the cores."""
    cores = usable_cores()
    return cores if cores < _own_cores() else None


def usable_cores() -> int:
    """Return how many cores this process may use.

    Its own, or those whose time its quota allows, rounded up.
    """
    return max(1, math.ceil(cpu_share()))


def cpu_share(
    cgroups: Path = Path("/sys/fs/cgroup"),
    membership: Path = Path("/proc/self/cgroup"),
) -> float:
    """Return how many cores' time this process may use.

    The least quota of its control groups, at most its cores.

    These are the groups of this process and all above them, of both versions of control groups.
    cgroups, membership: replaced in tests.
    """
    shares = [float(_own_cores())]
    for root, path in _groups(cgroups, membership):
        nearest = root / path.lstrip("/")
        for group in (nearest, *nearest.parents):
            if group.is_relative_to(root):
                shares += _quota(group)
    return min(shares)


def _groups(cgroups: Path, membership: Path) -> list[tuple[Path, str]]:
    """Return the groups that may limit this process.

    The folder of the hierarchy, and the path in it.

    The root counts also where it is not named: a container sees its own group there, whatever its
    path outside is.
    """
    found = [(cgroups, "/")]
    try:
        lines = membership.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:  # not Linux
        return found
    for line in lines:
        fields = line.split(":", 2)
        if len(fields) < 3:
            continue
        _, controllers, path = fields
        if not controllers:
            found.append((cgroups, path))
        elif "cpu" in controllers.split(","):
            # Version 1: a hierarchy has one folder, and links for its controllers.
            found += [(cgroups / controllers, path), (cgroups / "cpu", path)]
    return found


def _quota(group: Path) -> list[float]:
    """Return the quota of a control group in cores; empty if it has none."""
    with suppress(OSError, ValueError, ZeroDivisionError):  # "max": no quota
        quota, period = map(int, (group / "cpu.max").read_text().split())
        return [quota / period]
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota = int((group / "cpu.cfs_quota_us").read_text())
        period = int((group / "cpu.cfs_period_us").read_text())
        if quota > 0:  # -1: no quota
            return [quota / period]
    return []


def _own_cores() -> int:
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may refuse it
            return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


MOST_STRIPS = 4


class Strips:
    """Runs work on the rows of an image in strips, each on a thread of its own."""

    def __init__(self, threads: int | None = None) -> None:
        """threads: None for as many as the cores or a quota allow."""
        # Strips per image.
        self.threads = min(threads or usable_cores(), MOST_STRIPS)
        # One strip runs on the calling thread.
        self._pool = ThreadPoolExecutor(
            max(self.threads - 1, 1),
            thread_name_prefix="finish",
            initializer=name_thread,
            initargs=("finish",),
        )

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown()

    def run(self, height: int, work: Callable[..., object], *arguments: object) -> None:
        """Call work(*arguments, top, bottom) for strips that cover `height` rows, one of them on
        the calling thread.
        """
        bounds = [height * strip // self.threads for strip in range(self.threads + 1)]
        first, *rest = itertools.pairwise(bounds)
        others = [self._pool.submit(work, *arguments, *strip) for strip in rest]
        work(*arguments, *first)
        for other in others:
            other.result()


def return_free_memory() -> None:
    """Give memory that was freed back to the system.

    Takes milliseconds, in which other threads may wait for memory.

    glibc by itself returns only what lies at the end of a heap: what big frames and engines leave
    below stays.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
