"""Lowers the frame rate of a stream whose steps are too slow, so that the frames that remain are evenly spaced."""

from __future__ import annotations

from fractions import Fraction

SHARES = (Fraction(1), Fraction(2, 3), Fraction(1, 2))
"""Of the frames that are matted: at 30 fps the rates are 30, 20 and 15."""
HOLD_S = 2.0
"""Steps must be too slow for this long before the rate is lowered."""
RETURN_S = 10.0
"""Steps must be fast enough for this long before the next higher rate is tried; doubles after each failure."""
MAX_RETURN_S = 160.0
HEADROOM = 0.8
"""Fraction of the interval of matted frames that a step may take at the next higher rate."""
SMOOTHING = 0.1
FIRST_INTERVAL_S = 1 / 30
"""Assumed until the mean of the intervals is known; the first frames of a stream arrive in bursts."""
PAUSE_S = 1.0
"""A longer interval says nothing about the rate."""


class RateGuard:
    """Decides which frames of a stream are matted. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._level = 0
        self._credit = Fraction(0)
        self._interval_s = FIRST_INTERVAL_S
        self._arrived_s: float | None = None
        self._slow_since_s: float | None = None
        self._fast_since_s: float | None = None
        self._return_s = RETURN_S

    @property
    def share(self) -> Fraction:
        """The share of the frames that are matted."""
        return SHARES[self._level]

    def admits(self, now_s: float) -> bool:
        """Return whether to matte the frame that arrived now."""
        if self._arrived_s is not None:
            interval_s = now_s - self._arrived_s
            if interval_s < PAUSE_S:
                self._interval_s += SMOOTHING * (interval_s - self._interval_s)
        self._arrived_s = now_s
        self._credit += self.share
        admitted = self._credit >= 1
        self._credit -= int(admitted)
        return admitted

    def note(self, step_s: float, now_s: float) -> None:
        """Take note of a step that took `step_s` and ended now."""
        slow = step_s > self._interval_s / self.share
        fast = self._level > 0 and step_s < HEADROOM * self._interval_s / SHARES[self._level - 1]
        self._slow_since_s = (self._slow_since_s or now_s) if slow else None
        self._fast_since_s = (self._fast_since_s or now_s) if fast else None
        lowest = self._level == len(SHARES) - 1
        if not lowest and self._slow_since_s is not None and now_s - self._slow_since_s >= HOLD_S:
            self._level += 1
            self._slow_since_s = self._fast_since_s = None
            self._return_s = min(self._return_s * 2, MAX_RETURN_S)
        elif self._fast_since_s is not None and now_s - self._fast_since_s >= self._return_s:
            self._level -= 1
            self._slow_since_s = self._fast_since_s = None
