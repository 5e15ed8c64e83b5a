"""Measure the jitter of the step: median and 95th percentile over many frames, with the window and without.

    python -m benchmarks.bench_jitter [--frames 2000] [--model M] [--weights F] [--downsample-ratio R] [--no-window]

Prints JSON. The demo source delivers 720p at 30 Hz; the window is idle. Without a display set
QT_QPA_PLATFORM=offscreen.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from app.bench.measure import percentile
from app.core.settings import CaptureSettings, MattingSettings, OutputSettings, Settings
from app.core.types import Matte
from app.matting.engine.frame_engine import FrameEngine
from app.matting.kernels.dispatch import compiled
from app.output.memory import MemorySink
from app.runtime.parts import default_parts
from app.runtime.pipeline import Pipeline

WARM_UP_FRAMES = 300
"""Ten seconds."""
LONGEST_S = 600.0
LOOK_S = 0.25


@contextmanager
def timed_steps() -> Iterator[list[float]]:
    """Record the milliseconds of every step of any engine."""
    took_ms: list[float] = []
    step = FrameEngine.step

    def timed(engine: FrameEngine, *asked: Any, **more: Any) -> Matte:
        started_s = time.perf_counter()
        matte = step(engine, *asked, **more)
        took_ms.append((time.perf_counter() - started_s) * 1e3)
        return matte

    with patch.object(FrameEngine, "step", timed):
        yield took_ms


def with_window(settings: Settings, took_ms: list[float], frames: int) -> None:
    """Run the window until `frames` frames were matted."""
    from app.gui.shell.application import Session, WindowOptions, make_application
    from app.gui.shell.single_instance import SingleInstance
    from app.gui.state.log_buffer import LogBuffer
    from benchmarks.bench_gui import wait

    app = make_application()
    session = Session(app, settings, WindowOptions(seconds=3600), SingleInstance(), LogBuffer())
    session.start()
    try:
        wait(LONGEST_S, lambda: len(took_ms) >= frames)
    finally:
        session.close()


def without_window(settings: Settings, took_ms: list[float], frames: int) -> None:
    """Run the pipeline with a sink in memory."""
    parts = replace(default_parts(), open_recorder=lambda path, width, height, options: MemorySink())
    pipeline = Pipeline(settings.replace(output=settings.output.replace(record=Path("memory"))), parts=parts)
    pipeline.start()
    pause, end_s = threading.Event(), time.monotonic() + LONGEST_S
    try:
        while len(took_ms) < frames and time.monotonic() < end_s:
            pause.wait(LOOK_S)
    finally:
        pipeline.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--downsample-ratio", type=float, default=0.25)
    parser.add_argument("--no-window", action="store_true")
    words = parser.parse_args()
    compiled.wait()
    settings = Settings(
        capture=CaptureSettings(source="demo", width=1280, height=720, fps=30),
        matting=MattingSettings(
            model=words.model, weights=words.weights, downsample_ratio=words.downsample_ratio, governor=False
        ),
        output=OutputSettings(virtual_camera="off"),
    )
    with timed_steps() as took_ms:
        run = without_window if words.no_window else with_window
        run(settings, took_ms, WARM_UP_FRAMES + words.frames)
    measured = took_ms[WARM_UP_FRAMES:]
    median, p95 = percentile(measured, 0.5), percentile(measured, 0.95)
    result = {
        "what": "step-jitter",
        "window": not words.no_window,
        "frames": len(measured),
        "median_ms": round(median, 2),
        "p95_ms": round(p95, 2),
        "p99_ms": round(percentile(measured, 0.99), 2),
        "worst_ms": round(max(measured), 2),
        "p95_of_median": round(p95 / median, 3),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
