"""The clock of the outputs: when its ticks begin and end, and what a suspension leaves out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.runtime.context import Timing

# An arrival later than this fraction of an interval after
# the middle of its tick delays the following ticks.
LATE_FRACTION = 0.25
# Fraction of the lateness by which they are delayed.
FOLLOW_GAIN = 0.1


class SteadyClock:
    """Ticks at a fixed mean rate against absolute times, so that lateness does not accumulate.

    A tick is an interval, not a moment: a new picture is sent as soon as it arrives, once per tick;
    without one, the last picture is repeated at the end of the tick. Pictures that arrive at the
    clock's rate or slower never wait.
    """

    def __init__(self, rate_hz: float, now: Callable[[], float] = time.perf_counter) -> None:
        """now: the time in seconds; replaced in tests."""
        self.rate_hz = rate_hz
        self._now = now
        self._middle_s = now()

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the next tick to begin; return False once `stop` is set.

        Missed ticks are dropped.
        """
        interval_s = 1.0 / self.rate_hz
        now_s = self._now()
        self._middle_s += interval_s
        if self._middle_s < now_s - interval_s:
            self._middle_s = now_s
        begins_s = self._middle_s - interval_s / 2
        return not stop.wait(max(0.0, begins_s - now_s))

    @property
    def remaining_s(self) -> float:
        """Seconds until this tick ends."""
        return max(0.0, self._middle_s + 0.5 / self.rate_hz - self._now())

    def note_arrival(self) -> None:
        """Note that a new picture has arrived now.

        Delay the following ticks if it was almost too late for this one.

        Pictures at about the clock's rate then do not alternate between two sides of a tick's end.
        """
        interval_s = 1.0 / self.rate_hz
        late_s = self._now() - self._middle_s - LATE_FRACTION * interval_s
        # Beyond the end of the tick it belongs to the next one, where it is early.
        if 0 < late_s <= (0.5 - LATE_FRACTION) * interval_s:
            self._middle_s += FOLLOW_GAIN * late_s


class TickTimes:
    """When the clock ticks, also across suspensions of the machine or the program."""

    def __init__(self, timing: Timing) -> None:
        self._clock = timing.clock
        self._longest_tick_s = timing.stale_s
        # By `Timing.clock`, which goes on in a suspension.
        self.last_s = timing.clock()
        # When the last suspension ended, by time.perf_counter(), as frames are stamped.
        self.resumed_s = 0.0

    def tick(self) -> None:
        """Note a tick, and a suspension that has ended before it."""
        now_s = self._clock()
        if now_s - self.last_s > self._longest_tick_s:
            self.resumed_s = time.perf_counter()
        self.last_s = now_s
