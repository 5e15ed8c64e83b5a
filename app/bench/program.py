"""The rate of the whole program: demo source, engine, background and a sink that keeps the pictures in memory."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import replace
from pathlib import Path

from app.bench.measure import Timing
from app.capture.base import FrameSource
from app.capture.demo import DemoSource
from app.errors import ModelError
from app.output.memory import MemorySink
from app.runtime.parts import default_parts
from app.runtime.pipeline import Pipeline
from app.settings import BackgroundSettings, CaptureSettings, MattingSettings, OutputSettings, Settings

WARM_UP_FRAMES = 10
PATIENCE_S = 60.0


def time_program(matting: MattingSettings, width: int, height: int, seconds: float) -> Timing:
    """The intervals between the pictures of the running program, its source as fast as it is asked."""
    capture = CaptureSettings(source="demo", width=width, height=height)
    settings = Settings(
        capture=capture,
        matting=matting,
        background=BackgroundSettings(kind="colour"),
        output=OutputSettings(virtual_camera="off", record=Path("memory")),
    )
    pipeline = Pipeline(
        settings,
        parts=replace(
            default_parts(),
            open_source=_fast_demo,
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
            raise ModelError(problems[0].message if problems else "The program gave no pictures; try another model.")
        first, cpu_s = len(at_s), time.process_time()
        threading.Event().wait(seconds)
        last, cpu_s = len(at_s), time.process_time() - cpu_s
    finally:
        pipeline.stop()
    intervals = [
        (after - before) * 1e3 for before, after in zip(at_s[first:last], at_s[first + 1 : last], strict=False)
    ]
    if not intervals:
        raise ModelError("The program gave no two pictures in the time; measure for longer.")
    # Pictures come in bursts where two threads share a core: the mean says what the rate is.
    mean = statistics.mean(intervals)
    return Timing(wall_ms=intervals, cpu_ms=[cpu_s * 1e3 / max(1, last - first)], rate_ms=mean)


def _fast_demo(capture: CaptureSettings) -> FrameSource:
    return DemoSource(capture.width, capture.height, capture.fps, realtime=False)
