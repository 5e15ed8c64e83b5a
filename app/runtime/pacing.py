"""A steady clock for the outputs."""

from __future__ import annotations

import threading
import time


class SteadyClock:
    """Ticks at a fixed rate against absolute times, so that lateness never adds up."""

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self._next_s = time.perf_counter()

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the next tick; False once `stop` is set. Ticks that were missed are left out, not made up for."""
        interval_s = 1.0 / self.rate_hz
        now_s = time.perf_counter()
        self._next_s += interval_s
        if self._next_s < now_s - interval_s:
            self._next_s = now_s
        return not stop.wait(max(0.0, self._next_s - now_s))
