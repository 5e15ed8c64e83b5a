"""Decides for each frame which engine mattes it; builds engines in the background and replaces those that fail."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from app.core.errors import Stage
from app.core.files import version_of
from app.core.settings import EngineSettings, FramingSettings, Settings
from app.core.types import Frame
from app.matting.base.interface import EngineInfo, MattingEngine
from app.matting.choice.governor import Governor, StepTiming
from app.runtime.context import Timing
from app.runtime.engines.fallback import Fallbacks, named, reason
from app.runtime.engines.plan import ChoiceState, Decision, EngineKey, EnginePlan, PassThrough, Run, Skip, StandBy
from app.runtime.engines.quality import MattingPattern, at_quality, described, levels
from app.runtime.status import Lowered, Phase, StatusBoard
from app.runtime.worker import Preparer, close_unused

_log = logging.getLogger(__name__)


class EngineSelector:
    """Used on the inference thread alone, unless noted otherwise."""

    def __init__(
        self,
        build: Callable[[EngineSettings, int, int, FramingSettings], MattingEngine],
        self_test: Callable[[MattingEngine, int, int], None],
        board: StatusBoard,
        timing: Timing,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        """now: the time in seconds, on the clock of `StepTiming.now_s`. The other functions: as in `PipelineParts`."""
        self._build = build
        self._self_test = self_test
        self._now = now
        self.preparer: Preparer[EngineKey, MattingEngine] = Preparer(
            "engine-builder", self._build_tested, lambda engine: engine.close(), Stage.MATTING
        )
        self._board = board
        self._timing = timing
        self._governor = Governor()
        """That of the present choice of the user."""
        self._fallbacks = Fallbacks()
        self._plan = EnginePlan()
        self._engine: MattingEngine | None = None
        """The engine in use."""
        self._frame: Frame | None = None
        """The newest one."""
        self._settings: Settings | None = None
        """Those that `_plan.choice` was made of."""
        self._derived_from: tuple[EngineKey | None, EngineKey | None, ChoiceState] = None, None, ChoiceState.CHOSEN
        """In use, asked for, become of the choice: what the next two and `compares_with_plate` were derived from."""
        self._crop: FramingSettings | None = None
        """What the engine in use mattes of the frames; None if it may not matte them."""
        self._settled = False
        """As of `EnginePlan`."""
        self._anew = False
        """The choice is to be built again."""
        self.info: EngineInfo | None = None
        """Of the engine in use; this and what follows may be read on any thread."""
        self.compares_with_plate = False
        """Whether the camera should hold its exposure."""
        self.lowered: Lowered | None = None
        self.unneeded: tuple[int, frozenset[int]] = (-1, frozenset())
        """Source generation, and indexes of frames of this source that will not be matted."""
        self._number = 0
        """Counts the engines used so far."""
        self._sequence: tuple[int, int] | None = None
        """Of the last step, while frames follow it without a break."""
        self._plate: object = None
        """Version of the plate that was read last."""
        self._last_step: StepTiming | None = None
        self._pattern = MattingPattern()

    @property
    def weights(self) -> Path | None:
        """The file of the engine in use that the settings name in place of the installed one (any thread)."""
        used = self._plan.in_use
        return None if used is None else used.settings.weights

    def retry(self) -> None:
        """Build again at the next frame what failed, was replaced, or has a plate that was changed (any thread)."""
        choice = self._plan.choice
        plate = None if choice is None else choice.settings.plate
        if self._plan.state is not ChoiceState.CHOSEN or (plate is not None and version_of(plate) != self._plate):
            self._anew = True

    def choose_again(self) -> None:
        """Choose again at the next frame: this machine was measured meanwhile (any thread)."""
        if self._plan.in_use is not None and self._plan.state is ChoiceState.CHOSEN:
            self._anew = True

    def decide(self, frame: Frame, settings: Settings) -> Decision:
        """Decide what to do with the next frame; start to build what it needs."""
        self._follow(frame, settings)
        decision = self._decide(frame, settings)
        if not isinstance(decision, Run) and (settings.frozen or not isinstance(decision, Skip)):
            self._sequence = None
        return decision

    def poll(self) -> None:
        """Start to use an engine that has become ready."""
        outcome = self.preparer.take()
        if outcome is None:
            return
        if outcome.value is None:
            assert outcome.error is not None
            self._build_failed(outcome.key, outcome.error)
            return
        plan = self._plan
        if not plan.built(outcome.key):
            self.preparer.retire(outcome.value)
            return
        if self._engine is not None:
            self.preparer.retire(self._engine)  # closing it takes longer than a frame
        self._engine = outcome.value
        self.info = info = outcome.value.info
        words = info.model, info.device, info.precision, info.executor, info.downsample_ratio
        why = reason(outcome.key, plan.choice, plan.base)
        _log.info("The engine is %s on %s (%s, %s, ratio %.3g), %s.", *words, why)
        self._governor.restart_measuring()
        self._number += 1
        if plan.settled and plan.base == plan.choice:
            self._board.report(Stage.MATTING, None)

    def completed(self, run: Run, step: StepTiming) -> None:
        """Record a step that succeeded."""
        self._sequence = run.sequence
        if (matted := self._governor.quality.matted) != 1:
            self._pattern.note(run.sequence[0], run.index, matted)
        self._last_step = step
        self.info = run.engine.info
        if self.preparer.busy or not self._settled:
            return  # Building an engine takes time from the one that runs.
        if self._governor.observe(step):
            self._ask_for_quality()

    def failed(self, error: Exception) -> None:
        """Build another engine after a step that failed: lighter, or without the plate, where that helps."""
        plan = self._plan
        lowered = plan.settled and plan.lowered
        self.close_engine()
        assert plan.base is not None
        fallback = self._fallbacks.after_step(plan.base.settings, error)
        if fallback is None and lowered:
            self._board.report(Stage.MATTING, named(error))
            self._governor.remove_current()
            self._ask_for_quality()
        else:
            self._fall_back(plan.base, fallback, error)

    def close_engine(self) -> None:
        """Close the engine in use, if any."""
        engine, self._engine = self._engine, None
        self._plan.lose()
        self._sequence = None
        self.info = None
        if engine is not None:
            close_unused(engine.close)

    def _build_tested(self, key: EngineKey) -> MattingEngine:
        """Called on the builder thread."""
        self._plate = key.settings.plate and version_of(key.settings.plate)
        key.check_plate()
        engine = self._build(key.settings, *key.size, key.framing)
        try:
            self._self_test(engine, *key.size)
        except BaseException:
            close_unused(engine.close)
            raise
        return engine

    def _decide(self, frame: Frame, settings: Settings) -> Decision:
        if settings.paused:
            return StandBy(Phase.PAUSED)
        if settings.frozen:
            return Skip()
        if settings.background.kind == "none":
            return PassThrough()
        if self._engine is None or self._crop is None:
            return StandBy(Phase.WAITING if self._plan.state is ChoiceState.FAILED else Phase.STARTING)
        matted, pattern = self._governor.quality.matted, self._pattern
        skips = matted != 1 and pattern.skips(frame.generation, frame.index, matted)
        if skips or (self.preparer.busy and self._rests(frame)):
            return Skip()
        skipped = frozenset[int]() if matted == 1 else pattern.skipped_after(frame.generation, frame.index, matted)
        self.unneeded = frame.generation, skipped
        sequence = (frame.generation, self._number)
        reset = sequence != self._sequence
        continues = reset and self._sequence is not None and self._sequence[0] == frame.generation
        return Run(self._engine, self._crop, sequence, frame.index, reset, continues)

    def _rests(self, frame: Frame) -> bool:
        """Return whether to skip this frame so that the engine for a new ratio, which is being built, is ready sooner.

        The old engine then rests after each step for as long as the step took.
        """
        step, running, requested = self._last_step, self._plan.in_use, self._plan.target
        if step is None or running is None or requested is None:
            return False
        if self._sequence is None or self._sequence[0] != frame.generation or self._now() >= step.now_s + step.busy_s:
            return False
        ratio = running.settings.downsample_ratio
        return requested != running == requested.with_settings(requested.settings.replace(downsample_ratio=ratio))

    def _follow(self, frame: Frame, settings: Settings) -> None:
        """Request what the settings ask for, and use what is ready. To compare them takes too long for each frame."""
        before, self._frame, plan = self._frame, frame, self._plan
        same = before is not None and before.source == frame.source and before.image.shape == frame.image.shape
        same = same and settings is self._settings
        if self._anew or not same:
            self._settings = settings
            wanted = EngineKey.of(settings.matting.engine, frame.size, settings.framing, frame.viewpoint)
            if self._anew or wanted != plan.choice:
                self._anew = False
                self._ask(plan.choose(wanted))
        if plan.due_at_s is not None and (again := plan.due(time.monotonic())) is not None:
            self._ask(again)
        if self.preparer.outcome is not None:
            self.poll()
        if settings.matting.governor is not self._governor.active:
            self._govern(settings.matting.governor)
        engines = used, _, _ = plan.in_use, plan.target, plan.state
        if not same or engines != self._derived_from:
            self._derived_from, self._settled = engines, plan.settled
            self.compares_with_plate = plan.compares_with_plate(self.info)
            self._crop = used.crop(settings.framing) if used and used.takes(frame) else None

    def _ask(self, key: EngineKey) -> None:
        """Build an engine at full quality."""
        self._governor = Governor()
        self.lowered = None
        self.preparer.request(key)

    def _govern(self, on: bool) -> None:
        """Start the governor once full quality runs; return to full quality where it is switched off."""
        base = self._plan.base
        if on and not self._governor.active:
            if self._engine is not None and base is not None and self._plan.in_use == base:
                self._governor = Governor(levels(base.settings, self._engine.info), self._timing.governor)
        elif not on and self._governor.active:
            self._governor = Governor()
            self._ask_for_quality()

    def _ask_for_quality(self) -> None:
        base = self._plan.base
        assert base is not None
        quality, step = self._governor.quality, self._last_step
        self.lowered = described(quality, 0.0 if step is None else step.rate_hz)
        key = self._plan.lower(base.with_settings(at_quality(base.settings, quality)))
        if key is not None:
            self.preparer.request(key)

    def _build_failed(self, key: EngineKey, error: Exception) -> None:
        plan, frame = self._plan, self._frame
        if key == plan.target and plan.lowered:
            _log.info("The governor does not use %s, which cannot be built (%s).", key.settings.model, error)
            self._governor.remove_current()
            self._ask_for_quality()
            return
        self._fallbacks.remember(error)
        running = plan.in_use
        keeps = running is not None and running.size == key.size and frame is not None and running.takes(frame)
        if key == plan.target and not keeps:
            fallback = self._fallbacks.after_build(key.settings, error)
            self._fall_back(key, fallback, error)
            return
        if key == plan.target:  # else the settings ask for something else by now
            plan.keep()
        self._board.report(Stage.MATTING, named(error))

    def _fall_back(self, key: EngineKey, fallback: EngineSettings | None, error: Exception) -> None:
        """Build `fallback` in place of `key`."""
        retry_at_s = time.monotonic() + self._timing.engine_retry_s
        asked = self._plan.failed(None if fallback is None else key.with_settings(fallback), retry_at_s)
        self._board.report(Stage.MATTING, named(error, fallback))
        if asked is not None:
            self._ask(asked)
