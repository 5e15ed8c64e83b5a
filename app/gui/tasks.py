"""Slow work of the window off the GUI thread, such as watching which devices exist."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.sip import isdeleted

from app.capture.devices import CameraDevice
from app.core.threads import lower_priority
from app.gui import services
from app.gui.widgets.qt import timer

log = logging.getLogger(__name__)
T = TypeVar("T")
NICENESS = 4
"""Added to the threads: at the start, they decode the pictures of the background strip while the window is drawn."""
THREADS = 3


class Tasks(QObject):
    """Runs functions on threads and delivers each result on the GUI thread.

    A result for a method of a deleted QObject is dropped. After `close` nothing is delivered.
    """

    _finished = pyqtSignal(object, object)
    """What delivers the outcome, and the object whose method receives it."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(THREADS, "window-task", initializer=lower_priority, initargs=(NICENESS,))
        self._writer = ThreadPoolExecutor(1, "window-writer")
        self._writes: dict[Future[Any], Callable[[], Any]] = {}
        """Those whose outcome has not been delivered."""
        self._open = True
        # Queued: a future that is already done calls back on this thread, inside `run`.
        self._finished.connect(self._deliver, type=Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Call `work` on a thread, then `done` with its result or `failed` with its error on the GUI thread.

        Without `failed`, errors are logged.
        """
        self._submit(self._pool, work, done, failed)

    def write(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Call `work`, which changes settings or scenes on disk, as `run` does, but after every earlier write.

        `close` waits for it, however busy the other threads are.
        """
        self._submit(self._writer, work, done, failed)

    def close(self) -> list[Exception]:
        """Finish all writes, cancel pending tasks, wait for running ones, and discard their results.

        Returns the errors of writes that nobody has been told, and that no later write of the same work made good.
        """
        self._open = False
        self._writer.shutdown(wait=True)
        self._pool.shutdown(wait=True, cancel_futures=True)
        last = {work: future for future, work in self._writes.items()}  # the same work writes all anew
        return [error for write in last.values() if isinstance(error := write.exception(), Exception)]

    def _submit(
        self,
        threads: ThreadPoolExecutor,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None,
    ) -> None:
        if not self._open:
            return
        future = threads.submit(work)
        if threads is self._writer:
            self._writes[future] = work

        def finish(_future: Future[T]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            take: Callable[[Any], None] = done if error is None else failed or _log_error
            outcome = future.result() if error is None else error
            if error is None or isinstance(error, Exception):
                self._finished.emit(partial(self._give, future, take, outcome), getattr(take, "__self__", None))

        future.add_done_callback(finish)

    def _give(self, future: Future[Any], take: Callable[[Any], None], outcome: object) -> None:
        self._writes.pop(future, None)
        take(outcome)

    def _deliver(self, deliver: Callable[[], None], owner: object) -> None:
        is_gone = isinstance(owner, QObject) and isdeleted(owner)  # its dialog was closed in the meantime
        if self._open and not is_gone:
            deliver()


def _log_error(error: Exception) -> None:
    log.warning("%s", error, exc_info=error)


WATCH_INTERVAL_MS = 2500
CHECKS_PER_VIRTUAL = 4
"""Virtual cameras change rarely, and probing one that another program feeds takes a second."""


class DeviceWatcher(QObject):
    """Lists the devices, and again some seconds after each list, however long it takes."""

    cameras_found = pyqtSignal(object)
    """tuple[CameraDevice, ...]"""
    virtual_cameras_found = pyqtSignal(object)
    """tuple of (device, label)"""

    microphones_found = pyqtSignal(object)
    """tuple[app.output.sound.MicrophoneName, ...]"""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._checks = 0
        self._timer = timer(self, WATCH_INTERVAL_MS, self.check, once=True)

    def check(self) -> None:
        """List the devices now, and from then on."""
        self._tasks.run(services.list_cameras, self._found, self._failed)
        if self._checks % CHECKS_PER_VIRTUAL == 0:
            self._tasks.run(services.virtual_cameras, self.virtual_cameras_found.emit)
        self._checks += 1

    def check_microphones(self) -> None:
        """List the microphones once."""
        self._tasks.run(services.microphones, self.microphones_found.emit)

    def _found(self, cameras: tuple[CameraDevice, ...]) -> None:
        self._timer.start()
        self.cameras_found.emit(cameras)

    def _failed(self, error: Exception) -> None:
        self._timer.start()
        raise error  # a defect: listing cameras does not fail; sys.excepthook logs it
