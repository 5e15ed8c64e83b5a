"""A steady clock for the outputs."""

from __future__ import annotations

import threading
import time

LATE = 0.25
"""News that come later in their tick than this part of an interval after its middle move the ticks that follow."""
FOLLOW = 0.1
"""By this part of what they were too late."""


class SteadyClock:
    """Ticks at a fixed mean rate against absolute times, so that lateness never adds up.

    A tick is not a moment but an interval, of which one is as good as the other: whoever has news sends it at once,
    once a tick, and whoever has none by the end of it repeats what was sent before. So what comes at the clock's rate
    or less often never waits, and yet the mean rate is kept.
    """

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self._middle_s = time.perf_counter()

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the next tick to begin; False once `stop` is set. Ticks that were missed are left out."""
        interval_s = 1.0 / self.rate_hz
        now_s = time.perf_counter()
        self._middle_s += interval_s
        if self._middle_s < now_s - interval_s:
            self._middle_s = now_s
        return not stop.wait(max(0.0, self._middle_s - interval_s / 2 - now_s))

    @property
    def left_s(self) -> float:
        """What is left of this tick."""
        return max(0.0, self._middle_s + 0.5 / self.rate_hz - time.perf_counter())

    def news(self) -> None:
        """Something new came just now: where it was nearly too late for this tick, the next ones come later.

        So pictures at about the clock's rate do not come now before the end of a tick and now after it.
        """
        late_s = time.perf_counter() - self._middle_s - LATE / self.rate_hz
        if 0 < late_s <= (0.5 - LATE) / self.rate_hz:
            self._middle_s += FOLLOW * late_s
