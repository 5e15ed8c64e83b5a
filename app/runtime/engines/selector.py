"""Decides for each frame which engine mattes it; builds engines in the background and replaces those that fail."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from app.core.errors import Stage
from app.core.files import version_of
from app.core.geometry import WHOLE
from app.core.settings import EngineSettings, FramingSettings, Settings
from app.core.types import Frame
from app.matting.base.interface import EngineInfo, MattingEngine
from app.matting.choice.governor import FULL, Governor, StepTiming, at_quality, quality_levels
from app.runtime.context import Timing
from app.runtime.engines.plan import (
    ChoiceState,
    Decision,
    EngineKey,
    EnginePlan,
    Fallbacks,
    MatteFrame,
    PassThrough,
    Skip,
    StandBy,
    shown_error,
)
from app.runtime.status import Lowered, Phase, StatusBoard
from app.runtime.worker import Preparer, close_unused
from models.table import needs_plate

_log = logging.getLogger(__name__)


class EngineSelector:
    """For each frame call `request`, `use_built`, `decide`, and after a step `completed` or `failed`.

    Used on the inference thread alone, unless noted otherwise.
    """

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
        self._choose_again = False
        """The choice is to be built again."""
        self.compares_with_plate = False
        """Whether the camera should hold its exposure (any thread)."""
        self.unneeded: tuple[int, frozenset[int]] = (-1, frozenset())
        """Source generation, and indexes of frames of this source that will not be matted (any thread)."""
        self._number = 0
        """Counts the engines used so far."""
        self._sequence: tuple[int, int] | None = None
        """Of the last step, while frames follow it without a break."""
        self._plate: object = None
        """Version of the plate that was read last."""
        self._last_step: StepTiming | None = None

    @property
    def info(self) -> EngineInfo | None:
        """Of the engine in use (any thread)."""
        engine = self._engine
        return None if engine is None else engine.info

    @property
    def weights(self) -> Path | None:
        """The file of the engine in use that the settings name in place of the installed one (any thread)."""
        used = self._plan.in_use
        return None if used is None else used.settings.weights

    @property
    def lowered(self) -> Lowered | None:
        """What the governor has lowered; None at full quality (any thread)."""
        quality, step = self._governor.quality, self._last_step
        if quality == FULL or step is None:
            return None
        matted_hz = step.rate_hz * float(quality.matted) if quality.matted != 1 else None
        return Lowered(step.rate_hz, quality.ratio, quality.lighter_model, matted_hz)

    def retry(self) -> None:
        """Build again at the next frame what failed, was replaced, or has a plate that was changed (any thread)."""
        choice = self._plan.choice
        plate = None if choice is None else choice.settings.plate
        if self._plan.state is not ChoiceState.CHOSEN or (plate is not None and version_of(plate) != self._plate):
            self._choose_again = True

    def choose_again(self) -> None:
        """Choose again at the next frame: this machine was measured meanwhile (any thread)."""
        if self._plan.in_use is not None and self._plan.state is ChoiceState.CHOSEN:
            self._choose_again = True

    def request(self, frame: Frame, settings: Settings) -> None:
        """Request the engine that settings and frame need; only a change of them is compared, which takes long."""
        before, self._frame, plan = self._frame, frame, self._plan
        same = before is not None and before.source == frame.source and before.image.shape == frame.image.shape
        if self._choose_again or not same or settings is not self._settings:
            self._settings = settings
            wanted = EngineKey.of(settings.matting.engine, frame.size, settings.framing, frame.viewpoint)
            if self._choose_again or wanted != plan.choice:
                self._choose_again = False
                self._build_at_full_quality(plan.choose(wanted))
            self._govern()
            self._note_plate()
        if plan.due_at_s is not None and (again := plan.due(time.monotonic())) is not None:
            self._build_at_full_quality(again)

    def use_built(self) -> None:
        """Use the engine that has become ready, if one has, or record that it could not be built."""
        if self.preparer.outcome is None or (outcome := self.preparer.take_outcome()) is None:
            return
        if outcome.value is None:
            assert outcome.error is not None
            self._build_failed(outcome.key, outcome.error)
        elif not self._plan.built(outcome.key):
            self.preparer.retire(outcome.value)
        else:
            self._use(outcome.key, outcome.value)
        self._govern()
        self._note_plate()

    def decide(self, frame: Frame, settings: Settings) -> Decision:
        """Decide what to do with the frame."""
        engine, used = self._engine, self._plan.in_use
        stopped = settings.paused or settings.frozen or settings.background.kind == "none"
        if stopped or engine is None or used is None or not used.takes(frame):
            self._sequence = None
            return self._without_matte(settings)
        pattern, skipped = self._governor.pattern, frozenset[int]()
        if self.preparer.busy and self._rests(frame):
            return Skip()
        if pattern is not None:
            if pattern.skips(frame.generation, frame.index):
                return Skip()
            skipped = pattern.skipped_after(frame.generation, frame.index)
        self.unneeded = frame.generation, skipped
        sequence = (frame.generation, self._number)
        reset = sequence != self._sequence
        continues = reset and self._sequence is not None and self._sequence[0] == frame.generation
        crop = settings.framing if used.framing is None else used.framing
        return MatteFrame(engine, crop, sequence, frame.index, reset, continues)

    def completed(self, matted: MatteFrame, step: StepTiming) -> None:
        """Record a step that succeeded."""
        self._sequence, self._last_step = matted.sequence, step
        if (pattern := self._governor.pattern) is not None:
            pattern.record(matted.sequence[0], matted.index)
        if self.preparer.busy or not self._plan.settled:
            return  # Building an engine takes time from the one that runs.
        if self._governor.observe(step):
            self._request_quality()

    def failed(self, error: Exception) -> None:
        """Build another engine after a step that failed: lighter, or without the plate, where that helps."""
        plan = self._plan
        lowered = plan.settled and plan.lowered
        self.close_engine()
        assert plan.base is not None
        fallback = self._fallbacks.after_step(plan.base.settings, error)
        if fallback is None and lowered:
            self._board.report(Stage.MATTING, shown_error(error))
            self._governor.remove_current()
            self._request_quality()
        else:
            self._fall_back(plan.base, fallback, error)
        self._note_plate()

    def close_engine(self) -> None:
        """Close the engine in use, if any."""
        engine, self._engine = self._engine, None
        self._plan.closed()
        self._sequence = None
        if engine is not None:
            close_unused(engine.close)

    def _without_matte(self, settings: Settings) -> Decision:
        if settings.paused:
            return StandBy(Phase.PAUSED)
        if settings.frozen:
            return Skip()
        if settings.background.kind == "none":
            return PassThrough()
        return StandBy(Phase.WAITING if self._plan.state is ChoiceState.FAILED else Phase.STARTING)

    def _build_tested(self, key: EngineKey) -> MattingEngine:
        """Called on the builder thread."""
        self._plate = key.settings.plate and version_of(key.settings.plate)
        key.check_plate()
        engine = self._build(key.settings, *key.size, key.framing or WHOLE)
        try:
            self._self_test(engine, *key.size)
        except BaseException:
            close_unused(engine.close)
            raise
        return engine

    def _use(self, key: EngineKey, engine: MattingEngine) -> None:
        plan, info = self._plan, engine.info
        if self._engine is not None:
            self.preparer.retire(self._engine)  # closing it takes longer than a frame
        self._engine = engine
        words = info.model, info.device, info.precision, info.executor, info.downsample_ratio
        why = "in place of one that failed" if key == plan.base else "for the frame rate"
        why = "as the settings ask" if key == plan.choice else why
        _log.info("The engine is %s on %s (%s, %s, ratio %.3g), %s.", *words, why)
        self._governor.restart_measuring()
        self._number += 1
        if plan.settled and plan.base == plan.choice:
            self._board.report(Stage.MATTING, None)

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

    def _note_plate(self) -> None:
        info = self.info
        self.compares_with_plate = self._plan.may_get_plate or (info is not None and needs_plate(info.model))

    def _build_at_full_quality(self, key: EngineKey) -> None:
        self._governor = Governor()
        self.preparer.request(key)

    def _govern(self) -> None:
        """Start the governor once full quality runs; return to full quality where it is switched off."""
        base, engine, governs = self._plan.base, self._engine, self._governor.active
        wanted = self._settings is not None and self._settings.matting.governor
        if wanted and not governs and engine is not None and base is not None and self._plan.in_use == base:
            self._governor = Governor(quality_levels(base.settings, engine.info), self._timing.governor)
        elif governs and not wanted:
            self._governor = Governor()
            self._request_quality()

    def _request_quality(self) -> None:
        base = self._plan.base
        assert base is not None
        key = self._plan.lower(base.with_settings(at_quality(base.settings, self._governor.quality)))
        if key is not None:
            self.preparer.request(key)

    def _build_failed(self, key: EngineKey, error: Exception) -> None:
        plan, frame = self._plan, self._frame
        asked_for = key == plan.target  # else the settings ask for something else by now
        if asked_for and plan.lowered:
            _log.info("The governor does not use %s, which cannot be built (%s).", key.settings.model, error)
            self._governor.remove_current()
            self._request_quality()
            return
        self._fallbacks.remember(error)
        continues = plan.in_use is not None and frame is not None and plan.in_use.takes(frame)
        if asked_for and not continues:
            self._fall_back(key, self._fallbacks.after_build(key.settings, error), error)
            return
        if asked_for:
            plan.keep_engine()
        self._board.report(Stage.MATTING, shown_error(error))

    def _fall_back(self, key: EngineKey, fallback: EngineSettings | None, error: Exception) -> None:
        """Build `fallback` in place of `key`."""
        retry_at_s = time.monotonic() + self._timing.engine_retry_s
        requested = self._plan.failed(None if fallback is None else key.with_settings(fallback), retry_at_s)
        self._board.report(Stage.MATTING, shown_error(error, fallback))
        if requested is not None:
            self._build_at_full_quality(requested)
