"""An `EngineSelector` whose engines, clock and load are simulated."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from app.core.errors import ModelError, WeightsMissingError
from app.core.settings import EngineSettings, FramingSettings, MattingSettings, Settings
from app.core.types import Frame, Matte
from app.matting.base.interface import EngineInfo, MattingEngine
from app.matting.selection.governor import StepTiming
from app.runtime.board import StatusBoard
from app.runtime.engines.decision import Decision, Run, Skip
from app.runtime.engines.selector import EngineSelector
from app.runtime.status import PipelineStatus
from app.runtime.timing import Timing
from app.testing.engine import ImmediateEngine, StepInput
from tests.waiting import eventually

WIDTH, HEIGHT, FULL_RATIO = 960, 540, 0.5
AUTO = MattingSettings()


class SimulatedEngine(ImmediateEngine):
    """Has the name and sizes of an engine; in its pictures is nobody."""

    def __init__(self, settings: EngineSettings, width: int, height: int) -> None:
        ratio = settings.downsample_ratio or FULL_RATIO
        small = int(width * ratio), int(height * ratio)
        self.info = EngineInfo(settings.model, "simulated", "float32", "cpu", ratio, small)
        self.closed = False

    def matte(self, step: StepInput) -> Matte:
        return Matte(np.zeros_like(step.frame), np.zeros(step.frame.shape[:2], np.uint8))

    def close(self) -> None:
        self.closed = True


class Bench:
    """An `EngineSelector` with a simulated clock and a load that a test sets."""

    def __init__(self) -> None:
        self.board = StatusBoard()
        self.selector = EngineSelector(self._build, no_test, self.board, Timing())
        self.built: list[SimulatedEngine] = []
        self.student_is_missing = False
        self.now_s = 0.0
        self._frames = 0

    def run(self, load: float, seconds: float, settings: MattingSettings = AUTO) -> None:
        """Matte for some seconds; a step at full quality takes `load` of the frame interval."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 1 / 30
            info = self.settle(settings)
            decision = self.decide(settings)
            if isinstance(decision, Run):
                work = 0.3 + 0.7 * (info.downsample_ratio / FULL_RATIO) ** 2
                busy_s = load * work * (0.4 if info.model == "mattecam" else 1) / 30
                ended(self.selector, decision, StepTiming(self.now_s, busy_s, busy_s, 30.0))

    def decide(self, settings: MattingSettings = AUTO) -> Decision:
        """The decision for the next frame."""
        self._frames += 1
        return self.selector.decide(Frame(IMAGE, self._frames, 0.0), 1, whole_settings(settings))

    def settle(self, settings: MattingSettings = AUTO) -> EngineInfo:
        """The engine in use once everything requested is built."""

        def ready() -> bool:
            self.decide(settings)
            return not self.selector.busy and isinstance(self.decide(settings), Run | Skip)

        eventually(ready)
        assert self.status.engine is not None
        return self.status.engine

    @property
    def status(self) -> PipelineStatus:
        selector = self.selector
        return replace(self.board.read(), engine=selector.info, lowered=selector.lowered, server=selector.server)

    @property
    def matted_hz(self) -> float | None:
        """The reduced matting rate, as the status says."""
        return self.status.lowered.matted_hz if self.status.lowered is not None else None

    def matted(self, frames: int, settings: MattingSettings = AUTO) -> list[int]:
        """Return which of the next frames are matted, as numbers from 0."""
        indexes = []
        for index in range(frames):
            decision = self.decide(settings)
            if isinstance(decision, Run):
                indexes.append(index)
                ended(self.selector, decision, StepTiming(self.now_s, 0.01, 0.01, 30.0))
        return indexes

    def _build(self, settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> SimulatedEngine:
        if settings.model == "mattecam" and self.student_is_missing:
            raise WeightsMissingError("The weights of mattecam are not installed.")
        if settings.model == "rvm-resnet50":
            raise ModelError("It does not fit; choose another.")
        self.built.append(SimulatedEngine(settings, width, height))
        return self.built[-1]


def ended(selector: EngineSelector, run: Run, step: StepTiming) -> None:
    """Report a step as the inference thread does."""
    selector.begun(run)
    selector.completed(run, step)


def no_test(engine: MattingEngine, width: int, height: int) -> None:
    """The engines here have no network."""


IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


@functools.cache
def whole_settings(matting: MattingSettings) -> Settings:
    """Settings with these for the matting; the same object each time, as in the program."""
    return Settings(matting=matting)


@contextmanager
def bench() -> Iterator[Bench]:
    simulated = Bench()
    simulated.selector.preparer.start()
    try:
        yield simulated
    finally:
        simulated.selector.preparer.request_stop()
        simulated.selector.close_engine()
        assert simulated.selector.preparer.join(10)
        assert all(engine.closed for engine in simulated.built), "an engine was not closed"
