"""A thread that can be asked to stop, keeps the error that ended it, and is joined."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.core.concurrency.threads import lower_priority, name_thread
from app.core.stage import Stage

_log = logging.getLogger(__name__)
NICENESS = 4
"""Niceness added to threads that prepare something, so that the frame path and the window run first."""


class Worker:
    """Runs `target(stop)` once on its own thread; `target` returns soon after `stop` is set."""

    def __init__(
        self,
        name: str,
        target: Callable[[threading.Event], None],
        stage: Stage = Stage.OUTPUT,
        *,
        frame_path: bool = False,
        low_priority: bool = False,
    ) -> None:
        """stage: where a failure is reported. frame_path: whether frames pass through it, so that nothing but the
        stand-by card may leave without it. low_priority: raise the niceness of the thread, and so of the threads that
        it starts (Linux).
        """
        self.name, self.stage, self.frame_path = name, stage, frame_path
        self._low_priority = low_priority
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._target = target
        # A daemon only so that a driver that never returns cannot keep the process alive; `join` is always checked.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.error: BaseException | None = None
        self._call: tuple[float, str] | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def request_stop(self) -> None:
        """Ask the target to return; do not wait."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; return False if the thread still runs."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    @property
    def died(self) -> bool:
        """Whether the thread has ended without being asked to stop."""
        return self._ended.is_set() and not self._stop.is_set()

    @contextmanager
    def calling(self, device: str) -> Iterator[None]:
        """Note the call of a driver in this block (its thread). device: its name for the user."""
        self._call = time.monotonic(), device
        try:
            yield
        finally:
            self._call = None

    def hangs(self, limit_s: float) -> str | None:
        """Return the name of the device if the call of its driver takes longer than this."""
        call = self._call
        return call[1] if call is not None and time.monotonic() - call[0] > limit_s else None

    def _run(self) -> None:
        name_thread(self.name)
        if self._low_priority:
            lower_priority(NICENESS)
        try:
            self._target(self._stop)
        except BaseException as error:  # noqa: BLE001 - the boundary of the thread; the watchdog reports it
            self.error = error
            _log.warning("The %s thread ended with an error.", self.name, exc_info=error)
        finally:
            self._ended.set()
