"""Whether anyone needs frames: otherwise the camera is released and its light is off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from app.core.errors import Stage
from app.output.base import ReaderCounter
from app.runtime.outputs.sink_worker import SinkWorker
from app.runtime.shared import Shared
from app.runtime.worker import Worker


class DemandWatch:
    """Counts readers on its own thread; `resting` and `readers` may be read on any."""

    def __init__(self, shared: Shared, sinks: Sequence[SinkWorker]) -> None:
        """Without an open camera among the sinks, or if its readers cannot be counted, `resting` stays False."""
        self._shared = shared
        self._sinks = sinks
        self.on_change: Callable[[], None] = lambda: None
        """Called when `resting` or `watched` changes; set before the start."""
        self.thread = Worker("demand", self._run, Stage.VIRTUAL_CAMERA)
        self._watched = False
        self.want_foreground = False
        """Whether preview pictures carry the foreground image, which costs time (set by the caller)."""
        self.takes_plate = False
        """While a plate is captured, the camera stays on and holds its exposure (set by the caller)."""
        self._watched_device: str | None = None
        self._counter: ReaderCounter | None = None
        self._last_demand_s = time.monotonic()
        self.resting = False
        """Whether nobody needs frames."""
        self.readers: int | None = None
        """The number of programs that read the cameras among the sinks; None if unknown."""

    @property
    def watched(self) -> bool:
        """Whether the preview is visible (set by the caller, on any thread)."""
        return self._watched

    @watched.setter
    def watched(self, watched: bool) -> None:
        changed, self._watched = watched != self._watched, watched
        if changed:
            self.on_change()

    def _run(self, stop: threading.Event) -> None:
        """Count until `stop` is set."""
        try:
            while not stop.wait(self._shared.timing.demand_poll_s):
                self._check()
        finally:
            self._watch(None)

    def _wanted(self) -> bool:
        """Return whether anything but a reader of a virtual camera needs frames."""
        if self.watched or self.takes_plate or not self._shared.owner.current.output.on_demand:
            return True
        return bool([sink for sink in self._sinks if sink.wanted is not None and not sink.spec.waits_for_readers])

    def _check(self) -> None:
        self._watch(next((sink.device for sink in self._sinks if sink.device is not None), None))
        self.readers = self._count()
        now_s = time.monotonic()
        if self._wanted() or self.readers != 0:
            self._last_demand_s = now_s
        resting = now_s - self._last_demand_s > self._shared.timing.demand_linger_s
        if resting != self.resting:
            self.resting = resting
            self.on_change()

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
        self._counter = None if device is None else self._shared.parts.watch_readers(device)
