"""Runs the real program over stand-in devices and measures it."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from app.core.errors import ModelError, SinkOpenError
from app.core.settings import CaptureSettings
from app.output.base import FrameSink, ReaderCounter, SinkContext
from app.output.virtual_camera import CameraChoice, open_virtual_camera
from app.runtime.context import PipelineParts, Timing, default_parts
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.settings import Settings
from benchmarks.in_use.camera_like import CameraLikeSource, Jpeg, MeasuredCamera, StandInCamera
from benchmarks.in_use.cpu import cpu_ms, sample, sections_counted, thread_table

NO_FRAMES = "The program processed no frames; try another model."
WARM_UP_FRAMES, WARM_UP_S = 30, 3.5
"""The governor lowers the quality for the first time after 2.5 s."""
SETTLE_S = 1.0
"""From the moment when the program rests or pauses to the measurement."""
PATIENCE_S = 120.0
TIMING = Timing()
POLL_S = 0.02


class Headless:
    """The pipeline without a window, with the interface of `MeasuredWindow`."""

    def __init__(self, settings: Settings, parts: PipelineParts) -> None:
        self.pipeline = Pipeline(settings, parts=parts, timing=TIMING)
        self._pause = threading.Event()

    def start(self, *, in_call: bool) -> None:
        """Start the pipeline. in_call: tells nothing without a window."""
        self.pipeline.start()

    def gaps_ms(self, seconds: float) -> list[float]:
        """There is no GUI thread."""
        return []

    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Wait for `seconds`; return True as soon as `until` returns True."""
        end_s = time.perf_counter() + seconds
        while (left_s := end_s - time.perf_counter()) > 0:
            if until is not None and until():
                return True
            self._pause.wait(left_s if until is None else min(POLL_S, left_s))
        return False

    def close(self) -> None:
        """Stop the pipeline."""
        self.pipeline.stop()


class Program:
    """One run of the program with these outputs. A context manager."""

    def __init__(
        self, settings: Settings, outputs: Sequence[str], frames: Sequence[Jpeg], folder: Path
    ) -> None:
        """settings: capture, matting and background of the run. folder: where recordings are
        written.
        """
        self.outputs = tuple(outputs)
        self._counted = ExitStack()
        self._frames = frames
        self._camera: MeasuredCamera | None = None
        self._source: CameraLikeSource | None = None
        self._readers = 1
        """Programs that read the virtual camera."""
        record = folder / "recording.mp4" if "recording" in outputs else None
        output = settings.output.replace(
            virtual_camera="auto", pipewire="off", record=record, on_demand=True
        )
        parts = self._parts()
        if "preview" in outputs:
            from benchmarks.in_use.measured_window import MeasuredWindow

            self._run: MeasuredWindow | Headless = MeasuredWindow(
                settings.replace(output=output), parts
            )
        else:
            self._run = Headless(settings.replace(output=output), parts)

    def __enter__(self) -> Program:
        self._counted.enter_context(sections_counted())
        self._run.start(in_call="camera" in self.outputs)
        if not self._run.wait(PATIENCE_S, lambda: len(self._sent()) >= WARM_UP_FRAMES):
            problems = self._run.pipeline.status().problems
            self.__exit__()
            raise ModelError(problems[0].message if problems else NO_FRAMES)
        self._run.wait(WARM_UP_S)
        return self

    def __exit__(self, *error: object) -> None:
        self._run.close()
        self._counted.close()

    def measure(self, seconds: float) -> dict[str, Any]:
        """Run for `seconds` and return the measurements, with fields as in the documents."""
        before, dropped, shown = sample(), self._dropped(), self._run.pipeline.status().frames_out
        self._run.wait(seconds)
        after, dropped = sample(), self._dropped() - dropped
        ages_ms = [age_s * 1e3 for at_s, age_s in self._sent() if before.at_s < at_s <= after.at_s]
        status = self._run.pipeline.status()
        if not ages_ms or not status.latency_ms.step.median:
            raise ModelError(
                "The program processed fewer than two frames in the time; measure for longer."
            )
        # Also those that repeat the last composite, because nothing moves.
        frames, elapsed_s = status.frames_out - shown, after.at_s - before.at_s
        # afterwards: the timer that it takes costs CPU time
        gaps_ms = self._run.gaps_ms(seconds / 4)
        return {
            "outputs": list(self.outputs),
            "fps": round(frames / elapsed_s, 2),
            "end_to_end_ms": {
                "median": round(statistics.median(ages_ms), 2),
                "p95": round(float(np.percentile(ages_ms, 95)), 2),
            },
            "step_ms": round(status.latency_ms.step.median, 2),
            "step_p95_ms": round(status.latency_ms.step.p95, 2),
            "dropped": dropped,
            "cores": round((after.process_s - before.process_s) / elapsed_s, 3),
            "gui_stall_ms": {
                "p99": round(float(np.percentile(gaps_ms, 99)), 1),
                "longest": round(max(gaps_ms), 1),
            }
            if gaps_ms
            else None,
            "lowered": str(status.lowered) if status.lowered else None,
            "cpu_ms_per_frame": cpu_ms(before, after, frames),
            "threads": thread_table(before, after, frames),
            "seconds": round(elapsed_s, 2),
        }

    def idle_cpu_percent(self, seconds: float) -> float:
        """Return the CPU time over `seconds` in percent of one core."""
        before = sample()
        self._run.wait(seconds)
        after = sample()
        return round(100 * (after.process_s - before.process_s) / (after.at_s - before.at_s), 2)

    def rest(self) -> None:
        """Wait until the program has released the camera because nobody reads the virtual one."""
        self._readers = 0
        if not self._run.wait(
            PATIENCE_S, lambda: self._run.pipeline.status().phase is Phase.RESTING
        ):
            raise ModelError(NO_FRAMES)
        self._run.wait(SETTLE_S)

    def pause(self) -> None:
        """Show the stand-by card from now on."""
        self._run.pipeline.change(lambda settings: settings.replace(paused=True))
        self._run.wait(SETTLE_S)

    def _sent(self) -> list[tuple[float, float]]:
        return self._camera.sent if self._camera is not None else []

    def _dropped(self) -> int:
        """Return the frames dropped so far, by the source and before matting."""
        missed = self._source.missed if self._source is not None else 0
        return self._run.pipeline.status().frames_dropped + missed

    def _parts(self) -> PipelineParts:
        def open_source(capture: CaptureSettings) -> CameraLikeSource:
            self._source = CameraLikeSource(
                self._frames, capture.width, capture.height, capture.fps
            )
            return self._source

        def open_camera(
            choice: CameraChoice, width: int, height: int, context: SinkContext
        ) -> FrameSink:
            camera: FrameSink | None = None
            if "camera" in self.outputs:
                try:
                    camera = open_virtual_camera(choice, width, height, context)
                except SinkOpenError:
                    camera = StandInCamera(width, height)
            self._camera = MeasuredCamera(camera)
            return self._camera

        def watch_readers(_device: str) -> ReaderCounter:
            return SimpleNamespace(readers=lambda: range(self._readers), close=lambda: None)

        parts = default_parts().with_sinks(virtual_camera=open_camera)
        return replace(parts, open_source=open_source, watch_readers=watch_readers)
