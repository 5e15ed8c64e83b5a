"""Detects threads that have died, calls that do not return and a clock that stalls; reports them, shows the card."""

from __future__ import annotations

import threading

from app.core.errors import Stage, t
from app.core.threads import elapsed_s
from app.privacy.gate import Gate
from app.runtime.board import StatusBoard
from app.runtime.outputs.output_clock import OutputClock
from app.runtime.shared import Shared
from app.runtime.worker import Worker


class Watchdog:
    """Checks the threads on its own thread. A dead thread is not restarted: its state is unknown."""

    def __init__(self, shared: Shared, gate: Gate, clock: OutputClock, *threads: Worker) -> None:
        """threads: those to watch beside that of the clock."""
        self._board, self._timing = shared.board, shared.timing
        self._gate = gate
        self._clock = clock
        self._watched = clock.thread, *threads
        self._stalled = False
        self._late: dict[str, str | None] = {}
        """The call that did not return at the last check, by the name of its thread."""
        self.thread = Worker("watchdog", self.run)

    def watch(self, thread: Worker) -> None:
        """Watch this thread as well (any thread)."""
        self._watched += (thread,)

    def run(self, stop: threading.Event) -> None:
        """Check until `stop` is set."""
        while not stop.wait(self._timing.watchdog_s):
            for thread in self._watched:
                if thread.died:
                    if thread.frame_path:
                        self._gate.block()
                    report_failure(self._board, thread)
                problem, before = thread.hangs(), self._late.get(thread.name)
                self._late[thread.name] = problem
                # Once is not enough, as for the clock: a process that was stopped finds its calls late at first.
                if problem is not None and problem == before:
                    self._board.report(thread.stage, problem, (self, thread.name))
                elif problem is None and before is not None:
                    self._board.report(thread.stage, None, (self, thread.name))
            self._check_clock()

    def _check_clock(self) -> None:
        thread, stalled = self._clock.thread, elapsed_s() - self._clock.last_tick_s > self._timing.stale_s
        if thread.died or stalled:
            self._clock.send_card()
        # A process that was stopped finds the clock late at first: the clock is stopped as well.
        if stalled and self._stalled and not thread.died:
            self._board.report(
                Stage.OUTPUT,
                t("The {thread} thread does not respond; start the program again.", thread=thread.name),
                self,
            )
        elif self._stalled and not stalled:
            self._board.report(Stage.OUTPUT, None, self)
        self._stalled = stalled


def report_failure(board: StatusBoard, thread: Worker) -> None:
    """Report that a thread has failed, or ended without an error."""
    board.report(
        thread.stage,
        t("The {thread} thread failed; start the program again. The log has the details.", thread=thread.name),
        thread.name,
    )
