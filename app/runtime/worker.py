"""A thread that can be asked to stop, carries its first exception and is joined."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

_log = logging.getLogger(__name__)
BEHIND = 4
"""By so much is the niceness of threads that compute for long higher: the outputs' clock and the window come first."""


class Worker:
    """Runs `target(stop)` once on a thread of its own; `target` returns soon after `stop` is set."""

    def __init__(
        self,
        name: str,
        target: Callable[[threading.Event], None],
        on_error: Callable[[Exception], None] | None = None,
        *,
        behind: bool = False,
    ) -> None:
        """`behind`: it gives way to the program's other threads, and so do those that it starts."""
        self._behind = behind
        self._stop = threading.Event()
        self._target = target
        self._on_error = on_error
        # A daemon only so that a driver that never returns cannot keep the process alive; `join` is always checked.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.error: Exception | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def request_stop(self) -> None:
        """Ask the target to return; does not wait."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False if the thread still runs."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def _run(self) -> None:
        if self._behind and sys.platform == "linux":  # where a thread has a niceness of its own
            with suppress(OSError):
                thread = threading.get_native_id()
                os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + BEHIND)
        try:
            self._target(self._stop)
        except Exception as error:  # noqa: BLE001 - the thread's boundary: carried to the status
            self.error = error
            _log.warning("the %s thread ended with an error", self._thread.name, exc_info=error)
            if self._on_error is not None:
                self._on_error(error)
