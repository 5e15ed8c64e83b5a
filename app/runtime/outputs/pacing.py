"""A steady clock for the outputs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LATE_FRACTION = 0.25
"""An arrival later than this fraction of an interval after the middle of its tick delays the following ticks."""
FOLLOW_GAIN = 0.1
"""Fraction of the lateness by which they are delayed."""


class SteadyClock:
    """Ticks at a fixed mean rate against absolute times, so that lateness does not accumulate.

    A tick is an interval, not a moment: a new picture is sent as soon as it arrives, once per tick; without one, the
    last picture is repeated at the end of the tick. Pictures that arrive at the clock's rate or slower never wait.
    """

    def __init__(self, rate_hz: float, now: Callable[[], float] = time.perf_counter) -> None:
        """now: the time in seconds; replaced in tests."""
        self.rate_hz = rate_hz
        self._now = now
        self._middle_s = now()

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the next tick to begin; return False once `stop` is set. Missed ticks are dropped."""
        interval_s = 1.0 / self.rate_hz
        now_s = self._now()
        self._middle_s += interval_s
        if self._middle_s < now_s - interval_s:
            self._middle_s = now_s
        return not stop.wait(max(0.0, self._middle_s - interval_s / 2 - now_s))

    @property
    def remaining_s(self) -> float:
        """Seconds until this tick ends."""
        return max(0.0, self._middle_s + 0.5 / self.rate_hz - self._now())

    def note_arrival(self) -> None:
        """Note that a new picture has arrived now; delay the following ticks if it was almost too late for this one.

        Pictures at about the clock's rate then do not alternate between two sides of a tick's end.
        """
        late_s = self._now() - self._middle_s - LATE_FRACTION / self.rate_hz
        if 0 < late_s <= (0.5 - LATE_FRACTION) / self.rate_hz:
            self._middle_s += FOLLOW_GAIN * late_s
