"""The process that runs the program for the benchmark: reads the workload as JSON from standard
input, writes rows.

A process of its own, so that nothing that the benchmark has loaded or measured before disturbs the
program.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from app.backgrounds import open_background
from app.core.errors import MattecamError
from app.core.threads import name_thread
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.engine import load_kernels
from app.matting.interface import StepRequest
from app.media.jpeg import MjpgDecoder
from app.settings import Settings
from benchmarks.in_use.camera_like import camera_frames
from benchmarks.in_use.program import Program
from benchmarks.in_use.run import Workload

SCENE_FRAMES, ALONE_FRAMES = 60, 16
ALONE_WARM_UP = 10
SHORTEST_IDLE_S = 2.0


class StepAlone:
    """The frame step without the program, on a thread of its own."""

    def __init__(self, settings: Settings, frames: list[BgrImage]) -> None:
        self._frames = frames
        self._edges = settings.matting.edges
        self._strict = settings.strict.level
        height, width = frames[0].shape[:2]
        # OpenVINO's workers inherit the name, so that their time counts as the network's
        self._thread = ThreadPoolExecutor(1, initializer=name_thread, initargs=("matting",))
        self._engine = self._thread.submit(
            build_engine, settings.matting.engine, width, height, shared=True
        ).result()
        with closing(open_background(settings.background)) as background:
            self._backdrop = background.backdrop(width, height, 0.0)
        self.measure(0.0)

    def measure(self, seconds: float) -> list[float]:
        """Return the durations of steps in milliseconds, for about `seconds`."""
        return self._thread.submit(self._measure, seconds).result()

    def close(self) -> None:
        """Close the engine."""
        self._thread.submit(self._engine.close).result()
        self._thread.shutdown()

    def _measure(self, seconds: float) -> list[float]:
        times: list[float] = []
        end_s = time.perf_counter() + seconds
        while len(times) < 2 * ALONE_WARM_UP or time.perf_counter() < end_s:
            started_s = time.perf_counter()
            frame = self._frames[len(times) % len(self._frames)]
            self._engine.step(StepRequest(frame, self._backdrop, self._edges, self._strict))
            times.append((time.perf_counter() - started_s) * 1e3)
        return times[ALONE_WARM_UP:]


def measure(work: Workload) -> Iterable[dict[str, Any]]:
    """Yield one row per phase and round. The step alone is measured before and after each."""
    load_kernels()
    capture = work.settings.capture
    frames = camera_frames(
        capture.width, capture.height, capture.fps, SCENE_FRAMES, motion=0.0 if work.still else 1.0
    )
    decoded = [
        image for image in map(MjpgDecoder().decode, frames[:ALONE_FRAMES]) if image is not None
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(StepAlone(work.settings, decoded)) as alone,
    ):
        before_ms = alone.measure(work.seconds / 4)
        for outputs in list(work.phases) * work.rounds:
            with Program(work.settings, outputs, frames, Path(folder)) as program:
                row = program.measure(work.seconds)
            after_ms = alone.measure(work.seconds / 4)
            alone_ms = statistics.median(before_ms + after_ms)
            before_ms = after_ms
            yield {
                "what": "in-use",
                **row,
                "step_alone_ms": round(alone_ms, 2),
                "step_ratio": round(row["step_ms"] / alone_ms, 3),
            }
        if work.idle:
            yield from _idle(work, frames, Path(folder))


def _idle(work: Workload, frames: list[Any], folder: Path) -> Iterable[dict[str, Any]]:
    seconds = max(SHORTEST_IDLE_S, work.seconds / 2)
    with Program(work.settings, ("camera",), frames, folder) as program:
        program.rest()
        percent = program.idle_cpu_percent(seconds)
        yield {"what": "resting", "outputs": ["camera"], "cpu_percent": percent}
    everything = max(work.phases, key=len)
    with Program(work.settings, everything, frames, folder) as program:
        program.pause()
        percent = program.idle_cpu_percent(seconds)
        yield {"what": "paused", "outputs": list(everything), "cpu_percent": percent}


def main() -> None:
    """Measure the workload on standard input; print one JSON object per line. An error ends it with
    its sentence.
    """
    try:
        for row in measure(Workload.model_validate_json(sys.stdin.read())):
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
    except MattecamError as error:
        sys.exit(error.text)


if __name__ == "__main__":
    main()
