"""Measure the cost of the runtime: the program from source to sink beside a bare loop over the same engine.

    python -m benchmarks.bench_pipeline [--model M] [--weights F] [--seconds N] [--rounds N]
    python -m benchmarks.bench_pipeline --soak 10000

Prints JSON. The two loops are interleaved in one run; figures are medians over the rounds. `--soak` processes that many
frames with settings that change every 100 frames, and reports resident memory.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil

from app.bench.replay import ReplaySource
from app.capture.base import FrameSource
from app.capture.demo import DemoSource
from app.compositing import open_background
from app.core.settings import (
    BackgroundSettings,
    CaptureSettings,
    EdgeSettings,
    MattingSettings,
    OutputSettings,
    Settings,
)
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.kernels.dispatch import compiled
from app.output.memory import MemorySink
from app.runtime.parts import default_parts
from app.runtime.pipeline import Pipeline

WARM_UP_FRAMES = 20
HEAD_ROOM = 1.2
SOAK_HZ = 60.0


def demo_frames(settings: Settings) -> list[BgrImage]:
    """Return frames of the demo source."""
    source = DemoSource(settings.capture.width, settings.capture.height, settings.capture.fps, realtime=False)
    frames = [frame.image for frame in (source.read() for _ in range(8)) if frame is not None]
    source.close()
    return frames


def bare_loop(settings: Settings, frames: Sequence[BgrImage], seconds: float) -> float:
    """Return the frame rate of the engine in a loop, with frames and background prepared in advance."""
    width, height = settings.capture.width, settings.capture.height
    engine = build_engine(settings.matting, width, height)
    background = open_background(settings.background)
    edges = EdgeSettings(strict="off")
    try:
        for index in range(WARM_UP_FRAMES):
            engine.step(frames[index % 8], background.backdrop(width, height, 0.0), edges)
        started_s = time.perf_counter()
        done = 0
        while time.perf_counter() - started_s < seconds:
            engine.step(frames[done % 8], background.backdrop(width, height, 0.0), edges)
            done += 1
        return done / (time.perf_counter() - started_s)
    finally:
        engine.close()
        background.close()


def program(settings: Settings, frames: Sequence[BgrImage], rate_hz: float, seconds: float) -> tuple[float, ...]:
    """Return frame rate, and median step and end-to-end time (ms), of the program with the same frames at `rate_hz`."""
    pipeline = _pipeline(settings, lambda capture: ReplaySource(frames, rate_hz))
    pipeline.start()
    try:
        _wait_for(pipeline, WARM_UP_FRAMES)
        while pipeline.status().busy:
            _wait_for(pipeline, pipeline.status().frames_out + 1)
        before, started_s = pipeline.status().frames_out, time.perf_counter()
        threading.Event().wait(seconds)
        status = pipeline.status()
        rate = (status.frames_out - before) / (time.perf_counter() - started_s)
    finally:
        pipeline.stop()
    return rate, status.latency_ms.step.median, status.latency_ms.end_to_end.median


def soak(settings: Settings, frames: int) -> dict[str, object]:
    """Return resident memory (MB) at every tenth of a long run whose settings change every 100 frames."""
    ready = demo_frames(settings)
    pipeline = _pipeline(settings, lambda capture: ReplaySource(ready, SOAK_HZ))
    pipeline.start()
    process = psutil.Process()
    resident_mb: list[float] = []
    try:
        for goal in range(100, frames + 1, 100):
            _wait_for(pipeline, goal)
            pipeline.change(partial(_varied, turn=goal // 100))
            if goal % (frames // 10) == 0:
                gc.collect()
                resident_mb.append(round(process.memory_info().rss / 1e6, 1))
                print(f"{goal} frames: {resident_mb[-1]} MB resident", file=sys.stderr)
    finally:
        pipeline.stop()
    settled = resident_mb[1:]
    spread = (max(settled) - min(settled)) / statistics.median(settled) / 2
    return {"what": "soak", "frames": frames, "resident_mb": resident_mb, "spread": round(spread, 4)}


def _varied(settings: Settings, turn: int) -> Settings:
    backgrounds = (
        BackgroundSettings(kind="blur", blur_strength=10.0 * (turn % 10)),
        BackgroundSettings(kind="colour", colour="#336699"),
        settings.background,
    )
    ratios = (None, 0.2, 0.3)
    return settings.replace(
        background=backgrounds[turn % 3],
        matting=settings.matting.replace(downsample_ratio=ratios[turn // 3 % 3]),
        output=settings.output.replace(mirror=turn % 2 == 0),
    )


def _pipeline(settings: Settings, open_source: Callable[[CaptureSettings], FrameSource]) -> Pipeline:
    parts = replace(
        default_parts(),
        open_source=open_source,
        open_recorder=lambda path, width, height, options: MemorySink(),
    )
    return Pipeline(settings, parts=parts)


def _wait_for(pipeline: Pipeline, frames: int) -> None:
    pause = threading.Event()
    while pipeline.status().frames_out < frames:
        if pipeline.status().problems:
            raise SystemExit(pipeline.status().problems[0].message)
        pause.wait(0.02)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--executor", default="auto")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=int, default=0, metavar="FRAMES")
    words = parser.parse_args()
    compiled.wait()
    settings = Settings(
        capture=CaptureSettings(source="demo"),
        matting=MattingSettings(model=words.model, weights=words.weights, executor=words.executor, governor=False),
        background=BackgroundSettings(kind="colour"),
        output=OutputSettings(virtual_camera="off", record=Path("memory")),
    )
    if words.soak:
        print(json.dumps(soak(settings, words.soak), indent=2))
        return
    frames = demo_frames(settings)
    rounds = []
    for _ in range(words.rounds):
        bare = bare_loop(settings, frames, words.seconds)
        # Faster than the engine, so that the engine limits the rate; the outputs stay at 30 Hz.
        rounds.append((bare, *program(settings, frames, HEAD_ROOM * bare, words.seconds)))
    bare, whole, step_ms, end_to_end_ms = (statistics.median(column) for column in zip(*rounds, strict=True))
    result = {
        "what": "program",
        "bare_loop_fps": round(bare, 2),
        "program_fps": round(whole, 2),
        "ratio": round(statistics.median(row[1] / row[0] for row in rounds), 3),
        "step_median_ms": round(step_ms, 2),
        "end_to_end_median_ms": round(end_to_end_ms, 2),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
