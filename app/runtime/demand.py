"""Whether anyone needs frames: otherwise the camera is released and its light is off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from app.output.base import ReaderCounter
from app.runtime.outputs.sink_worker import SinkWorker
from app.runtime.timing import Timing


class DemandWatch:
    """Counts readers on its own thread; `resting` and `readers` may be read on any."""

    def __init__(
        self,
        wanted: Callable[[], bool],
        sinks: Sequence[SinkWorker],
        watch_readers: Callable[[str], ReaderCounter],
        on_change: Callable[[], None],
        timing: Timing,
    ) -> None:
        """wanted: whether anything but a reader needs frames. Without an open camera among the sinks, or if its
        readers cannot be counted, `resting` stays False. on_change: called when `resting` changes.
        """
        self._timing = timing
        self._wanted = wanted
        self._sinks = sinks
        self._watch_readers = watch_readers
        self._on_change = on_change
        self._watched_device: str | None = None
        self._counter: ReaderCounter | None = None
        self._last_demand_s = time.monotonic()
        self._resting = False
        self.readers: int | None = None
        """The number of programs that read the cameras among the sinks; None if unknown."""

    @property
    def resting(self) -> bool:
        """Whether nobody needs frames."""
        return self._resting

    def run(self, stop: threading.Event) -> None:
        """Count until `stop` is set."""
        try:
            while not stop.wait(self._timing.demand_poll_s):
                self._check()
        finally:
            self._watch(None)

    def _check(self) -> None:
        self._watch(next((sink.device for sink in self._sinks if sink.device is not None), None))
        self.readers = self._count()
        now_s = time.monotonic()
        if self._wanted() or self.readers != 0:
            self._last_demand_s = now_s
        resting = now_s - self._last_demand_s > self._timing.demand_linger_s
        if resting != self._resting:
            self._resting = resting
            self._on_change()

    def _count(self) -> int | None:
        """Return the number of readers of all cameras; None without a camera, or if one cannot tell."""
        counts = [count for sink in self._sinks if (count := sink.readers) is not None]
        if self._counter is None:
            return sum(counts) if counts else None
        reading = self._counter.readers()
        return None if reading is None else len(reading) + sum(counts)

    def _watch(self, device: str | None) -> None:
        if device == self._watched_device:
            return
        self._watched_device = device
        if self._counter is not None:
            self._counter.close()
        self._counter = None if device is None else self._watch_readers(device)
