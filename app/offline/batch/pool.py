"""Worker processes on this machine: each converts one clip after the other on one core."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TypeAlias

import psutil

from app.offline.batch.job import Job, JobResult, Report
from app.system.process import how_ended

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection

    PipeEnd: TypeAlias = PipeConnection
else:
    PipeEnd: TypeAlias = Connection

STOP = "stop"
"""Sent to a worker: interrupt the present clip."""


def work(connection: PipeEnd, core: int | None, begin: Callable[[], None] | None) -> None:
    """Convert the jobs that arrive, until None or the end of the connection arrives.

    Sends (frames, expected frames) while a clip is converted, then its JobResult. core: the only core to use; None for
    all. begin: called first.
    """
    for name in ("SIGINT", "SIGHUP"):  # the parent decides what Ctrl+C or a closed terminal stops
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if core is not None:
        use_one_core(core)
    if begin is not None:
        begin()
    from app.offline.batch.job import run_job

    with suppress(EOFError, OSError):  # the parent has ended
        while (job := connection.recv()) is not None:
            if job != STOP:
                connection.send(run_job(job, partial(_exchange, connection)))


def _exchange(connection: PipeEnd, frames: int, expected: int | None) -> bool:
    """Send the progress; return whether the parent wants the clip to stop, or has ended."""
    with suppress(EOFError, OSError):
        connection.send((frames, expected))
        if not connection.poll():
            return False
        connection.recv()
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


END_TIMEOUT_S = 5.0


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    connection: PipeEnd
    core: int | None
    job: int | None = None


class Pool:
    """Implements `Workers` with one process per worker, each on a core of its own. A dead worker is replaced."""

    def __init__(self, count: int, begin: Callable[[], None] | None = None) -> None:
        """count: of workers; a single one may use all cores. begin: called in each process before its first clip."""
        self._begin = begin
        cores = core_numbers()
        self._idle_cores: list[int | None] = [cores[i % len(cores)] if count > 1 else None for i in range(count)]
        self._workers: list[_Worker] = []

    @property
    def free(self) -> int:
        """How many jobs can be started now."""
        return len(self._idle_cores) + sum(worker.job is None for worker in self._workers)

    def start(self, index: int, job: Job) -> None:
        """Start a job on a waiting worker, or on a new one."""
        worker = next((worker for worker in self._workers if worker.job is None), None) or self._new_worker()
        worker.job = index
        with suppress(OSError):  # it died while it waited; `wait` reports it
            worker.connection.send(job)

    def wait(self, timeout_s: float) -> Sequence[Report]:
        """Return news, at the latest after the timeout."""
        connections = [worker.connection for worker in self._workers]
        ready = multiprocessing.connection.wait(connections, timeout_s) if connections else []
        reports = []
        for worker in [worker for worker in self._workers if worker.connection in ready]:
            report = self._read(worker)
            if report is not None:
                reports.append(report)
        return reports

    def stop(self) -> None:
        """Ask every running job to end as interrupted."""
        for worker in self._workers:
            if worker.job is not None:
                with suppress(OSError):
                    worker.connection.send(STOP)

    def close(self) -> None:
        """End all workers. Idempotent."""
        for worker in self._workers:
            if worker.job is None:
                with suppress(OSError):
                    worker.connection.send(None)
            else:
                worker.process.kill()
            worker.connection.close()
        for worker in self._workers:
            worker.process.join(END_TIMEOUT_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()

    def _new_worker(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        core = self._idle_cores.pop()
        process = context.Process(target=work, args=(theirs, core, self._begin), name="convert", daemon=True)
        with _signals_held():
            process.start()
        theirs.close()
        worker = _Worker(process, ours, core)
        self._workers.append(worker)
        return worker

    def _read(self, worker: _Worker) -> Report | None:
        job = worker.job
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            worker.connection.close()
            self._workers.remove(worker)
            self._idle_cores.append(worker.core)
            return None if job is None else Report(job, JobResult("died", error=how_ended(worker.process.exitcode)))
        assert job is not None
        if isinstance(message, JobResult):
            worker.job = None
        return Report(job, message)


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
