"""An `EngineSelector` whose engines, clock and load are simulated."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from app.core.errors import ModelError, WeightsMissingError
from app.core.settings import EngineSettings, FramingSettings, MattingSettings, Settings
from app.core.types import Frame, Matte, SourceInfo
from app.matting.base.interface import EngineInfo, MattingEngine
from app.matting.choice.governor import StepTiming
from app.runtime.board import StatusBoard
from app.runtime.engines.plan import Decision, Run, Skip
from app.runtime.engines.selector import EngineSelector
from app.runtime.status import PipelineStatus
from app.runtime.timing import Timing
from app.testing.parts import ImmediateEngine, StepInput
from tests.waiting import eventually

WIDTH, HEIGHT, FULL_RATIO = 960, 540, 0.5
AUTO = MattingSettings()


class SimulatedEngine(ImmediateEngine):
    """Has the name and sizes of an engine; in its pictures is nobody."""

    def __init__(self, settings: EngineSettings, width: int, height: int) -> None:
        ratio = settings.downsample_ratio or FULL_RATIO
        small = int(width * ratio), int(height * ratio)
        self.info = EngineInfo(settings.model, "simulated", "float32", "cpu", ratio, small)
        self.closed_on = ""
        """The name of the thread; empty while the engine is open."""

    def matte(self, step: StepInput) -> Matte:
        return Matte(np.zeros_like(step.frame), np.zeros(step.frame.shape[:2], np.uint8))

    def close(self) -> None:
        self.closed_on = threading.current_thread().name


class Bench:
    """An `EngineSelector` with a simulated clock, a load that a test sets, and a builder that waits at a gate."""

    def __init__(self) -> None:
        self.board = StatusBoard()
        self.measurements = 0
        self.selector = EngineSelector(
            self._build, no_test, self.board, Timing(), lambda: self.now_s, lambda: self.measurements
        )
        self.built: list[SimulatedEngine] = []
        self.student_is_missing = False
        self.gate = threading.Event()
        self.gate.set()
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
                self.ended(decision, load * work * (0.4 if info.model == "mattecam" else 1) / 30)

    def decide(
        self, settings: MattingSettings = AUTO, *, generation: int = 1, camera: str = "", **state: object
    ) -> Decision:
        """The decision for the next frame, of this camera. state: `paused` and other settings."""
        self._frames += 1
        source = SourceInfo("camera", camera, camera, WIDTH, HEIGHT, 30.0, "")
        whole = whole_settings(settings)
        frame = Frame(IMAGE, self._frames, 0.0, source=source, generation=generation)
        return self.selector.decide(frame, whole.replace(**state) if state else whole)

    def matte(self, settings: MattingSettings = AUTO, *, generation: int = 1, camera: str = "") -> Run:
        """The decision for the next frame, which is to be matted."""
        decision = self.decide(settings, generation=generation, camera=camera)
        assert isinstance(decision, Run)
        return decision

    def ended(self, run: Run, busy_s: float = 0.01) -> None:
        """Report a step as the inference thread does."""
        self.selector.completed(run, StepTiming(self.now_s, busy_s, busy_s, 30.0))

    def settle(self, settings: MattingSettings = AUTO, *, generation: int = 1, camera: str = "") -> EngineInfo:
        """The engine in use once everything requested is built."""

        def ready() -> bool:
            self.decide(settings, generation=generation, camera=camera)
            if self.selector.preparer.busy:
                return False
            decision = self.decide(settings, generation=generation, camera=camera)  # uses what has been built
            return not self.selector.preparer.busy and isinstance(decision, Run | Skip)

        eventually(ready)
        assert self.status.engine is not None
        return self.status.engine

    @property
    def status(self) -> PipelineStatus:
        selector = self.selector
        return replace(self.board.read(), engine=selector.info, lowered=selector.lowered)

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
                self.ended(decision)
        return indexes

    def _build(self, settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> SimulatedEngine:
        assert self.gate.wait(60)
        if settings.model == "mattecam" and self.student_is_missing:
            raise WeightsMissingError("The weights of mattecam are not installed.")
        if settings.model == "rvm-resnet50":
            raise ModelError("It does not fit; choose another.")
        self.built.append(SimulatedEngine(settings, width, height))
        return self.built[-1]


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
        simulated.gate.set()
        simulated.selector.preparer.request_stop()
        simulated.selector.close_engine()
        assert simulated.selector.preparer.join(60)
        assert all(engine.closed_on for engine in simulated.built), "an engine was not closed"
