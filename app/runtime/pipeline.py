"""The pipeline: every part on its own thread, connected by slots that hold the newest value.

    capture ──frames──► inference ──pictures──► output clock ──► gate ──► a thread per sink
                                                     │                    (virtual camera, recordings)
                                                     └──► preview

`change` updates the `Settings`; `status` returns a `PipelineStatus`. Both are immutable.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import cv2

from app.core.errors import Stage, Text, all_done, t
from app.core.types import WHOLE_VIEW, Frame, Outgoing, Picture
from app.core.worker import Builder, LatestSlot, Worker
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
from app.runtime.status import OF_THE_RUN, Building, Phase, PipelineStatus, StatusBoard
from app.settings import Settings, SettingsOwner

_log = logging.getLogger(__name__)

# Longest wait of a snapshot for a picture that was made under the settings of now.
STILL_WAIT_S = 2.0
# Each thread has this long to end, also where one before it took all of the time: a recording may
# take longer to reach a busy disk.
LEAST_END_S = 2.0


class Watchdog:
    """Checks the threads on its own thread.

    A dead thread is not restarted: its state is unknown.
    """

    def __init__(
        self,
        context: PipelineContext,
        gate: Gate,
        clock: OutputClock,
        *threads: Worker,
    ) -> None:
        """threads: those to watch beside that of the clock."""
        self._board = context.board
        self._timing = context.timing
        self._gate = gate
        self._clock = clock
        self._threads = [clock.thread, *threads]
        # The call that did not return at the last check, by the name of its thread.
        self._overdue_calls: dict[str, Text | None] = {}
        self.thread = Worker("watchdog", self.run)

    def watch(self, thread: Worker) -> None:
        """Watch this thread as well."""
        # Another list, as `run` may be in the middle of this one.
        self._threads = [*self._threads, thread]

    def run(self, stop: threading.Event) -> None:
        """Check until `stop` is set."""
        while not stop.wait(self._timing.watchdog_s):
            for thread in self._threads:
                if thread.died:
                    # Nobody can tell any more what such a thread would have hidden.
                    if thread.frame_path:
                        self._gate.block()
                    report_failure(self._board, thread)
                self._check_call(thread)
            clock = self._clock.thread
            # Nothing else is sent now, and readers would keep the last picture.
            if clock.died or self._overdue_calls[clock.name] is not None:
                self._clock.send_card()

    def _check_call(self, thread: Worker) -> None:
        """Report a call that does not return, or report that it has returned after all."""
        problem = thread.overdue_call()
        before = self._overdue_calls.get(thread.name)
        self._overdue_calls[thread.name] = problem
        part = (self, thread.name)
        # Once is not enough: a process that was stopped finds its calls late at first.
        if problem is not None and problem == before:
            remedy = thread.late_remedy
            self._board.report(thread.stage, problem, part, is_late=True, remedy=remedy)
        elif problem is None and before is not None:
            self._board.report(thread.stage, None, part)


def report_failure(board: StatusBoard, thread: Worker) -> None:
    """Report that a thread has failed, or ended without an error."""
    board.report(
        thread.stage,
        t(
            "The {thread} thread failed; start the program again. The log has the details.",
            thread=thread.name,
        ),
        thread.name,
    )


# From the settings in force to new ones.
Update = Callable[[Settings], Settings]


class Pipeline:
    """Source → matting → outputs. All of it is for any thread."""

    def __init__(
        self,
        settings: Settings,
        *,
        parts: PipelineParts | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.owner = SettingsOwner(settings)
        self._parts = parts or default_parts()
        self._preparation = self._parts.preparation
        context = PipelineContext(self.owner, self._parts, timing or Timing())
        self._board = context.board
        # None until the run has ended.
        self._final_status: PipelineStatus | None = None
        self.preview: LatestSlot[Picture] = LatestSlot()
        self._frames: LatestSlot[Frame | Phase] = LatestSlot()
        self._pictures: LatestSlot[Picture | Phase] = LatestSlot()
        self._cards = StandbyPictures(self._board, default_text=self._card_text)
        self._gate = Gate(self.owner, self._cards.card)
        self._engines = EngineSelector(context)
        self._backdrops = Backdrops(context)
        self._sink_context = SinkContext(
            lambda: self.settings,
            self._open_microphone,
            self._source_devices,
            context.between_steps.wait,
        )
        self._sinks = []
        for spec in self._parts.sinks:
            self._sinks.append(SinkWorker(spec, self._sink_context, self._gate, context))
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
        self._builders: list[Builder[Any, Any]] = [
            self._engines.builder,
            self._backdrops.builder,
        ]
        self._all_builders = [*self._builders, self._cards.builder]
        self._lock_pause = LockPause(self.owner, self._board, self._parts.open_lock)
        self._threads = [
            self._capture.thread,
            self._matting.thread,
            self.demand.thread,
            *(sink.thread for sink in self._sinks),
            self._lock_pause.thread,
        ]
        self._watchdog = Watchdog(
            context,
            self._gate,
            self._clock,
            *self._threads,
            *self._all_builders,
        )
        self.owner.listen(self._capture.wake)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.owner.current

    @property
    def newest_frame(self) -> Frame | None:
        """The newest frame of the source; None while the user has paused."""
        if self.settings.paused:
            return None
        return self._matting.newest

    def start(self) -> None:
        """Start every thread; return at once."""
        # OpenCV's own threads spin while they wait, and inherit
        # the priority of whichever thread used them first.
        cv2.setNumThreads(1)
        if self._preparation is not None:
            # After a measurement the same settings may mean another engine.
            self._preparation.begin(self._engines.choose_again)
        for builder in self._all_builders:
            builder.start()
        # From the outputs back to the source, so that what receives runs before what sends.
        for thread in reversed(self._threads):
            thread.start()
        self._clock.thread.start()
        self._watchdog.thread.start()

    def change(self, update: Update) -> Settings:
        """Replace the settings atomically by `update` of those in force; return the new ones.

        They are in force at once: a picture that they forbid no longer leaves. What cannot be
        switched keeps running, and the status tells why. `update` must be short; an error that it
        raises changes nothing.
        """
        return self.owner.change(update)

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the output thread whenever `preview` holds a new picture."""
        self._clock.preview.on_picture = callback

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
        """Return `picture` if it may leave now, otherwise the stand-by card.

        For files that are written of a picture.

        Call it at the moment of the write.
        """
        return self._gate.release(picture)

    def still(self) -> Outgoing:
        """Return what leaves now, for a snapshot.

        Wait a moment for one that hides what the settings hide.

        Call it at the moment of the write. Raises SinkError where there is none.
        """
        return self._clock.still(STILL_WAIT_S)

    def retry(self) -> None:
        """Retry now what failed."""
        self._capture.retry()
        self.forget_failed_outputs()
        self.read_files_again()

    def forget_failed_outputs(self) -> None:
        """Report no longer why outputs failed that the settings do not ask for any more.

        The user knows.
        """
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
        """Whether the card and the background that the settings ask for are there or have
        failed.
        """
        return not (self._cards.builder.busy or self._backdrops.pending)

    @property
    def revision_in_use(self) -> int:
        """The revision of the settings that is in use, as in the status, of which it is a cheap
        part.
        """
        return self._board.sent

    @property
    def phase(self) -> Phase:
        """What the pipeline is doing, as in the status, of which it is a cheap part."""
        if self._final_status is not None:
            return self._final_status.phase
        return self._phase()

    def status(self) -> PipelineStatus:
        """Return the status; after `stop` that of the run that ended."""
        if self._final_status is not None:
            return self._final_status
        if self._watchdog.thread.died:
            report_failure(self._board, self._watchdog.thread)  # nobody watches the watchdog
        engines = self._engines
        stream = self._matting.stream
        recordings = self._sink_context.recordings
        # The order counts, as every thread goes on meanwhile. The
        # outputs come before the board, which has why one is closed;
        # the board before the phase, which a missing camera belongs to.
        outputs = {sink.spec.name: sink.open_name for sink in self._sinks}
        board = self._board.read()
        phase = self._phase()
        unmatted = self._clock.unmatted
        has_source_problem = any(problem.stage is Stage.CAPTURE for problem in board.problems)
        if has_source_problem and phase is not Phase.NO_CAMERA:
            board = self._board.read()  # the camera may have come meanwhile
        shows_matte = phase is Phase.RUNNING and not unmatted
        building = None
        first_preparation = None
        if self._backdrops.builder.busy:
            building = Building.BACKGROUND
        if engines.builder.busy:
            building = Building.MODEL
            first_preparation = self._first_preparation
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
            building=building,
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
        if self._capture.no_camera and phase is not Phase.PAUSED:
            return Phase.NO_CAMERA
        return phase

    @property
    def _first_preparation(self) -> Text | None:
        """What is being prepared once for this machine."""
        if self._preparation is None:
            return None
        return self._preparation.progress

    def _card_text(self) -> str:
        return self._parts.standby_text(self._phase(), self._first_preparation)

    def stop(self, timeout_s: float = 15.0) -> bool:
        """End every thread, close every device, finish every recording.

        Return False if a thread did not end; the log has which, and in which call it is.
        """
        # Read first: engine, source and outputs are closed when the threads have ended.
        running = self.status()
        deadline_s = time.monotonic() + timeout_s

        def time_left_s() -> float:
            return max(deadline_s - time.monotonic(), LEAST_END_S)

        def join(thread: Worker) -> bool:
            ended = thread.join(time_left_s())
            if not ended:
                _log.warning(
                    "The %s thread did not end in time; it is here:\n%s", thread.name, thread.calls
                )
            return ended

        def stop(builder: Builder[Any, Any]) -> bool:
            builder.request_stop()
            return join(builder)

        lock = self._lock_pause
        # The watchdog first, as it would take what ends for dead. The sinks finish after the clock,
        # which hands them their last picture. Cards are drawn to the end: sinks may still need one.
        ended = all_done(
            partial(self._watchdog.thread.stop, timeout_s),
            self._capture.thread.request_stop,
            self._matting.thread.request_stop,
            self._clock.thread.request_stop,
            self.demand.thread.request_stop,
            self._capture.wake,
            lock.thread.request_stop,
            lock.wake,
            self._frames.close,
            self._pictures.close,
            *(builder.request_stop for builder in self._builders),
            self._cancel_preparation,
            partial(join, self._clock.thread),
            *(sink.finish for sink in self._sinks),
            *(partial(sink.join, deadline_s) for sink in self._sinks),
            *(partial(join, thread) for thread in reversed(self._threads)),
            *(partial(stop, builder) for builder in self._all_builders),
            self.preview.close,
        )
        ran_with = {name: getattr(running, name) for name in OF_THE_RUN}
        self._final_status = replace(self.status(), phase=Phase.STOPPED, **ran_with)
        return ended

    def _cancel_preparation(self) -> None:
        if self._preparation is not None:
            self._preparation.cancel()  # an engine that waits for it fails at once

    def _open_microphone(self) -> Microphone:
        """Open the microphone of the settings; it is released while the user pauses."""

        def wanted() -> str | None:
            settings = self.settings
            if settings.paused or settings.output.microphone == "off":
                return None
            return settings.output.microphone

        return Microphone(
            self._parts.open_microphone,
            wanted,
            partial(self._board.report, Stage.MICROPHONE),
        )

    def _source_devices(self) -> set[str]:
        """Return the device files of the camera that the settings name, and of the one in use."""
        sources = {self.settings.capture.source}
        info = self._capture.info
        if info is not None:
            sources.add(f"camera:{info.id}")
        return {self._parts.source_device(source) for source in sources}
