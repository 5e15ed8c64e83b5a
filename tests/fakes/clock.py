"""A clock that tests move."""

from __future__ import annotations

import time


class Clock:
    """Runs like that of the machine, and can be moved forward: a test need not wait."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead_s

    def advance(self, seconds: float) -> None:
        self._ahead_s += seconds
