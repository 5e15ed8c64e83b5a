"""Decides for each frame which engine mattes it; builds engines in the background and replaces those that fail."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from app.core.settings import EngineSettings, FramingSettings, Settings
from app.core.stage import Stage
from app.core.types import Frame
from app.matting.base.interface import MattingEngine
from app.matting.selection.governor import Step
from app.runtime.board import StatusBoard
from app.runtime.closing import close_unused
from app.runtime.engines.decision import Decision, PassThrough, Run, Skip, StandBy
from app.runtime.engines.fallback import Fallbacks, named, reason
from app.runtime.engines.key import EngineKey, KeyCache, may_use_plate
from app.runtime.engines.matting_pattern import MattingPattern
from app.runtime.engines.quality import QualityControl
from app.runtime.prepare import Preparer
from app.runtime.status import Phase, ServerState
from app.runtime.timing import Timing

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
        """build, self_test: as in `Parts`; every engine passes the test before its first frame. now: the time in
        seconds on the clock of `Step.now_s`; replaced in tests.
        """
        self._build = build
        self._self_test = self_test
        self._now = now
        self.preparer: Preparer[EngineKey, MattingEngine] = Preparer(
            "engine-builder", self._build_tested, lambda engine: engine.close()
        )
        self._board = board
        self._timing = timing
        self._quality = QualityControl(timing.governor)
        self._keys = KeyCache()
        self._fallbacks = Fallbacks()
        self._engine: MattingEngine | None = None
        self._frame: Frame | None = None
        """The newest one."""
        self._running: EngineKey | None = None
        """What the engine in use was built for."""
        self._wanted: EngineKey | None = None
        """The user's choice."""
        self._base: EngineKey | None = None
        """The user's choice, or the fallback in its place, at full quality."""
        self._requested: EngineKey | None = None
        """`_base` at the governor's quality."""
        self._retry_at_s: float | None = None
        self._remote_at_s: float | None = None
        """When to ask a server again that failed; None while none has."""
        self._remote_failed = False
        """The server that is wanted has failed since it was chosen or last connected."""
        self._failed = False
        """No engine works for what is wanted now."""
        self._number = 0
        """Counts the engines used so far."""
        self._sequence: tuple[int, int] | None = None
        """Of the last step, while frames follow it without a break."""
        self._last_step: Step | None = None
        self._pattern = MattingPattern()

    @property
    def busy(self) -> bool:
        """Whether an engine is being built (any thread)."""
        return self.preparer.busy

    def retry(self) -> None:
        """Build again at the next frame what failed or what a fallback replaced (any thread)."""
        self._wanted = None

    def decide(self, frame: Frame, generation: int, settings: Settings) -> Decision:
        """Decide what to do with the next frame of the source's `generation`; start to build what it needs."""
        engine = self._follow(frame, settings)
        decision = self._decide(engine, frame, generation, settings)
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
        if outcome.key != self._requested and self._running == self._requested:
            self.preparer.retire(outcome.value)
            return  # The request was taken back meanwhile.
        if self._engine is not None:
            self.preparer.retire(self._engine)  # closing it takes longer than a frame
        self._engine = outcome.value
        self._running = outcome.key
        self._board.use_engine(self._engine.info, reason(outcome.key, self._wanted, self._base))
        self._quality.restart_measuring()
        self._number += 1
        if outcome.key == self._requested and self._base == self._wanted:
            self._board.clear(Stage.MATTING)

    def begun(self, run: Run) -> None:
        """Take note that the network has seen a frame. The next decision may precede `completed`."""
        self._sequence = run.sequence
        self._pattern.note(run.sequence[0], run.index, self._quality.quality.matted)

    def completed(self, run: Run, step: Step) -> None:
        """Take note of a step that succeeded."""
        self._failed = False
        self._last_step = step
        self._board.engine = run.engine.info
        if self.busy or self._running != self._requested:
            return  # Building an engine takes time from the one that runs.
        if self._quality.observe(step):
            self._request_quality()

    def failed(self, error: Exception) -> None:
        """Build another engine after a step that failed: lighter, or without the plate, where that helps."""
        lowered = self._running == self._requested != self._base
        self.close_engine()
        self._failed = True
        assert self._base is not None
        lighter = self._fallbacks.after_step(self._base.settings, error)
        if lighter is not None and lighter.location != self._base.settings.location:
            self._leave_server(self._timing.remote_again_s)
        self._board.report(Stage.MATTING, named(error, lighter))
        if lighter is not None:
            self._begin(self._base.with_settings(lighter))
        elif lowered:
            self._remove_quality()
        else:
            self._retry_at_s = time.monotonic() + self._timing.engine_retry_s

    def close_engine(self) -> None:
        """Close the engine in use, if any."""
        engine, self._engine = self._engine, None
        self._running = None
        self._sequence = None
        self._board.engine = None
        if engine is not None:
            close_unused(engine.close)

    def _build_tested(self, key: EngineKey) -> MattingEngine:
        """Called on the builder thread."""
        key.check_plate()
        engine = self._build(key.settings, key.width, key.height, key.framing)
        try:
            self._self_test(engine, key.width, key.height)
        except BaseException:
            close_unused(engine.close)
            raise
        return engine

    def _decide(self, engine: MattingEngine | None, frame: Frame, generation: int, settings: Settings) -> Decision:
        if settings.paused:
            return StandBy(Phase.PAUSED)
        if settings.frozen:
            return Skip()
        if settings.background.kind == "none":
            return PassThrough(settings.framing)
        if engine is None:
            return StandBy(Phase.WAITING if self._failed else Phase.STARTING)
        if self._skips(frame, generation):
            return Skip()
        matted = self._quality.quality.matted
        self._board.unneeded = generation, self._pattern.skipped_after(generation, frame.index, matted)
        assert self._running is not None
        framing = self._running.framing if may_use_plate(self._running.settings) else settings.framing
        sequence = (generation, self._number)
        reset = sequence != self._sequence
        continues = reset and self._sequence is not None and self._sequence[0] == generation
        return Run(engine, framing, sequence, frame.index, reset, continues)

    def _skips(self, frame: Frame, generation: int) -> bool:
        """Return whether to skip matting this frame to save time."""
        if self._pattern.skips(generation, frame.index, self._quality.quality.matted):
            return True
        return generation == self._pattern.generation and self._rests(self._now())

    def _rests(self, now_s: float) -> bool:
        """Return whether to skip frames so that the engine for a new ratio is ready sooner.

        The old engine then rests after each step for as long as the step took.
        """
        step, running, requested = self._last_step, self._running, self._requested
        if step is None or running is None or requested is None or now_s >= step.now_s + step.busy_s or not self.busy:
            return False
        ratio = running.settings.downsample_ratio
        return requested != running == requested.with_settings(requested.settings.replace(downsample_ratio=ratio))

    def _follow(self, frame: Frame, settings: Settings) -> MattingEngine | None:
        """Request what the settings ask for; return the engine for this frame, None while there is none of its size."""
        self._frame = frame
        wanted = self._keys.key(settings, frame.size, frame.camera)
        if wanted is not self._wanted and wanted != self._wanted:
            self._wanted = wanted
            self._remote_at_s, self._remote_failed = None, False
            self._begin(wanted)
        elif self._remote_at_s is not None and time.monotonic() >= self._remote_at_s:
            self._remote_at_s = None
            self._begin(wanted)
        elif self._retry_at_s is not None and time.monotonic() >= self._retry_at_s:
            assert self._requested is not None
            self._request(self._requested)
        self.poll()
        self._board.server = self._server_state(wanted.settings)
        self._govern(settings.matting.governor)
        return self._engine if self._running is not None and self._running.takes(frame) else None

    def _server_state(self, wanted: EngineSettings) -> ServerState | None:
        if wanted.location == "local":
            return None
        if self._running is not None and self._running.settings.location == "remote":
            self._remote_failed = False
            return ServerState.CONNECTED
        return ServerState.LOCAL if self._remote_failed else ServerState.CONNECTING

    def _leave_server(self, seconds: float) -> None:
        """Ask the server again after so many seconds. Called before the problem is reported, which then ends no run."""
        self._remote_at_s, self._remote_failed = time.monotonic() + seconds, True
        self._board.server = ServerState.LOCAL

    def _begin(self, base: EngineKey) -> None:
        """Build `base` at full quality."""
        self._base = base
        self._quality.reset()
        self._board.lowered = None
        self._request(base)

    def _govern(self, on: bool) -> None:
        """Start the governor once full quality runs; return to full quality where it is switched off."""
        if on and not self._quality.active:
            if self._base is not None and self._base.settings.location == "remote":
                return  # another quality would be another stream
            if self._engine is not None and self._base is not None and self._running == self._base:
                self._quality.begin(self._base.settings, self._engine.info)
        elif not on and self._quality.active:
            self._quality.reset()
            self._request_quality()

    def _request(self, key: EngineKey) -> None:
        self._requested = key
        self._retry_at_s = None
        self._failed = False
        self.preparer.request(key)

    def _request_quality(self) -> None:
        assert self._base is not None
        self._board.lowered = self._quality.lowered
        key = self._base.with_settings(self._quality.lower(self._base.settings))
        if key == self._running:
            self._requested = key
        elif key != self._requested:
            self._request(key)

    def _remove_quality(self) -> None:
        self._quality.remove_current()
        self._request_quality()

    def _build_failed(self, key: EngineKey, error: Exception) -> None:
        if key == self._requested and key != self._base:
            _log.info("The governor does not use %s, which cannot be built (%s).", key.settings.model, error)
            self._remove_quality()
            return
        running, frame = self._running, self._frame
        keeps = running is not None and running.size == key.size and frame is not None and running.takes(frame)
        if key.settings.location == "remote":
            self._leave_server(self._timing.remote_retry_s)
            if keeps and self._running != key:
                self._board.report(Stage.MATTING, named(error))
                self._base = self._requested = self._running  # matting on this machine goes on
                return
        lighter = None if keeps else self._fallbacks.after_build(key.settings, error)
        self._fallbacks.remember(error)
        self._board.report(Stage.MATTING, named(error, lighter))
        if key != self._requested or keeps:
            return  # The engine in use keeps running until the user makes another choice.
        self._failed = True
        if lighter is not None:
            self._begin(key.with_settings(lighter))
        else:
            self._retry_at_s = time.monotonic() + self._timing.engine_retry_s
