"""Lets work that can wait run between the frame steps, which need all cores of a small machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Tells when a frame step runs. Thread-safe."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._running = False

    @contextmanager
    def step(self) -> Iterator[None]:
        """Mark the duration of a step. One thread at a time."""
        with self._condition:
            self._running = True
        try:
            yield
        finally:
            with self._condition:
                self._running = False
                self._condition.notify_all()

    def wait_for_gap(self, timeout_s: float) -> None:
        """Return once no step runs, or after `timeout_s`."""
        with self._condition:
            self._condition.wait_for(lambda: not self._running, timeout_s)
