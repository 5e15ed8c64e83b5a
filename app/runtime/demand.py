"""Whether anybody wants pictures: while nobody does, the camera is released and its light is off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.output.base import ReaderCounter

LOOK_S = 0.25
"""How often the readers are counted: with the camera's own opening it bounds how long a reader waits."""
LINGER_S = 3.0
"""So long after the last reader left the camera stays open: programs close and open again while they start."""


class DemandWatch:
    """Counts readers on a thread of its own; `resting` may be asked on any."""

    def __init__(
        self,
        wanted: Callable[[], bool],
        device: Callable[[], str | None],
        watch_readers: Callable[[str], ReaderCounter],
        on_change: Callable[[], None],
    ) -> None:
        """wanted: whether someone else than a reader wants pictures now, so that there is no rest. device: the virtual
        camera that is open; without one, or where its readers cannot be known, there is no rest either. on_change:
        called when rest begins or ends."""
        self._wanted = wanted
        self._device = device
        self._watch_readers = watch_readers
        self._on_change = on_change
        self._watched_device: str | None = None
        self._counter: ReaderCounter | None = None
        self._last_demand_s = time.monotonic()
        self._resting = False
        self.readers: int | None = None
        """How many programs read the virtual camera; None where that is not known."""

    @property
    def resting(self) -> bool:
        """Nobody wants pictures."""
        return self._resting

    def run(self, stop: threading.Event) -> None:
        """The thread's body."""
        try:
            while not stop.wait(LOOK_S):
                self._look()
        finally:
            self._watch(None)

    def _look(self) -> None:
        self._watch(self._device())
        reading = None if self._counter is None else self._counter.readers()
        self.readers = None if reading is None else len(reading)
        now_s = time.monotonic()
        if self._wanted() or self.readers != 0:
            self._last_demand_s = now_s
        resting = now_s - self._last_demand_s > LINGER_S
        if resting != self._resting:
            self._resting = resting
            self._on_change()

    def _watch(self, device: str | None) -> None:
        if device == self._watched_device:
            return
        self._watched_device = device
        if self._counter is not None:
            self._counter.close()
        self._counter = None if device is None else self._watch_readers(device)
