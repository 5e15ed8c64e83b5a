"""The inference thread: takes frames, publishes composites, or requests the stand-by card."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

from app.core.framing import cropped
from app.core.matte_edit import WHOLE_VIEW
from app.core.messages.system import ProgramText
from app.core.settings import Settings
from app.core.stage import Stage
from app.core.types import AlphaImage, Backdrop, Frame, Picture, PictureKind, magnified
from app.matting.selection.governor import StepTiming
from app.people.editor import PeopleEditor
from app.runtime.backdrops import Backdrops, OverlayPainter
from app.runtime.demand import DemandWatch
from app.runtime.engines.plan import PassThrough, Run, Skip, StandBy
from app.runtime.engines.selector import EngineSelector
from app.runtime.finishing import Conditions, Finisher, Step, conditions_of, same_image
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
        self._people = PeopleEditor()
        self._conditions: Conditions | None = None
        self._derived_from: tuple[object, ...] = ()
        """What `_conditions` were derived from."""
        self._work_s = self._spread_s = 0.0
        """Mean time of the last steps, as if none had overlapped, and mean distance of their times from it."""
        self._tests = 0
        """Number of self-tests of the engine in use, which reset it."""
        self._last_alpha: AlphaImage | None = None
        """Of the last matte, if it was shown."""
        self._shown_under: tuple[object, ...] | None = None
        """As in `Picture`, of the picture that is shown."""
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
        awaits_background = self._backdrops.awaited()
        decision = self._engines.decide(frame, settings)
        if isinstance(decision, Run) and awaits_background:
            decision = StandBy(Phase.STARTING)
        holds_card = settings.frozen and self._shown_under is None
        if isinstance(decision, Skip) and (holds_card or self._has_outdated_freeze(settings)):
            decision = StandBy(Phase.WAITING)
        if isinstance(decision, StandBy):
            self._stand_by(decision.reason)
        elif isinstance(decision, PassThrough):
            self._drain()
            self._hide_nobody()
            shown = cropped(frame, settings.framing)
            unmatted = Picture(shown.image, PictureKind.UNMATTED, frame=shown, hides=settings.hides)
            self._show(self._overlay.painted(unmatted))
        elif isinstance(decision, Run):
            self._matte(decision, cropped(frame, decision.framing), settings)

    def _matte(self, run: Run, frame: Frame, settings: Settings) -> None:
        started_s = time.perf_counter()
        try:
            if run.reset:
                if not self._drain():
                    return
                self._finisher.forget()
                run.engine.reset(self._last_alpha if run.continues else None)
                if not run.continues:
                    self._people.forget()
            conditions = self._conditions_of(run, frame, settings, self._backdrops.backdrop(frame, started_s))
            self.keeps_room = conditions.editor is not None and conditions.editor.keeps_room
            crowded = (self._work_s + self._spread_s) * self._rate_hz(settings, frame) > CROWDED
            overlaps = crowded and conditions.editor is None and run.engine.overlaps
            if (not overlaps or self._repeats_pending(frame)) and not self._drain():
                return
            repeated = self._finisher.repeated(conditions, frame)
            if repeated is not None:
                if self._drain():
                    self._show(repeated)
                return
            tests, matte = self._tests, None
            self._shared.between_steps.clear()
            with self._stepping(run):
                pending = run.engine.step(
                    frame.image,
                    conditions.backdrop,
                    conditions.edges,
                    conditions.editor,
                    want_foreground=conditions.want_foreground,
                )
                if overlaps:
                    pending.detach()
                else:
                    matte = pending.result()
        except Exception as error:  # noqa: BLE001 - carried to the status
            if self._drain():
                self._fail(error)
            self._stand_by(Phase.WAITING)
            return
        finally:
            self._shared.between_steps.set()
        first_s = time.perf_counter() - started_s
        step = Step(run, frame, conditions, pending, overlaps, started_s, first_s, matte=matte)
        if not self._drain() or tests != self._tests:
            return  # The engine has been closed or reset meanwhile.
        self._engines.begun(run)
        self.selection_uncertain = conditions.editor is not None and conditions.editor.hides_person
        if overlaps:
            self._finisher.start(step)
        else:
            self._complete(step, partial(self._finisher.finish, step, self._tester(step)))

    def _conditions_of(self, run: Run, frame: Frame, settings: Settings, backdrop: Backdrop) -> Conditions:
        """Return what this frame's composite depends on, derived again only where something of that has changed."""
        shown, wanted = self._backdrops.shown(settings.background), self._demand.want_foreground
        derived_from = settings, run.framing, run.sequence, frame.size, shown, wanted
        if self._conditions is None or self._people.edits or derived_from != self._derived_from:
            editor = self._people.begin(
                settings, run.framing, frame.size, frame.camera, frame.captured_at_s, frame.orientation
            )
            derived = conditions_of(settings, run, shown, backdrop, want_foreground=wanted, editor=editor)
            self._conditions, self._derived_from = derived, derived_from
        backdrop = magnified(backdrop, run.framing.zoom)
        return replace(self._conditions, backdrop=backdrop, overlay=self._overlay.current)

    def _repeats_pending(self, frame: Frame) -> bool:
        """Return whether the composite of the step that has not ended may be due again for this frame."""
        step = self._finisher.pending
        return step is not None and (step.pending.calm or same_image(frame.image, step.frame.image))

    def _drain(self) -> bool:
        """Wait for the step that has not ended, if any; return False if it failed, so that the engine is closed.

        An engine that has been replaced meanwhile is not tested, and its failure is not that of the one in use.
        """
        step = self._finisher.pending
        if step is None:
            return True

        def take() -> bool:
            with self._stepping(step.run):
                return self._finisher.take()

        return self._complete(step, take)

    def _complete(self, step: Step, finish: Callable[[], bool]) -> bool:
        """Take note of a step that ends; return whether it succeeded."""
        try:
            if not finish() and self._engines.uses(step.run):
                self._finisher.finish(step, self._tester(step))
        except Exception as error:  # noqa: BLE001 - carried to the status
            if not self._engines.uses(step.run):
                _log.warning("The last step of an engine that has been replaced failed.", exc_info=error)
                return True
            self._fail(error)
            self._finisher.stand_by(Phase.WAITING)
            return False
        self._board.step_ms.add(step.ended_s - step.started_s)
        if step.picture is not None:
            self._published(step, step.picture)
        else:
            self._last_alpha = None
            self._hide_nobody()
            self._finisher.forget()
        work_s = step.first_s + step.second_s
        alone_s = work_s * (ALONE if step.overlaps else 1.0)
        self._work_s += WEIGHT * (alone_s - self._work_s)
        self._spread_s += WEIGHT * (abs(alone_s - self._work_s) - self._spread_s)
        # What limits the frame rate: the time of the whole step, or of the longer stage of two that overlap.
        busy_s = max(step.first_s, step.second_s) if step.overlaps else work_s
        latency_s = step.ended_s - step.frame.captured_at_s
        rate_hz = self._rate_hz(self._shared.owner.current, step.frame)
        timing = StepTiming(step.ended_s, busy_s, latency_s, rate_hz, step.pending.still)
        self._engines.completed(step.run, timing)
        return True

    def _published(self, step: Step, picture: Picture) -> None:
        assert step.matte is not None
        editor, matte = step.conditions.editor, step.matte
        self._shown_under = picture.hides
        self.view = WHOLE_VIEW if editor is None else editor.view_of(matte)
        self.awaits_movement = matte.hides_person if editor is None else editor.awaits_movement(matte)
        self._last_alpha = matte.alpha if editor is None else editor.whole_alpha(matte)
        self._backdrops.watch(self._last_alpha, step.frame.captured_at_s)
        self._finisher.keep(step.conditions, picture, calm=step.pending.calm)

    def _stepping(self, run: Run) -> AbstractContextManager[None]:
        return self.thread.calling(ProgramText.MODEL_HANGS, self._timing.step_hang_s, device=run.engine.info.device)

    def _fail(self, error: Exception) -> None:
        self._hide_nobody()
        self._finisher.forget()
        self._engines.failed(error)

    def _tester(self, step: Step) -> Callable[[], None]:
        def test() -> None:
            self._tests += 1
            self._shared.parts.self_test(step.run.engine, *step.frame.size)

        return test

    def _rate_hz(self, settings: Settings, frame: Frame) -> float:
        """Return the frame rate to hold: the requested one, or that of the frame's source if it is lower."""
        source = frame.source
        return min(settings.capture.fps, source.fps) if source is not None and source.fps > 0 else settings.capture.fps

    def _has_outdated_freeze(self, settings: Settings) -> bool:
        """Return whether the picture that is frozen may show more of the room than the settings allow now."""
        return not settings.paused and settings.ends_freeze(self._shown_under)

    def _hide_nobody(self) -> None:
        """Take note that the picture is a card, or not matted: it is edited in no way, and no person is hidden."""
        self.selection_uncertain = self.awaits_movement = self.keeps_room = False
        self.view = WHOLE_VIEW

    def _show(self, picture: Picture) -> None:
        self._shown_under = picture.hides
        self._finisher.show(picture)

    def _stand_by(self, reason: Phase) -> None:
        self._drain()
        self._shown_under = None
        self._hide_nobody()
        self._finisher.stand_by(reason)
