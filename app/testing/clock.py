"""A clock that a test sets."""

from __future__ import annotations


class FakeClock:
    """Tells the time that the test has set; give it where a function takes `now` or `clock`."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now_s
