"""Executor of worker processes on this machine: each converts one clip after the other on one core."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TypeAlias

import psutil

from app.offline.batch.job import Exchange, Job, JobResult, News
from app.system.process import how_ended

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection

    PipeEnd: TypeAlias = PipeConnection
else:
    PipeEnd: TypeAlias = Connection


class Processes:
    """Implements `Executor`: each clip is followed by a thread that talks to its process. A dead one is replaced."""

    def __init__(self, count: int, begin: Callable[[], None] | None = None) -> None:
        """count: of processes, each with a core of its own; a single one uses all. begin: called first in each."""
        cores = core_numbers()
        self.count = count
        self._workers = [_Worker(cores[i % len(cores)] if count > 1 else None, begin) for i in range(count)]
        self._idle = deque(self._workers)
        self._threads = ThreadPoolExecutor(count)
        self._news: deque[News] = deque()
        self._stopping = False

    def submit(self, index: int, job: Job) -> Future[JobResult]:
        """See `Executor`."""
        worker = self._idle.popleft()
        worker.start()
        return self._threads.submit(self._run, worker, index, job)

    def _run(self, worker: _Worker, index: int, job: Job) -> JobResult:
        def exchange(frames: int, expected: int | None) -> bool:
            self._news.append(News(index, frames, expected))
            return self._stopping

        try:
            return worker.run(job, exchange)
        finally:
            self._idle.append(worker)

    def news(self) -> list[News]:
        """See `Executor`."""
        return [self._news.popleft() for _ in range(len(self._news))]

    def stop(self) -> None:
        """See `Executor`."""
        self._stopping = True

    def close(self) -> None:
        """See `Executor`."""
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown()


class _Worker:
    """A process that lasts until it is killed or dies."""

    def __init__(self, core: int | None, begin: Callable[[], None] | None) -> None:
        self._arguments = core, begin
        self._process: SpawnProcess | None = None
        self._connection: PipeEnd

    def start(self) -> None:
        """Start the process, if none runs."""
        if self._process is not None and self._process.is_alive():
            return
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, *self._arguments), name="convert", daemon=True)
        with _signals_held():
            process.start()
        theirs.close()
        self._process = process

    def run(self, job: Job, exchange: Exchange) -> JobResult:
        """Let the process convert a clip. exchange: as of `run_job`."""
        assert self._process is not None
        try:
            self._connection.send(job)
            while not isinstance(said := self._connection.recv(), JobResult):
                self._connection.send(exchange(*said))
            return said
        except (EOFError, OSError):
            self._process.join()
            return JobResult("died", error=how_ended(self._process.exitcode))

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
            self._process.join()


def _work(connection: PipeEnd, core: int | None, begin: Callable[[], None] | None) -> None:
    """Convert the jobs that arrive until the connection ends. core: the only core to use; None for all.

    Sends (frames, expected frames) while a clip is converted, to which the answer is whether it is to stop; then its
    JobResult.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what Ctrl+C stops
    if core is not None:
        use_one_core(core)
    if begin is not None:
        begin()
    from app.offline.batch.job import run_job

    with suppress(EOFError, OSError):  # the driver has ended
        while True:
            connection.send(run_job(connection.recv(), partial(_exchange, connection)))


def _exchange(connection: PipeEnd, frames: int, expected: int | None) -> bool:
    """Send the progress; return whether the driver wants the clip to stop, or has ended."""
    with suppress(EOFError, OSError):
        connection.send((frames, expected))
        return bool(connection.recv())
    return True


def use_one_core(core: int) -> None:
    """Pin this process to a core, before anything starts threads: engines then start one thread.

    Where the system cannot pin (macOS), OpenVINO is limited to one thread.
    """
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):
        process.cpu_affinity([core])
    else:
        from app.matting.openvino.runtime import core as openvino_core

        openvino_core().set_property("CPU", {"INFERENCE_NUM_THREADS": 1})


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back Ctrl+C: a process that starts meanwhile does so for good, and prints no traceback of its imports."""
    if sys.platform == "win32":
        yield
    else:
        from multiprocessing.resource_tracker import ensure_running

        ensure_running()  # lets signals through when it starts, which the first worker would make it do
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def core_numbers() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    affinity = getattr(psutil.Process(), "cpu_affinity", None)
    return list(affinity()) if affinity is not None else list(range(os.cpu_count() or 1))
