"""The inference thread: takes frames, publishes composites, or requests the stand-by card."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from app.core.framing import WHOLE_VIEW, cropped
from app.core.settings import Settings
from app.core.stage import Stage
from app.core.text import t
from app.core.types import AlphaImage, Backdrop, Frame, Matte, Picture, PictureKind, magnified
from app.matting.choice.governor import StepTiming
from app.people.editor import PeopleEditor
from app.runtime.backdrops import Backdrops
from app.runtime.demand import DemandWatch
from app.runtime.engines.plan import PassThrough, Run, Skip, StandBy
from app.runtime.engines.selector import EngineSelector
from app.runtime.finishing import Conditions, Finisher, conditions_of
from app.runtime.shared import Shared
from app.runtime.status import Phase
from app.runtime.worker import LatestSlot, SlotClosed, Worker

_log = logging.getLogger(__name__)


class MattingWorker:
    """Mattes each frame over the background in use."""

    def __init__(
        self,
        shared: Shared,
        frames: LatestSlot[Frame | StandBy],
        engines: EngineSelector,
        backdrops: Backdrops,
        demand: DemandWatch,
        publish: Callable[[Picture | StandBy], None],
    ) -> None:
        self._shared, self._board, self._timing = shared, shared.board, shared.timing
        self._frames = frames
        self._engines = engines
        self._backdrops = backdrops
        self._demand = demand
        self.thread = Worker("matting", self._run, Stage.MATTING, frame_path=True)
        self._finisher = Finisher(publish, self._board, self._timing.plausibility_hold_s)
        self._people = PeopleEditor()
        self._conditions: Conditions | None = None
        self._derived_from: tuple[object, ...] = ()
        """What `_conditions` were derived from."""
        self._last_alpha: AlphaImage | None = None
        """Of the last matte, if it was shown."""
        self._shown_under: tuple[object, ...] | None = None
        """As in `Picture`, of the picture that is shown."""
        self.view = WHOLE_VIEW
        """As in `PipelineStatus`, as is what follows (any thread)."""
        self.selection_uncertain = False
        """Nobody is shown, because it is not certain who the selected person is."""
        self.newest: Frame | None = None
        """The newest frame of the source, also if it is not matted; None while there is no source."""

    def _run(self, stop: threading.Event) -> None:
        """Process frames until `stop` is set or the slot is closed."""
        try:
            while not stop.is_set():
                captured_revision = self._board.captured  # before the frame
                try:
                    captured = self._frames.get(self._timing.poll_s)
                except SlotClosed:
                    return
                revision = min(captured_revision, self._shared.owner.revision)
                settings = self._shared.owner.current
                self._backdrops.follow(settings.background)
                if captured is not None:
                    self.newest = captured if isinstance(captured, Frame) else None
                if captured is None:
                    self._engines.poll()
                    if self._has_outdated_freeze(settings):
                        self._stand_by(Phase.WAITING)
                elif isinstance(captured, StandBy):
                    self._stand_by(captured.reason)
                else:
                    self._process(captured, settings)
                if not any(part.preparer.pending for part in (self._engines, self._backdrops)):
                    self._board.matted = revision
        finally:
            self._engines.close_engine()
            self._backdrops.close()

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) of the newest frame; None before the first one (any thread)."""
        return self._finisher.size

    def _process(self, frame: Frame, settings: Settings) -> None:
        self._finisher.size = frame.size
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
            self._hide_nobody()
            shown = cropped(frame, settings.framing)
            unmatted = Picture(shown.image, PictureKind.UNMATTED, frame=shown, hides=settings.hides)
            self._show(unmatted)
        elif isinstance(decision, Run):
            self._matte(decision, cropped(frame, decision.framing), settings)

    def _matte(self, run: Run, frame: Frame, settings: Settings) -> None:
        started_s = time.perf_counter()
        try:
            if run.reset:
                self._finisher.forget()
                run.engine.reset(self._last_alpha if run.continues else None)
                if not run.continues:
                    self._people.forget()
            conditions = self._conditions_of(run, frame, settings, self._backdrops.backdrop(frame, started_s))
            editor = conditions.editor
            repeated = self._finisher.repeated(conditions, frame)
            if repeated is not None:
                self._show(repeated)
                return
            matte = self._step(run, frame, conditions)
            self._engines.begun(run)
            self.selection_uncertain = editor is not None and editor.hides_person
            self_test = partial(self._shared.parts.self_test, run.engine, *frame.size)
            picture = self._finisher.finish(matte, frame, conditions, self_test)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._hide_nobody()
            self._finisher.forget()
            self._engines.failed(error)
            self._stand_by(Phase.WAITING)
            return
        if picture is not None:
            self._shown_under = picture.hides
            self.view = WHOLE_VIEW if editor is None else editor.view_of(matte)
            self._last_alpha = matte.alpha if editor is None else editor.whole_alpha(matte)
            self._finisher.keep(conditions, picture)
        else:
            self._last_alpha = None
            self._hide_nobody()
            self._finisher.forget()
        ended_s = time.perf_counter()
        self._board.step_ms.add(ended_s - started_s)
        rate_hz = self._rate_hz(self._shared.owner.current, frame)
        timing = StepTiming(ended_s, ended_s - started_s, ended_s - frame.captured_at_s, rate_hz, matte.still)
        self._engines.completed(run, timing)

    def _step(self, run: Run, frame: Frame, conditions: Conditions) -> Matte:
        """Run the engine; the watchdog reports it where it hangs."""
        device = run.engine.info.device
        self._shared.between_steps.clear()
        try:
            with self.thread.calling(
                t(
                    "The model does not respond on {device}; start the program again, or with another device.",
                    device=device,
                ),
                self._timing.step_hang_s,
            ):
                return run.engine.step(
                    frame.image,
                    conditions.backdrop,
                    conditions.edges,
                    conditions.editor,
                    want_foreground=conditions.want_foreground,
                )
        finally:
            self._shared.between_steps.set()

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
        return replace(self._conditions, backdrop=backdrop)

    def _rate_hz(self, settings: Settings, frame: Frame) -> float:
        """Return the frame rate to hold: the requested one, or that of the frame's source if it is lower."""
        source = frame.source
        return min(settings.capture.fps, source.fps) if source is not None and source.fps > 0 else settings.capture.fps

    def _has_outdated_freeze(self, settings: Settings) -> bool:
        """Return whether the picture that is frozen may show more of the room than the settings allow now."""
        return not settings.paused and settings.ends_freeze(self._shown_under)

    def _hide_nobody(self) -> None:
        """Take note that the picture is a card, or not matted: it is edited in no way, and no person is hidden."""
        self.selection_uncertain = False
        self.view = WHOLE_VIEW

    def _show(self, picture: Picture) -> None:
        self._shown_under = picture.hides
        self._finisher.show(picture)

    def _stand_by(self, reason: Phase) -> None:
        self._shown_under = None
        self._hide_nobody()
        self._finisher.stand_by(reason)
