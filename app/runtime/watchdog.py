"""Detects threads that have died and an output clock that stalls, reports them, and shows the stand-by card."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.core.concurrency.clock import elapsed_s
from app.core.messages.system import ProgramText
from app.core.stage import Stage
from app.privacy.gate import Gate
from app.runtime.board import StatusBoard
from app.runtime.shared import Shared
from app.runtime.worker import Worker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """A thread to watch."""

    name: str
    stage: Stage
    """Where a failure is reported."""
    died: Callable[[], bool]
    error: Callable[[], BaseException | None] = lambda: None
    frame_path: bool = False
    """Whether frames pass through it, so that nothing but the stand-by card may leave without it."""
    hangs: Callable[[float], str | None] = lambda limit_s: None
    """As `DriverCall.hangs`."""

    @staticmethod
    def of(
        worker: Worker,
        stage: Stage,
        *,
        frame_path: bool = False,
        hangs: Callable[[float], str | None] = lambda limit_s: None,
    ) -> Watched:
        """Watch a `Worker`."""
        return Watched(worker.name, stage, lambda: worker.died, lambda: worker.error, frame_path, hangs)


class Clock(Protocol):
    """What the output thread runs."""

    last_tick_s: float
    """`elapsed_s` of its last tick."""

    def send_card(self) -> None:
        """Send the stand-by card to every output in place of the thread."""
        ...


class Watchdog:
    """Checks the threads on its own thread. A dead thread is not restarted: its state is unknown."""

    def __init__(self, shared: Shared, gate: Gate, clock: Clock, clock_thread: Watched) -> None:
        self._board, self._timing = shared.board, shared.timing
        self._gate = gate
        self._clock = clock
        self._clock_thread = clock_thread
        self._watched: tuple[Watched, ...] = (clock_thread,)
        self._stalled = False
        self._late: dict[str, str | None] = {}
        """The device that hung at the last check, by the name of its thread."""

    def watch(self, *threads: Watched) -> None:
        """Watch these threads as well (any thread)."""
        self._watched += threads

    def run(self, stop: threading.Event) -> None:
        """Check until `stop` is set."""
        while not stop.wait(self._timing.watchdog_s):
            for thread in self._watched:
                if thread.died():
                    self._report(thread)
                self._check_call(thread)
            self._check_clock()

    def _report(self, thread: Watched) -> None:
        report_failure(self._board, thread.stage, thread.name, thread.error())
        if thread.frame_path:
            self._gate.block()

    def _check_call(self, thread: Watched) -> None:
        device, name = thread.hangs(self._timing.hang_s), thread.name
        before, self._late[name] = self._late.get(name), device
        # Once is not enough, as for the clock: a process that was stopped finds its calls late at first.
        if device is not None and device == before:
            message = ProgramText.SOURCE_HANGS if thread.stage is Stage.CAPTURE else ProgramText.OUTPUT_HANGS
            self._board.report(thread.stage, message(device=device), (self, name))
        elif device is None:
            self._board.clear(thread.stage, (self, name))

    def _check_clock(self) -> None:
        thread, stalled = self._clock_thread, elapsed_s() - self._clock.last_tick_s > self._timing.stale_s
        if thread.died() or stalled:
            self._clock.send_card()
        # A process that was stopped finds the clock late at first: the clock is stopped as well.
        if stalled and self._stalled and not thread.died():
            self._board.report(Stage.OUTPUT, ProgramText.THREAD_STALLED(thread=thread.name), self)
        elif not stalled:
            self._board.clear(Stage.OUTPUT, self)
        self._stalled = stalled


def report_failure(board: StatusBoard, stage: Stage, name: str, error: BaseException | None) -> None:
    """Report that the thread `name` has failed with `error`, or ended without one."""
    log.warning("The %s thread failed.", name, exc_info=error)
    board.report(stage, ProgramText.THREAD_FAILED(thread=name), name)
