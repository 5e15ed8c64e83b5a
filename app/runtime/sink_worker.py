"""One output on a thread of its own: it opens, feeds and closes its sink, so that none can hold up another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.core.types import Picture
from app.output.base import FrameSink
from app.runtime.board import StatusBoard
from app.runtime.slot import LatestSlot, SlotClosed
from app.runtime.status import Stage

K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=FrameSink)


@dataclass(frozen=True, slots=True)
class SinkPlan(Generic[K, S]):
    """How one kind of sink is kept."""

    stage: Stage
    wanted: Callable[[], K | None]
    """What the settings ask for now; None for no such sink."""
    open: Callable[[K, Picture], S]
    retry_s: float | None
    """A sink that failed is opened again after so long; None: only when the settings change (a recording would
    overwrite what is already on disk)."""
    quiet: Callable[[K], bool]
    """Whether it is no problem that this one cannot be opened."""
    opened: Callable[[S | None], None]
    """Told the open sink, None when there is none."""
    passes: Callable[[Picture], bool] = lambda picture: True
    """Whether a picture is for this sink."""


class SinkWorker(Generic[K, S]):
    """Follows the settings; a switch that fails keeps the sink that worked."""

    def __init__(self, plan: SinkPlan[K, S], board: StatusBoard) -> None:
        self._plan = plan
        self._board = board
        self._pictures: LatestSlot[tuple[Picture, bool]] = LatestSlot()
        self._sink: S | None = None
        self._tried: K | None = None
        self._retry_at_s: float | None = None

    def send(self, picture: Picture, *, fresh: bool) -> None:
        """Hand on a picture (any thread); `fresh` unless it repeats the last one."""
        self._pictures.put((picture, fresh))

    def finish(self) -> None:
        """No further pictures: what was handed over is still sent, then the sink is closed."""
        self._pictures.close()

    def run(self, stop: threading.Event) -> None:
        """The thread's body; ends after `finish`."""
        try:
            while True:
                try:
                    item = self._pictures.get()
                except SlotClosed:
                    return
                if item is not None:
                    picture, fresh = item
                    self._follow(picture)
                    self._send(picture, fresh)
        finally:
            self._close()

    @property
    def active(self) -> bool:
        """A sink is open."""
        return self._sink is not None

    def _follow(self, picture: Picture) -> None:
        wanted = self._plan.wanted()
        due = self._retry_at_s is not None and time.monotonic() >= self._retry_at_s
        if wanted == self._tried and not due:
            return
        self._tried = wanted
        self._retry_at_s = None
        if wanted is None:
            self._close()
            self._board.clear(self._plan.stage)
            return
        try:
            sink = self._plan.open(wanted, picture)
        except Exception as error:  # noqa: BLE001 - carried to the status
            if not self._plan.quiet(wanted):
                self._board.report(self._plan.stage, error)
            self._plan_retry()
            return
        self._close()
        self._sink = sink
        self._plan.opened(sink)
        self._board.clear(self._plan.stage)

    def _send(self, picture: Picture, fresh: bool) -> None:
        if self._sink is None or not self._plan.passes(picture):
            return
        started_s = time.perf_counter()
        try:
            self._sink.send(picture)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._board.report(self._plan.stage, error)
            self._close()
            self._plan_retry()
            return
        now_s = time.perf_counter()
        self._board.output_ms.add(now_s - started_s)
        if fresh and picture.frame is not None:
            self._board.end_to_end_ms.add(now_s - picture.frame.captured_at_s)

    def _plan_retry(self) -> None:
        if self._plan.retry_s is not None:
            self._retry_at_s = time.monotonic() + self._plan.retry_s

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is None:
            return
        self._plan.opened(None)
        try:
            sink.close()
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._board.report(self._plan.stage, error)
