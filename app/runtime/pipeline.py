"""The pipeline: every part on its own thread, connected by slots that hold the newest value.

    capture ──frames──► inference ──pictures──► output clock ──► gate ──► a thread per sink
                                                     │                    (virtual camera, recordings)
                                                     └──► preview

`change` updates the `Settings`; `status` returns a `PipelineStatus`. Both are immutable.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import cv2

from app.core.ending import all_done
from app.core.errors import Stage, Text, t
from app.core.geometry import WHOLE_VIEW
from app.core.types import Frame, Outgoing, Picture
from app.core.worker import LatestSlot, Preparer, Worker
from app.output.base import SinkContext
from app.output.sound import Microphone
from app.privacy.gate import Gate
from app.runtime.backdrops import Backdrops, StandbyPictures
from app.runtime.capture_worker import CaptureWorker, DemandWatch
from app.runtime.context import PipelineContext, PipelineParts, Timing, default_parts
from app.runtime.engines import EngineSelector
from app.runtime.lock_pause import LockPause
from app.runtime.matting_worker import MattingWorker
from app.runtime.outputs import OutputClock, SinkWorker
from app.runtime.status import OF_THE_RUN, Phase, PipelineStatus, Preparing, StatusBoard
from app.settings import Settings, SettingsOwner

STILL_WAIT_S = 2.0
"""Longest wait of a snapshot for a picture that was made under the settings of now."""


class Watchdog:
    """Checks the threads on its own thread. A dead thread is not restarted: its state is unknown."""

    def __init__(self, context: PipelineContext, gate: Gate, clock: OutputClock, *threads: Worker) -> None:
        """threads: those to watch beside that of the clock."""
        self._board, self._timing = context.board, context.timing
        self._gate = gate
        self._clock = clock
        self._watched = clock.thread, *threads
        self._late: dict[str, Text | None] = {}
        """The call that did not return at the last check, by the name of its thread."""
        self.thread = Worker("watchdog", self.run)

    def watch(self, thread: Worker) -> None:
        """Watch this thread as well."""
        self._watched += (thread,)

    def run(self, stop: threading.Event) -> None:
        """Check until `stop` is set."""
        while not stop.wait(self._timing.watchdog_s):
            for thread in self._watched:
                if thread.died:
                    if thread.frame_path:
                        self._gate.block()
                    report_failure(self._board, thread)
                problem, before = thread.overdue_call(), self._late.get(thread.name)
                self._late[thread.name] = problem
                # Once is not enough: a process that was stopped finds its calls late at first.
                if problem is not None and problem == before:
                    self._board.report(
                        thread.stage, problem, (self, thread.name), is_late=True, remedy=thread.late_remedy
                    )
                elif problem is None and before is not None:
                    self._board.report(thread.stage, None, (self, thread.name))
            if self._clock.thread.died or self._late[self._clock.thread.name] is not None:
                self._clock.send_card()


def report_failure(board: StatusBoard, thread: Worker) -> None:
    """Report that a thread has failed, or ended without an error."""
    board.report(
        thread.stage,
        t("The {thread} thread failed; start the program again. The log has the details.", thread=thread.name),
        thread.name,
    )


Update = Callable[[Settings], Settings]
"""From the settings in force to new ones."""


class Pipeline:
    """Source → matting → outputs. All of it is for any thread."""

    def __init__(self, settings: Settings, *, parts: PipelineParts | None = None, timing: Timing | None = None) -> None:
        self.owner = SettingsOwner(settings)
        """Of the settings in force."""
        self._parts = parts or default_parts()
        self._preparation = self._parts.preparation
        context = PipelineContext(self.owner, self._parts, timing or Timing())
        self._board = context.board
        self._final: PipelineStatus | None = None
        self.preview: LatestSlot[Picture] = LatestSlot()
        self._frames: LatestSlot[Frame | Phase] = LatestSlot()
        self._pictures: LatestSlot[Picture | Phase] = LatestSlot()
        self._cards = StandbyPictures(
            self._board, default_text=lambda: self._parts.standby_text(self._phase(), self._preparing)
        )
        self._gate = Gate(self.owner, self._cards.card)
        self._engines = EngineSelector(context)
        self._backdrops = Backdrops(context)
        self._sink_context = SinkContext(
            lambda: self.settings, self._open_microphone, self._source_devices, context.between_steps.wait
        )
        self._sinks = [SinkWorker(spec, self._sink_context, self._gate, context) for spec in self._parts.sinks]
        self.demand = DemandWatch(context, self._sinks)
        self._capture = CaptureWorker(context, self._frames, self.demand, self._engines)
        self._matting = MattingWorker(
            context,
            self._frames,
            self._engines,
            self._backdrops,
            self.demand,
            self._pictures.put,
        )
        self._clock = OutputClock(context, self._pictures, self._gate, self._sinks, self.preview)
        self._preparers: tuple[Preparer[Any, Any], ...] = (
            self._engines.preparer,
            self._backdrops.preparer,
            self._cards.preparer,
        )
        live: list[CaptureWorker | MattingWorker | DemandWatch] = [self._capture, self._matting, self.demand]
        self._threads = [*(part.thread for part in live), *(sink.thread for sink in self._sinks)]
        self._lock_pause = LockPause(self.owner, self._board, self._parts.open_lock)
        self._threads.append(self._lock_pause.thread)
        self._watchdog = Watchdog(context, self._gate, self._clock, *self._threads, *self._preparers)
        self.owner.listen(self._capture.wake)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.owner.current

    @property
    def newest_frame(self) -> Frame | None:
        """The newest frame of the source; None while the user has paused."""
        return None if self.settings.paused else self._matting.newest

    def start(self) -> None:
        """Start every thread; return at once."""
        # OpenCV's own threads spin while they wait, and inherit the priority of whichever thread used them first.
        cv2.setNumThreads(1)
        if self._preparation is not None:
            self._preparation.begin(self._engines.choose_again)  # after a measurement the settings mean another engine
        for preparer in self._preparers:
            preparer.start()
        for thread in [*reversed(self._threads), self._clock.thread, self._watchdog.thread]:
            thread.start()

    def change(self, update: Update) -> Settings:
        """Replace the settings atomically by `update` of those in force; return the new ones.

        They are in force at once: a picture that they forbid no longer leaves. What cannot be switched keeps running,
        and the status tells why. `update` must be short; an error that it raises changes nothing.
        """
        return self.owner.change(update)

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the output thread whenever `preview` holds a new picture."""
        self._clock.on_preview = callback

    def limit_frames(self, frames: int) -> None:
        """Send no more new frames than these."""
        self._board.frames_out.limit = frames

    def watch(self, thread: Worker) -> None:
        """Watch a thread of the caller as well."""
        self._watchdog.watch(thread)

    def report(self, stage: Stage, problem: Exception | str | None, part: object = None) -> None:
        """Report a problem of a part of the caller under `stage`; None where it works again."""
        self._board.report(stage, problem, part)

    def release(self, picture: Picture) -> Outgoing:
        """Return `picture` if it may leave now, otherwise the stand-by card: for files that are written of a picture.

        Call it at the moment of the write.
        """
        return self._gate.release(picture)

    def still(self) -> Outgoing:
        """Return what leaves now, for a snapshot; wait a moment for one that hides what the settings hide.

        Call it at the moment of the write. Raises SinkError where there is none.
        """
        return self._clock.still(STILL_WAIT_S)

    def retry(self) -> None:
        """Retry now what failed."""
        self._capture.retry()
        self.forget_failed_outputs()
        self.read_files_again()

    def forget_failed_outputs(self) -> None:
        """Report no longer why outputs failed that the settings do not ask for any more: the user knows."""
        for sink in self._sinks:
            sink.forget_failure()

    def read_files_again(self) -> None:
        """Read the files of background, plate and card again, if they failed or were changed.

        It looks at these files: not for a thread that must not wait for a disk.
        """
        self._engines.retry()
        self._backdrops.retry()
        self._cards.retry()
        self.owner.renew()

    @property
    def outputs_decided(self) -> bool:
        """Whether each output that the settings ask for is open or has failed to open."""
        return all(sink.decided for sink in self._sinks)

    @property
    def pictures_decided(self) -> bool:
        """Whether the card and the background that the settings ask for are there or have failed."""
        return not (self._cards.preparer.busy or self._backdrops.pending)

    @property
    def revision_in_use(self) -> int:
        """The revision of the settings that is in use, as in the status, of which it is a cheap part."""
        return self._board.sent

    @property
    def phase(self) -> Phase:
        """What the pipeline is doing, as in the status, of which it is a cheap part."""
        return self._phase() if self._final is None else self._final.phase

    def status(self) -> PipelineStatus:
        """Return the status; after `stop` that of the run that ended."""
        if self._final is not None:
            return self._final
        if self._watchdog.thread.died:
            report_failure(self._board, self._watchdog.thread)
        engines, stream, recordings = self._engines, self._matting.stream, self._sink_context.recordings
        outputs = {
            sink.spec.name: sink.open_name for sink in self._sinks
        }  # before the board, which has why one is closed
        board = self._board.read()  # before the phase: with a missing camera it is `NO_CAMERA`
        phase, unmatted = self._phase(), self._clock.unmatted
        if phase is not Phase.NO_CAMERA and any(each.stage is Stage.CAPTURE for each in board.problems):
            board = self._board.read()  # the camera may have come meanwhile
        shows_matte = phase is Phase.RUNNING and not unmatted
        preparing = Preparing.BACKGROUND if self._backdrops.preparer.busy else None
        first_preparation = None
        if engines.preparer.busy:
            preparing = Preparing.MODEL
            first_preparation = self._preparing
        return replace(
            board,
            phase=phase,
            size=self._board.size or (0, 0),
            source=self._capture.info,
            engine=engines.info,
            weights=engines.weights,
            lowered=engines.lowered,
            background=self.settings.background.text,
            unmatted=unmatted,
            view=stream.view if shows_matte else WHOLE_VIEW,
            hides_person=shows_matte and stream.hides_everybody,
            outputs=outputs,
            readers=self.demand.readers,
            preparing=preparing,
            first_preparation=first_preparation,
            frames_dropped=self._frames.dropped,
            encoded_frames=sum(each.encoded for each in recordings),
            recording_dropped=sum(each.dropped for each in recordings),
            recorded=tuple(each.file for each in recordings if each.file),
        )

    def _phase(self) -> Phase:
        if self._gate.blocked:
            return Phase.WAITING
        phase = self._clock.phase
        return Phase.NO_CAMERA if self._capture.no_camera and phase is not Phase.PAUSED else phase

    @property
    def _preparing(self) -> Text | None:
        """What is being prepared once for this machine."""
        return None if self._preparation is None else self._preparation.progress

    def stop(self, timeout_s: float = 15.0) -> bool:
        """End every thread, close every device, finish every recording; return False if a thread did not end."""
        running = self.status()
        deadline_s = time.monotonic() + timeout_s

        def join(thread: Worker) -> bool:
            return thread.join(deadline_s - time.monotonic())

        def stop(preparer: Preparer[Any, Any]) -> bool:
            return preparer.stop(deadline_s - time.monotonic())

        lock = self._lock_pause
        frame_path = [self._capture.thread, self._matting.thread, self._clock.thread, self.demand.thread]
        # Without that of the cards, which are drawn to the end.
        builders: list[Preparer[Any, Any]] = [self._engines.preparer, self._backdrops.preparer]
        ended = all_done(
            partial(self._watchdog.thread.stop, timeout_s),
            *(thread.request_stop for thread in frame_path),
            self._capture.wake,
            lock.thread.request_stop,
            lock.wake,
            self._frames.close,
            self._pictures.close,
            *(builder.request_stop for builder in builders),
            self._cancel_preparation,
            partial(join, self._clock.thread),
            *(sink.finish for sink in self._sinks),
            *(partial(sink.join, deadline_s) for sink in self._sinks),
            *(partial(join, thread) for thread in reversed(self._threads)),
            *(partial(stop, preparer) for preparer in self._preparers),
            self.preview.close,
        )
        ran_with = {name: getattr(running, name) for name in OF_THE_RUN}
        self._final = replace(self.status(), phase=Phase.STOPPED, **ran_with)
        return ended

    def _cancel_preparation(self) -> None:
        if self._preparation is not None:
            self._preparation.cancel()  # an engine that waits for it fails at once

    def _open_microphone(self) -> Microphone:
        """Open the microphone of the settings; it is released while the user pauses."""

        def wanted() -> str | None:
            settings = self.settings
            return None if settings.paused or settings.output.microphone == "off" else settings.output.microphone

        return Microphone(self._parts.open_microphone, wanted, partial(self._board.report, Stage.MICROPHONE))

    def _source_devices(self) -> set[str]:
        """Return the device files of the camera that the settings name, and of the one in use."""
        info = self._capture.info
        named = {self.settings.capture.source} | (set() if info is None else {f"camera:{info.id}"})
        return {self._parts.source_device(source) for source in named}
