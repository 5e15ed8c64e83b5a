"""The inference thread alone: a test gives it frames and engines, and takes what it publishes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from app.compositing.screen_use import ScreenUse
from app.core.settings import Settings
from app.core.types import Frame, Picture
from app.runtime.backdrops import Backdrops, OverlayPainter
from app.runtime.demand import DemandWatch
from app.runtime.engines.decision import StandBy
from app.runtime.engines.selector import EngineSelector
from app.runtime.matting_worker import MattingWorker
from app.runtime.parts import Parts
from app.runtime.shared import SettingsOwner, Shared
from app.runtime.timing import Timing
from app.runtime.worker import LatestSlot
from tests.waiting import eventually

PATIENCE_S = 60.0


class Inference:
    """The thread, the slot that it reads, and what it has published."""

    def __init__(self, settings: Settings, engines: object, parts: Parts, timing: Timing) -> None:
        """engines: in place of the selector."""
        self.shared = Shared(SettingsOwner(settings), parts, timing)
        self.frames = LatestSlot[Frame | StandBy]()
        self.published: list[Picture | StandBy] = []
        screen, board = ScreenUse(), self.shared.board
        backdrops, painter = (
            Backdrops(parts.open_background, board, screen),
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
        self._painter.follow(self.shared.settings, width, height)
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
