"""A worker process: converts one clip after the other on one core."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection

TELL_EVERY_S = 0.2
STOP = "stop"
"""Sent to a worker: interrupt the present clip."""


def work(connection: Connection, core: int | None) -> None:
    """Convert the jobs that arrive, until None or the end of the connection arrives.

    Sends (frames, expected frames) while a clip is converted, then its JobResult. core: the only core to use; None for
    all.
    """
    for name in ("SIGINT", "SIGHUP"):  # the parent decides what Ctrl+C or a closed terminal stops
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if core is not None:
        use_one_core(core)
    from app.offline.batch.job import run_job

    with suppress(EOFError, OSError):  # the parent has ended
        while (job := connection.recv()) is not None:
            if job == STOP:
                continue
            stopping = Stopping(partial(_exchange, connection))
            connection.send(run_job(job, stopping.tell, stopping))


def _exchange(connection: Connection, frames: int, expected: int | None) -> bool:
    """Send the progress; return whether the parent wants the clip to stop, or has ended."""
    with suppress(EOFError, OSError):
        connection.send((frames, expected))
        if not connection.poll():
            return False
        connection.recv()
    return True


class Stopping:
    """Whether a clip is to stop, as its driver says when it is told the progress."""

    def __init__(self, exchange: Callable[[int, int | None], bool]) -> None:
        """exchange: tells the frames and the expected ones; returns whether to stop."""
        self._exchange = exchange
        self._stop = False
        self._told_s = 0.0

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self._stop

    def tell(self, frames: int, expected: int | None) -> None:
        """Tell the progress, at most every TELL_EVERY_S."""
        if time.monotonic() - self._told_s >= TELL_EVERY_S:
            self._told_s = time.monotonic()
            self._stop = self._exchange(frames, expected) or self._stop


def use_one_core(core: int) -> None:
    """Pin this process to a core, before anything starts threads: engines then start one thread.

    Where the system cannot pin (macOS), OpenVINO is limited to one thread.
    """
    import psutil

    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):
        process.cpu_affinity([core])
    else:
        from app.matting.openvino.runtime import core as openvino_core

        openvino_core().set_property("CPU", {"INFERENCE_NUM_THREADS": 1})
