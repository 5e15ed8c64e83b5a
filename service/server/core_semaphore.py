"""A semaphore of the cores: as many streams as there are cores step at once, the others wait for one to end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from app.core.threads import cpu_share

LONGEST_WAIT_S = 0.5
"""A stream that has waited for this long steps without a core, so that a step that hangs stops no other stream."""


class CoreSemaphore:
    """Limits the steps that run at once.

    Steps that share a core all take longer. Those that wait take the newest frame when a core is free.
    """

    def __init__(self, count: int | None = None, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        """count: steps at once; None for the cores that this process may use."""
        self._free = threading.BoundedSemaphore(count or max(1, ceil(cpu_share())))
        self._longest_wait_s = longest_wait_s

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for a core, and hold it inside the context. Blocks: not for the event loop."""
        taken = self._free.acquire(timeout=self._longest_wait_s)
        try:
            yield
        finally:
            if taken:
                self._free.release()
