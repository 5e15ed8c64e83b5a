"""Halves the frame rate of a stream whose steps are too slow, so that the frames that remain are evenly spaced."""

from __future__ import annotations

HOLD_S = 2.0
"""Steps must be too slow for this long before the rate is halved."""
RETURN_S = 10.0
"""Steps must be fast enough for this long before the full rate is tried again; doubles after each failure."""
MAX_RETURN_S = 160.0
HEADROOM = 0.8
"""Fraction of the frame interval that a step may take at the full rate."""
SMOOTHING = 0.1
FIRST_INTERVAL_S = 1 / 30
"""Assumed until the mean of the intervals is known; the first frames of a stream arrive in bursts."""
PAUSE_S = 1.0
"""A longer interval says nothing about the rate."""


class RateGuard:
    """Decides which frames of a stream are matted. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.halved = False
        self._interval_s = FIRST_INTERVAL_S
        self._arrived_s: float | None = None
        self._skipped = False
        self._slow_since_s: float | None = None
        self._fast_since_s: float | None = None
        self._return_s = RETURN_S

    def admits(self, now_s: float) -> bool:
        """Return whether to matte the frame that arrived now."""
        if self._arrived_s is not None:
            interval_s = now_s - self._arrived_s
            if interval_s < PAUSE_S:
                self._interval_s += SMOOTHING * (interval_s - self._interval_s)
        self._arrived_s = now_s
        self._skipped = self.halved and not self._skipped
        return not self._skipped

    def note(self, step_s: float, now_s: float) -> None:
        """Take note of a step that took `step_s` and ended now."""
        slow = step_s > self._interval_s
        fast = step_s < HEADROOM * self._interval_s
        self._slow_since_s = (self._slow_since_s or now_s) if slow else None
        self._fast_since_s = (self._fast_since_s or now_s) if fast else None
        if not self.halved and self._slow_since_s is not None and now_s - self._slow_since_s >= HOLD_S:
            self.halved, self._fast_since_s = True, None
            self._return_s = min(self._return_s * 2, MAX_RETURN_S)
        elif self.halved and self._fast_since_s is not None and now_s - self._fast_since_s >= self._return_s:
            self.halved, self._slow_since_s = False, None
