"""A call of a driver that may never return, and the question whether it hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class DriverCall:
    """Made on one thread, asked about on another."""

    def __init__(self) -> None:
        self._running: tuple[float, str] | None = None

    @contextmanager
    def by(self, device: str) -> Iterator[None]:
        """Note the call in this block. device: its name for the user."""
        self._running = time.monotonic(), device
        try:
            yield
        finally:
            self._running = None

    def hangs(self, limit_s: float) -> str | None:
        """Return the name of the device if the call takes longer than this."""
        running = self._running
        return running[1] if running is not None and time.monotonic() - running[0] > limit_s else None
