"""The inference thread alone: a test gives it frames and engines, and takes what it publishes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from app.compositing.screen_use import ScreenUse
from app.core.settings import Settings
from app.core.types import Frame, Picture
from app.matting.base.interface import MattingEngine
from app.matting.selection.governor import StepTiming
from app.runtime.backdrops import Backdrops, OverlayPainter
from app.runtime.demand import DemandWatch
from app.runtime.engines.plan import Decision, PassThrough, Run, StandBy
from app.runtime.engines.selector import EngineSelector
from app.runtime.matting_worker import MattingWorker
from app.runtime.parts import Parts
from app.runtime.shared import SettingsOwner, Shared
from app.runtime.status import Phase
from app.runtime.timing import Timing
from app.runtime.worker import LatestSlot
from tests.waiting import eventually

PATIENCE_S = 60.0


class OneEngine:
    """In place of `EngineSelector`: one engine until it fails."""

    def __init__(self, engine: MattingEngine) -> None:
        self.engine: MattingEngine | None = engine
        self.errors, self.begun_frames, self.steps = list[str](), list[int](), list[StepTiming]()

    def decide(self, frame: Frame, settings: Settings) -> Decision:
        if self.engine is None:
            return StandBy(Phase.WAITING)
        if settings.background.kind == "none":
            return PassThrough()
        return Run(self.engine, settings.framing, (frame.generation, 1), frame.index, reset=frame.index == 0)

    def poll(self) -> None: ...

    def uses(self, run: Run) -> bool:
        return run.engine is self.engine

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
        screen, board = ScreenUse(), self.shared.board
        backdrops, painter = (
            Backdrops(parts.open_background, board, screen, timing),
            OverlayPainter(parts.render_overlay, board),
        )
        self.preparers = backdrops.preparer, painter.preparer
        self.worker = MattingWorker(
            self.shared,
            self.frames,
            cast("EngineSelector", engines),
            backdrops,
            painter,
            DemandWatch(self.shared, ()),
            self.published.append,
        )
        for preparer in self.preparers:
            preparer.start()
        if settings.background.kind != "none":
            backdrops.follow(settings.background)
            eventually(lambda: not backdrops.preparer.busy)
            backdrops.follow(settings.background)
        self._painter = painter

    def draw_overlay(self, width: int, height: int) -> None:
        """Have the overlay drawn for frames of this size before the first one."""
        self._painter.follow(self.shared.owner.current, width, height)
        eventually(lambda: not self._painter.preparer.busy)


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
        for preparer in inference.preparers:
            assert preparer.stop(PATIENCE_S)
    assert ended and thread.error is None
