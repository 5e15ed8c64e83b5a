"""Lowers the frame rate of a stream whose steps are too slow, so that the frames that remain are evenly spaced."""

from __future__ import annotations

from fractions import Fraction
from math import floor

STEP = Fraction(1, 20)
"""The share of frames that are matted is a multiple of this."""
LOWEST = Fraction(1, 2)
"""At 30 fps: 15 fps."""
HOLD_S = 2.0
"""Steps must be too slow for this long before the rate is lowered."""
RETURN_S = 2.0
"""Steps must be fast enough for this long before a higher rate is tried; doubles after each failure."""
FAILED_S = 10.0
"""A higher rate that must be lowered again within this time was a failure."""
MAX_RETURN_S = 160.0
HEADROOM = 0.8
"""Fraction of the interval of matted frames that a step may take at a higher rate."""
SMOOTHING = 0.1
FIRST_INTERVAL_S = 1 / 30
"""Assumed until the mean of the intervals is known; the first frames of a stream arrive in bursts."""
PAUSE_S = 1.0
"""A longer interval says nothing about the rate."""
LONGEST_STEP = 2.0
"""In frame intervals at the lowest rate: a longer step, such as one that builds the engine, counts as this long."""


class RateGuard:
    """Decides which frames of a stream are matted. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._share = Fraction(1)
        self._credit = Fraction(0)
        self._interval_s = FIRST_INTERVAL_S
        self._step_s = 0.0
        """Mean of the steps."""
        self._arrived_s: float | None = None
        self._slow_since_s: float | None = None
        self._fast_since_s: float | None = None
        self._return_s = RETURN_S
        self._raised_s = float("-inf")

    @property
    def share(self) -> Fraction:
        """The share of the frames that are matted."""
        return self._share

    def admits(self, now_s: float) -> bool:
        """Return whether to matte the frame that arrived now."""
        if self._arrived_s is not None:
            interval_s = now_s - self._arrived_s
            if interval_s < PAUSE_S:
                self._interval_s += SMOOTHING * (interval_s - self._interval_s)
        self._arrived_s = now_s
        self._credit += self._share
        admitted = self._credit >= 1
        self._credit -= int(admitted)
        return admitted

    def note(self, step_s: float, now_s: float) -> None:
        """Take note of a step that took `step_s`, the wait for a core included, and ended now."""
        step_s = min(step_s, LONGEST_STEP * self._interval_s / LOWEST)
        self._step_s += SMOOTHING * (step_s - self._step_s)
        possible = _possible(self._interval_s, self._step_s)
        sensible = _possible(HEADROOM * self._interval_s, self._step_s)
        self._slow_since_s = (self._slow_since_s or now_s) if possible < self._share else None
        self._fast_since_s = (self._fast_since_s or now_s) if sensible > self._share else None
        if self._slow_since_s is not None and now_s - self._slow_since_s >= HOLD_S:
            self._share = possible
            self._slow_since_s = self._fast_since_s = None
            failed = now_s - self._raised_s <= FAILED_S
            self._return_s = min(self._return_s * 2, MAX_RETURN_S) if failed else RETURN_S
        elif self._fast_since_s is not None and now_s - self._fast_since_s >= self._return_s:
            self._share, self._raised_s = sensible, now_s
            self._slow_since_s = self._fast_since_s = None


def _possible(interval_s: float, step_s: float) -> Fraction:
    """Return the largest share whose frames come no faster than steps end, at least `LOWEST`."""
    steps = floor(interval_s / (step_s * float(STEP))) if step_s > 0 else int(1 / STEP)
    return min(max(steps * STEP, LOWEST), Fraction(1))
