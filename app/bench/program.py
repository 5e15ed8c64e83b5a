"""Measures the frame rate of the whole pipeline: source, engine, background and a sink in memory."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.bench.measure import Timing
from app.core.errors import ModelError
from app.core.messages.command_line import CommandLineText
from app.core.settings import BackgroundSettings, CaptureSettings, MattingSettings, OutputSettings, Settings
from app.core.types import BgrImage, Frame, SourceInfo
from app.output.memory import MemorySink
from app.runtime.parts import default_parts
from app.runtime.pipeline import Pipeline

WARM_UP_FRAMES = 10
PATIENCE_S = 60.0


class ReplaySource:
    """Source that repeats prepared frames at a constant frame rate, without decoding or conversion."""

    def __init__(self, frames: Sequence[BgrImage], fps: float) -> None:
        height, width = frames[0].shape[:2]
        self._frames = frames
        self._info = SourceInfo("demo", "replay", "replay", width, height, fps, "")
        self._count = 0
        self._begun_s = time.perf_counter()
        self._pause = threading.Event()

    @property
    def info(self) -> SourceInfo:
        """Return size and frame rate."""
        return self._info

    def read(self) -> Frame:
        """Wait for the next frame and return it; overdue frames are dropped."""
        self._count = max(self._count + 1, int((time.perf_counter() - self._begun_s) * self._info.fps))
        self._pause.wait(max(0.0, self._begun_s + self._count / self._info.fps - time.perf_counter()))
        return Frame(self._frames[self._count % len(self._frames)], self._count, time.perf_counter())

    def close(self) -> None:
        """Do nothing: there is no device to release."""


def time_program(matting: MattingSettings, frames: Sequence[BgrImage], fps: float, seconds: float) -> Timing:
    """Measure the intervals between composites of the running pipeline, whose source delivers `frames` at `fps`.

    Raise ModelError if there are too few.
    """
    height, width = frames[0].shape[:2]
    capture = CaptureSettings(source="demo", width=width, height=height, fps=min(fps, 240.0))
    settings = Settings(
        capture=capture,
        matting=matting.replace(governor=False),
        background=BackgroundSettings(kind="colour"),
        output=OutputSettings(virtual_camera="off", record=Path("memory")),
    )
    pipeline = Pipeline(
        settings,
        parts=replace(
            default_parts(),
            open_source=lambda capture: ReplaySource(frames, fps),
            open_recorder=lambda path, width, height, fps, alpha: MemorySink(),
        ),
    )
    at_s: list[float] = []
    warm = threading.Event()

    def note() -> None:
        at_s.append(time.perf_counter())
        if len(at_s) == WARM_UP_FRAMES:
            warm.set()

    pipeline.listen(note)
    pipeline.start()
    try:
        if not warm.wait(PATIENCE_S):
            problems = pipeline.status().problems
            raise ModelError(problems[0].message if problems else CommandLineText.NO_FRAMES())
        first, cpu_s = len(at_s), time.process_time()
        threading.Event().wait(seconds)
        last, cpu_s = len(at_s), time.process_time() - cpu_s
    finally:
        pipeline.stop()
    intervals = [
        (after - before) * 1e3 for before, after in zip(at_s[first:last], at_s[first + 1 : last], strict=False)
    ]
    if not intervals:
        raise ModelError(CommandLineText.TOO_FEW_FRAMES())
    # Composites arrive in bursts if two threads share a core: the mean gives the frame rate, the median does not.
    mean = statistics.mean(intervals)
    return Timing(wall_ms=intervals, cpu_ms=[cpu_s * 1e3 / max(1, last - first)], rate_ms=mean)
