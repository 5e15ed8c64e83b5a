"""Slow work of the window, off the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from PyQt6.QtCore import QObject, pyqtSignal

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Outcome:
    deliver: Callable[[], None]


class Tasks(QObject):
    """Runs functions on a few threads and brings each result back to the GUI thread.

    After `close` nothing is delivered any more, so a result never meets a widget that is gone.
    """

    _finished = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(max_workers=3, thread_name_prefix="window-task")
        self._open = True
        self._finished.connect(self._deliver)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Call `work` on a thread, then `done` with its result, or `failed` with its error, on the GUI thread.

        Without `failed` an error is logged.
        """
        if not self._open:
            return

        def finish(future: Future[T]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            if error is None:
                self._finished.emit(_Outcome(lambda: done(future.result())))
            elif isinstance(error, Exception):
                self._finished.emit(_Outcome(lambda: (failed or _log_error)(error)))

        self._pool.submit(work).add_done_callback(finish)

    def close(self) -> None:
        """Drop what has not begun, wait for what runs, deliver nothing more."""
        self._open = False
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _deliver(self, outcome: Any) -> None:
        if self._open and isinstance(outcome, _Outcome):
            outcome.deliver()


def _log_error(error: Exception) -> None:
    log.warning("%s", error, exc_info=error)
