"""The inference thread alone: a test gives it frames and engines, times their steps, and takes what it publishes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast
from unittest.mock import Mock

import numpy as np

from app.core.errors import ModelError
from app.core.settings import BackgroundSettings, Settings
from app.core.types import AlphaImage, Backdrop, BgrImage, Frame, Matte, Picture
from app.matting.base.interface import EngineInfo, MattingEngine
from app.matting.selection.governor import StepTiming
from app.runtime.backdrops import Backdrops
from app.runtime.demand import DemandWatch
from app.runtime.engines.plan import Decision, PassThrough, Run, StandBy
from app.runtime.engines.selector import EngineSelector
from app.runtime.matting_worker import MattingWorker
from app.runtime.parts import Parts
from app.runtime.shared import SettingsOwner, Shared
from app.runtime.status import Phase
from app.runtime.timing import Timing
from app.runtime.worker import LatestSlot, Preparer
from tests.fakes.world import FakeWorld
from tests.waiting import eventually

PATIENCE_S = 60.0


class OneEngine:
    """In place of `EngineSelector`: one engine until it fails."""

    def __init__(self, engine: MattingEngine) -> None:
        self.engine: MattingEngine | None = engine
        self.preparer = Mock(Preparer, pending=False)
        self.errors, self.begun_frames, self.steps = list[str](), list[int](), list[StepTiming]()

    def decide(self, frame: Frame, settings: Settings) -> Decision:
        if self.engine is None:
            return StandBy(Phase.WAITING)
        if settings.background.kind == "none":
            return PassThrough()
        return Run(self.engine, settings.framing, (frame.generation, 1), frame.index, reset=frame.index == 0)

    def poll(self) -> None: ...

    def begun(self, run: Run) -> None:
        self.begun_frames.append(run.index)

    def completed(self, run: Run, step: StepTiming) -> None:
        self.steps.append(step)

    def failed(self, error: Exception) -> None:
        self.errors.append(str(error))
        self.close_engine()

    def close_engine(self) -> None:
        if self.engine is not None:
            self.engine.close()
        self.engine = None


class Inference:
    """The thread, the slot that it reads, and what it has published."""

    def __init__(self, settings: Settings, engines: OneEngine, parts: Parts, timing: Timing) -> None:
        self.shared = Shared(SettingsOwner(settings), parts, timing)
        self.frames = LatestSlot[Frame | StandBy]()
        self.published: list[Picture | StandBy] = []
        board = self.shared.board
        backdrops = Backdrops(parts.open_background, board, timing)
        self.preparer = backdrops.preparer
        self.worker = MattingWorker(
            self.shared,
            self.frames,
            cast("EngineSelector", engines),
            backdrops,
            DemandWatch(self.shared, ()),
            self.published.append,
        )
        self.preparer.start()
        if settings.background.kind != "none":
            backdrops.follow(settings.background)
            eventually(lambda: not backdrops.preparer.busy)
            backdrops.follow(settings.background)


@contextmanager
def running(inference: Inference) -> Iterator[None]:
    """Run the thread."""
    thread = inference.worker.thread
    thread.start()
    try:
        yield
    finally:
        thread.request_stop()
        inference.frames.close()
        ended = thread.join(PATIENCE_S)
        assert inference.preparer.stop(PATIENCE_S)
    assert ended and thread.error is None


WIDTH, HEIGHT = 64, 48
POLL_S = 1.0
"""The time in which a test must send the next frame, so that the last step has not ended before it."""


class GatedEngine:
    """An engine whose steps wait until the test lets them go on. A black frame fails."""

    def __init__(self) -> None:
        self.info = EngineInfo("fake", "fake", "float32", "cpu", 0.5, (WIDTH // 2, HEIGHT // 2))
        self.events: list[str] = []
        self.gates: dict[int, threading.Event] = {}
        """By brightness of the frame; a frame that is not listed does not wait."""
        self.alphas: dict[int, int] = {}
        """Alpha of the whole frame by its brightness; 0 for one that is not listed."""
        self.still: set[int] = set()
        """Brightness of the frames that the network leaves out."""

    def step(self, frame: BgrImage, backdrop: Backdrop, *_: Any, **__: Any) -> Matte:
        number = int(frame[0, 0, 0])
        self.events.append(f"step {number}")
        if number in self.gates:
            assert self.gates[number].wait(PATIENCE_S)
        if number == 0:
            raise ModelError("The network fails.")
        alpha = np.full((HEIGHT, WIDTH), self.alphas.get(number, 0), np.uint8)
        assert isinstance(backdrop, np.ndarray)
        composite = np.where(alpha[..., None] > 0, frame, backdrop)
        return Matte(composite, alpha, still=number in self.still)

    def reset(self, seen: AlphaImage | None = None) -> None:
        self.events.append("reset")

    def close(self) -> None:
        self.events.append("close")


class Bench:
    """The inference thread with one engine, and what it publishes."""

    def __init__(self) -> None:
        self.engine = GatedEngine()
        self.engines = OneEngine(cast("MattingEngine", self.engine))
        self.tested_after: list[list[str]] = []
        """What the engine had done when it was tested."""
        settings = Settings(background=BackgroundSettings(kind="colour", colour="#0000ff"))
        parts = replace(FakeWorld().parts(), self_test=self._test)
        self.inference = Inference(settings, self.engines, parts, Timing(poll_s=POLL_S, plausibility_hold_s=0.0))
        self.worker, self.published = self.inference.worker, self.inference.published
        self._index = 0

    def _test(self, engine: MattingEngine, width: int, height: int) -> None:
        self.tested_after.append(list(self.engine.events))

    def send(self, brightness: int) -> None:
        """Give the thread the next frame, and wait until it has taken it."""
        image = np.full((HEIGHT, WIDTH, 3), brightness, np.uint8)
        self.inference.frames.put(Frame(image, self._index, 0.0))
        self._index += 1

    def send_shown(self, *numbers: int) -> None:
        """Send frames, each after the composite of the one before."""
        for number in numbers:
            goal = len(self.published) + 1
            self.send(number)
            eventually(lambda goal=goal: len(self.published) == goal)  # type: ignore[misc]

    @property
    def shown(self) -> list[int | str]:
        """The brightness of each composite's frame, or `card`."""
        return [
            "card" if isinstance(each, StandBy) or each.frame is None else int(each.frame.image[0, 0, 0])
            for each in self.published
        ]


@contextmanager
def bench() -> Iterator[Bench]:
    """Run the inference thread over a plain blue background."""
    tried = Bench()
    with running(tried.inference):
        try:
            yield tried
        finally:
            for gate in tried.engine.gates.values():
                gate.set()
    assert tried.engine.events[-1] == "close"
