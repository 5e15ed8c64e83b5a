"""One output on its own thread: opens, feeds and closes its sink, so that no sink can block another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.core.stage import Stage
from app.core.types import Picture, PictureKind
from app.output.base import FrameSink
from app.privacy.gate import Gate
from app.runtime.board import OwnProblem, StatusBoard
from app.runtime.driver_call import DriverCall
from app.runtime.slot import LatestSlot, SlotClosed

K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=FrameSink)


@dataclass(frozen=True, slots=True)
class SinkPlan(Generic[K, S]):
    """When and how one kind of sink is opened."""

    stage: Stage
    wanted: Callable[[], K | None]
    """The sink that the settings ask for now; None for no such sink."""
    open: Callable[[K, Picture], S]
    retry_s: float | None
    """Wait before a sink that failed is opened again; None: not until the settings change (a recording would
    overwrite what is already on disk)."""
    optional: Callable[[K], bool]
    """Whether a failure to open it is no problem to report."""
    opened: Callable[[S | None], None]
    """Called with the sink when it was opened, with None after it was closed."""
    from_first_matte: bool = False
    """Whether the stand-by cards of the program's start are left out."""
    measured: Callable[[], bool] = lambda: True
    """Whether the time of a send counts as latency; False while the sink discards pictures."""


@dataclass(frozen=True, slots=True)
class _Handed:
    """A picture on its way to the sink."""

    picture: Picture
    fresh: bool
    """It does not repeat the last one."""
    after_matte: bool
    """It is the first matte of the program or comes later, or the sink takes cards before it as well."""


class SinkWorker(Generic[K, S]):
    """Follows the settings; if a switch fails, the sink in use stays open."""

    def __init__(self, plan: SinkPlan[K, S], gate: Gate, board: StatusBoard) -> None:
        self._plan = plan
        self._gate = gate
        self._board = board
        self._pictures: LatestSlot[_Handed] = LatestSlot()
        self._after_matte = not plan.from_first_matte
        """Becomes True once; see `_Handed`."""
        self._sink: S | None = None
        self._tried: K | None = None
        self._retry_at_s: float | None = None
        self._problem = OwnProblem(board, plan.stage)
        self.sending = DriverCall()

    @property
    def stage(self) -> Stage:
        """Where failures are reported."""
        return self._plan.stage

    def send(self, picture: Picture, *, fresh: bool) -> None:
        """Hand over a picture (any thread); `fresh` unless it repeats the last one."""
        if picture.kind is not PictureKind.STANDBY:
            self._after_matte = True
        if self._sink is None and self._tried is None and self._plan.wanted() is None:
            return  # do not wake a thread that has nothing to do
        self._pictures.put(_Handed(picture, fresh, self._after_matte))

    def finish(self) -> None:
        """Accept no further pictures: what was handed over is still sent, then the sink is closed."""
        self._pictures.close()

    def run(self, stop: threading.Event) -> None:
        """Send pictures until `finish`."""
        try:
            while True:
                try:
                    item = self._pictures.get()
                except SlotClosed:
                    return
                if item is not None:
                    if self._follow(item.picture):
                        item = self._newer_than(item)
                    self._send(item)
        finally:
            self._close()

    @property
    def active(self) -> bool:
        """Whether a sink is open."""
        return self._sink is not None

    def _follow(self, picture: Picture) -> bool:
        """Open or close the sink as the settings ask; return whether a sink was opened, which may take seconds."""
        wanted = self._plan.wanted()
        due = self._retry_at_s is not None and time.monotonic() >= self._retry_at_s
        if wanted == self._tried and not due:
            return False
        self._tried = wanted
        self._retry_at_s = None
        if wanted is None:
            self._problem.clear()
            self._close()
            return False
        try:
            sink = self._plan.open(wanted, picture)
        except Exception as error:  # noqa: BLE001 - carried to the status
            if self._plan.optional(wanted):
                self._problem.clear()  # that of the device that was wanted before
            else:
                self._problem.report(error)
            self._plan_retry()
            return True
        self._problem.clear()
        self._close()
        self._sink = sink
        self._plan.opened(sink)
        return True

    def _newer_than(self, item: _Handed) -> _Handed:
        """Return the picture that arrived while the sink was opened, or `item`."""
        try:
            return self._pictures.get(0) or item
        except SlotClosed:
            return item

    def _send(self, item: _Handed) -> None:
        if self._sink is None or not item.after_matte:
            return
        outgoing = self._gate.release(item.picture)  # now: opening the sink may have taken seconds
        started_s = time.perf_counter()
        try:
            with self.sending.by(self._sink.name):
                self._sink.send(outgoing)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._problem.report(error)
            self._close()
            self._plan_retry()
            return
        if not self._plan.measured():
            return
        now_s = time.perf_counter()
        self._board.output_ms.add(now_s - started_s)
        if item.fresh and outgoing.frame is not None:
            self._board.end_to_end_ms.add(now_s - outgoing.frame.captured_at_s)

    def _plan_retry(self) -> None:
        if self._plan.retry_s is not None:
            self._retry_at_s = time.monotonic() + self._plan.retry_s

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is None:
            return
        try:
            sink.close()
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._problem.report(error)
        finally:
            self._plan.opened(None)  # only now is a recording finished
