"""The inference thread: takes frames, publishes composites, or requests the stand-by card."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from app.core.framing import cropped
from app.core.matte_edit import WHOLE_VIEW
from app.core.messages.system import ProgramText
from app.core.settings import EdgeSettings, Settings
from app.core.stage import Stage
from app.core.types import AlphaImage, Frame, Matte, Picture, PictureKind, magnified
from app.matting.base.interface import MattingEngine
from app.matting.selection.governor import StepTiming
from app.people.editor import PeopleEditor
from app.runtime.backdrops import Backdrops, OverlayPainter
from app.runtime.demand import DemandWatch
from app.runtime.engines.plan import PassThrough, Run, Skip, StandBy
from app.runtime.engines.selector import EngineSelector
from app.runtime.finishing import Conditions, Finisher, StepJob, StepResult, UnchangedFrames, same_image
from app.runtime.shared import Shared
from app.runtime.status import Phase
from app.runtime.worker import LatestSlot, SlotClosed, Worker

_log = logging.getLogger(__name__)
CROWDED = 0.9
"""Steps overlap where the longer ones take more than this fraction of the camera's frame interval; otherwise the next
frame comes late enough, and steps beside each other would only be longer."""
ALONE = 0.8
"""What a step takes alone, relative to one beside another."""
WEIGHT = 0.1
"""Of the last step in the means."""


class MattingWorker:
    """Mattes each frame over the background in use."""

    def __init__(
        self,
        shared: Shared,
        frames: LatestSlot[Frame | StandBy],
        engines: EngineSelector,
        backdrops: Backdrops,
        overlay: OverlayPainter,
        demand: DemandWatch,
        publish: Callable[[Picture | StandBy], None],
    ) -> None:
        self._shared, self._board, self._timing = shared, shared.board, shared.timing
        self._frames = frames
        self._engines = engines
        self._backdrops = backdrops
        self._overlay = overlay
        self._demand = demand
        self.thread = Worker("matting", self._run, Stage.MATTING, frame_path=True)
        self._finisher = Finisher(publish, self._board, self._timing.plausibility_hold_s)
        self._unchanged = UnchangedFrames()
        self._people = PeopleEditor()
        self._work_s = self._spread_s = 0.0
        """Mean time of the last steps, as if none had overlapped, and mean distance of their times from it."""
        self._tests = 0
        """Number of self-tests of the engine in use, which reset it."""
        self._last_alpha: AlphaImage | None = None
        """Of the last matte, if it was shown."""
        self._shown_under: tuple[object, ...] | None = None
        """As `Settings.hides`, of the last picture that was published, over the background that it shows."""
        self.view = WHOLE_VIEW
        """As in `PipelineStatus`, as is what follows (any thread)."""
        self.keeps_room = self.awaits_movement = False
        self.selection_uncertain = False
        """Nobody is shown, because it is not certain who the selected person is."""
        self.newest: Frame | None = None
        """The newest frame of the source, also if it is not matted; None while there is no source."""

    def _run(self, stop: threading.Event) -> None:
        """Process frames until `stop` is set or the slot is closed."""
        try:
            while not stop.is_set():
                try:
                    captured = self._frames.get(self._timing.poll_s)
                except SlotClosed:
                    return
                settings = self._shared.owner.current
                self._backdrops.follow(settings.background)
                if captured is not None:
                    self.newest = captured if isinstance(captured, Frame) else None
                if captured is None or self._finisher.is_done:
                    self._drain()
                if captured is None:
                    self._engines.poll()
                    if self._has_outdated_freeze(settings):
                        self._stand_by(Phase.WAITING)
                elif isinstance(captured, StandBy):
                    self._stand_by(captured.reason)
                else:
                    self._process(captured, settings)
        finally:
            self._drain()
            self._finisher.close()
            self._engines.close_engine()
            self._backdrops.close()

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) of the newest frame; None before the first one (any thread)."""
        return self._finisher.size

    def _process(self, frame: Frame, settings: Settings) -> None:
        self._finisher.size = frame.size
        self._overlay.follow(settings, *frame.size)
        awaits_background = self._backdrops.awaited(time.perf_counter(), self._timing.background_wait_s)
        decision = self._engines.decide(frame, settings)
        if isinstance(decision, Run) and awaits_background:
            decision = StandBy(Phase.STARTING)
        if isinstance(decision, Skip) and self._has_outdated_freeze(settings):
            decision = StandBy(Phase.WAITING)
        if isinstance(decision, StandBy):
            self._stand_by(decision.reason)
        elif isinstance(decision, PassThrough):
            self._drain()
            self._hide_nobody()
            shown = cropped(frame, settings.framing)
            picture = Picture(shown.image, PictureKind.UNMATTED, frame=shown)
            self._show(self._overlay.painted(picture), settings.hides)
        elif isinstance(decision, Run):
            self._matte(decision, cropped(frame, decision.framing), settings)

    def _matte(self, run: Run, frame: Frame, settings: Settings) -> None:
        started_s = time.perf_counter()
        try:
            if run.reset:
                if not self._drain():
                    return
                self._unchanged.forget()
                run.engine.reset(self._last_alpha if run.continues else None)
                if not run.continues:
                    self._people.forget()
            backdrop = magnified(self._backdrops.backdrop(frame, started_s), run.framing.zoom)
            edges = _edges(settings, run.engine)
            want_foreground = self._demand.want_foreground or settings.output.alpha_output != "off"
            self._people.begin(settings, run.framing, frame.size, frame.camera, frame.captured_at_s)
            self.keeps_room = self._people.keeps_room
            edited = self._people.edits
            crowded = (self._work_s + self._spread_s) * self._rate_hz(settings, frame) > CROWDED
            overlaps = crowded and not edited and run.engine.overlaps
            if (not overlaps or self._repeats_pending(frame)) and not self._drain():
                return
            shown = settings if run.framing == settings.framing else settings.replace(framing=run.framing)
            overlay, hides = self._overlay.current, shown.hides_over(self._backdrops.shown(settings.background))
            conditions = Conditions(run.sequence, backdrop, edges, want_foreground, edited, overlay, hides)
            repeated = self._unchanged.composite(conditions, frame, self._board.resumed_s)
            if repeated is not None:
                if self._drain():
                    self._show(repeated, hides)
                return
            tests = self._tests
            self._shared.between_steps.clear()
            with self._stepping(run):
                pending = self._people.step(run.engine, frame.image, backdrop, edges, want_foreground)
                if overlaps:
                    pending.detach()
                else:
                    pending = replace(pending, result=_ready(pending.result()))
        except Exception as error:  # noqa: BLE001 - carried to the status
            if self._drain():
                self._fail(error)
            self._stand_by(Phase.WAITING)
            return
        finally:
            self._shared.between_steps.set()
        job = StepJob(
            run=run,
            frame=frame,
            conditions=conditions,
            pending=pending,
            whole_alpha=self._people.whole_alpha,
            moves=self._people.moves,
            shift=settings.placement.x,
            overlaps=overlaps,
            started_s=started_s,
            begun_s=time.perf_counter(),
        )
        if not self._drain() or tests != self._tests:
            return  # The engine has been closed or reset meanwhile.
        self._engines.begun(run)
        self.selection_uncertain = self._people.hides_person
        self.keeps_room = self._people.keeps_room
        if job.overlaps:
            self._finisher.start(job)
        else:
            self._complete(job, lambda: self._finisher.finish(job, self._tester(job)))

    def _repeats_pending(self, frame: Frame) -> bool:
        """Return whether the composite of the step that has not ended may be due again for this frame."""
        job = self._finisher.pending
        return job is not None and (job.pending.calm or same_image(frame.image, job.frame.image))

    def _drain(self) -> bool:
        """Wait for the step that has not ended, if any; return False if it failed, so that the engine is closed.

        An engine that has been replaced meanwhile is not tested, and its failure is not that of the one in use.
        """
        job = self._finisher.pending
        if job is None:
            return True

        def take() -> StepResult:
            with self._stepping(job.run):
                return self._finisher.take()

        return self._complete(job, take)

    def _complete(self, job: StepJob, finish: Callable[[], StepResult]) -> bool:
        """Take note of a step that ends; return whether it succeeded."""
        try:
            finished = finish()
            if finished.self_test_due and self._engines.uses(job.run):
                again = replace(job, pending=replace(job.pending, result=_ready(finished.matte)))
                finished = self._finisher.finish(again, self._tester(job))
        except Exception as error:  # noqa: BLE001 - carried to the status
            if not self._engines.uses(job.run):
                _log.warning("The last step of an engine that has been replaced failed.", exc_info=error)
                return True
            self._fail(error)
            self._finisher.stand_by(Phase.WAITING)
            return False
        self._board.step_ms.add(finished.ended_s - job.started_s)
        if finished.picture is not None:
            self._shown_under = job.conditions.hides
            self.view = self._people.view_of(finished.matte)
            self.awaits_movement = self._people.awaits_movement(finished.matte)
            self._last_alpha = job.whole_alpha(finished.matte)
            self._backdrops.watch(self._last_alpha, job.frame.captured_at_s)
            self._unchanged.note(job.conditions, finished.picture, calm=job.pending.calm)
        else:
            self._last_alpha = None
            self._hide_nobody()
            self._unchanged.forget()
        work_s = finished.work_s(job) * (ALONE if job.overlaps else 1.0)
        self._work_s += WEIGHT * (work_s - self._work_s)
        self._spread_s += WEIGHT * (abs(work_s - self._work_s) - self._spread_s)
        latency_s = finished.ended_s - job.frame.captured_at_s
        rate_hz = self._rate_hz(self._shared.owner.current, job.frame)
        step = StepTiming(finished.ended_s, finished.busy_s(job), latency_s, rate_hz, job.pending.still)
        self._engines.completed(job.run, step)
        return True

    def _stepping(self, run: Run) -> AbstractContextManager[None]:
        return self.thread.calling(ProgramText.MODEL_HANGS, self._timing.step_hang_s, device=run.engine.info.device)

    def _fail(self, error: Exception) -> None:
        self._hide_nobody()
        self._unchanged.forget()
        self._engines.failed(error)

    def _tester(self, job: StepJob) -> Callable[[], None]:
        def test() -> None:
            self._tests += 1
            self._shared.parts.self_test(job.run.engine, *job.frame.size)

        return test

    def _rate_hz(self, settings: Settings, frame: Frame) -> float:
        """Return the frame rate to hold: the requested one, or that of the frame's source if it is lower."""
        source = frame.source
        return min(settings.capture.fps, source.fps) if source is not None and source.fps > 0 else settings.capture.fps

    def _has_outdated_freeze(self, settings: Settings) -> bool:
        """Return whether the picture that is frozen may show more of the room than the settings allow now."""
        return settings.frozen and not settings.paused and self._shown_under not in (None, settings.hides)

    def _hide_nobody(self) -> None:
        """Take note that the picture is a card, or not matted: it is edited in no way, and no person is hidden."""
        self.selection_uncertain = self.awaits_movement = self.keeps_room = False
        self.view = WHOLE_VIEW

    def _show(self, picture: Picture, hides: tuple[object, ...]) -> None:
        self._shown_under = hides
        self._finisher.show(picture)

    def _stand_by(self, reason: Phase) -> None:
        self._drain()
        self._hide_nobody()
        self._finisher.stand_by(reason)


def _edges(settings: Settings, engine: MattingEngine) -> EdgeSettings:
    """Return the edge settings. Strict mode cannot be off while a server makes the mattes, or is to."""
    edges = settings.matting.edges
    served = settings.matting.location == "remote" or engine.info.executor == "webrtc"
    level = edges.level(served=served)
    return edges if level == edges.strict else edges.replace(strict=level)


def _ready(matte: Matte) -> Callable[[], Matte]:
    return lambda: matte
