"""Whether anybody wants pictures: while nobody does, the camera is released and its light is off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LOOK_S = 0.25
"""How often the readers are counted: with the camera's own opening it bounds how long a reader waits."""
LINGER_S = 3.0
"""So long after the last reader left the camera stays open: programs close and open again while they start."""


class DemandWatch:
    """Counts readers on a thread of its own; `resting` may be asked on any."""

    def __init__(
        self, wanted: Callable[[], bool], readers: Callable[[], int | None], on_change: Callable[[], None]
    ) -> None:
        """wanted: whether someone else than a reader wants pictures now, so that there is no rest. readers: how many
        read the virtual camera, None where that cannot be told (then there is no rest either). on_change: called when
        rest begins or ends."""
        self._wanted = wanted
        self._readers = readers
        self._on_change = on_change
        self._last_demand_s = time.monotonic()
        self._resting = False

    @property
    def resting(self) -> bool:
        """Nobody wants pictures."""
        return self._resting

    def run(self, stop: threading.Event) -> None:
        """The thread's body."""
        while not stop.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        """Decide now."""
        now_s = time.monotonic()
        if self._wanted() or self._readers() != 0:
            self._last_demand_s = now_s
        resting = now_s - self._last_demand_s > LINGER_S
        if resting != self._resting:
            self._resting = resting
            self._on_change()
