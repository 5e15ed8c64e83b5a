"""What the governor does while a load comes and goes: the real program around an engine whose cost is simulated.

    python -m benchmarks.bench_governor [--picture docs/images/governor.png] [--calm S] [--busy S] [--rest S]
    python -m benchmarks.bench_governor --step-ms 46 [--rest-ms 8] [--fps 60] [--seconds S]

Two programs run side by side, the one with the governor and the other without. A step waits for as long as a network of
that ratio would compute on a machine of which something else takes a part; the load is given as the part of the time
there is that a step at full quality takes. Prints JSON, a sample each half second.

With `--step-ms` model and ratio are pinned and each step takes this long: prints the frame rate that each program
holds, the intervals between its composites at the output, and the share of time that the inference thread is busy.
With `--rest-ms` this much of a step may overlap the next one.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from app.core.settings import (
    BackgroundSettings,
    CaptureSettings,
    EdgeSettings,
    EngineSettings,
    MattingSettings,
    OutputSettings,
    Settings,
)
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte, Picture, PictureKind
from app.matting.base.interface import EngineInfo, MatteEditor, Pending
from app.runtime.parts import default_parts
from app.runtime.pipeline import Pipeline
from benchmarks.replay import ReplaySource

RATE_HZ = 30.0
WIDTH, HEIGHT, FULL_RATIO = 480, 360, 0.75
FIXED_PART, STUDENT_PART = 0.2, 0.3
"""Of the work of a step at full quality: what no ratio changes, and what the lighter network takes."""
BUILD_S = 1.0
SAMPLE_S = 0.5
FRAMES = 7
CALM, MORE, HEAVY = 0.6, 1.5, 2.9


class SimulatedEngine:
    """Shows the backdrop after the time that a network would have taken."""

    def __init__(
        self, settings: EngineSettings, width: int, height: int, load: Callable[[], float], rest_s: float = 0.0
    ) -> None:
        threading.Event().wait(BUILD_S)
        ratio = settings.downsample_ratio or FULL_RATIO
        small = int(width * ratio), int(height * ratio)
        self.info = EngineInfo(settings.model, "simulated", "float32", "cpu", ratio, small)
        part = FIXED_PART + (1 - FIXED_PART) * (ratio / FULL_RATIO) ** 2
        self._work_s = part * (STUDENT_PART if settings.model == "mattecam" else 1) / RATE_HZ
        self._load = load
        self._rest_s = rest_s
        self._pause = threading.Event()

    @property
    def overlaps(self) -> bool:
        """Whether a part of a step may overlap the next one."""
        return self._rest_s > 0

    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
    ) -> Pending:
        """Wait for the network; nobody there: the backdrop."""
        self._pause.wait(self._work_s * self._load() - self._rest_s)

        def result() -> Matte:
            self._pause.wait(self._rest_s)
            return self._matte(frame, backdrop)

        return Pending(result)

    def _matte(self, frame: BgrImage, backdrop: Backdrop) -> Matte:
        picture = np.zeros_like(frame) if isinstance(backdrop, BlurredBackground) else backdrop.copy()
        return Matte(picture, np.zeros(frame.shape[:2], np.uint8))

    def reset(self, seen: AlphaImage | None = None) -> None:
        """There is no state."""

    def close(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one moment looks like."""

    time_s: float
    load: float
    fps: float
    fps_without: float
    ratio_part: float
    """Of the automatic ratio; 0 while no engine runs."""
    lighter_model: bool
    note: str


class ArrivalSink:
    """Notes when each composite arrives; repeats do not count."""

    name = "memory"

    def __init__(self) -> None:
        self.arrivals_s: list[float] = []
        self._last: int | None = None

    def send(self, picture: Picture) -> None:
        """Note the time of the frame."""
        if picture.kind is PictureKind.COMPOSITE and picture.frame is not None and picture.frame.index != self._last:
            self._last = picture.frame.index
            self.arrivals_s.append(time.perf_counter())

    def close(self) -> None:
        """There is nothing to release."""


def program(
    load: Callable[[], float],
    *,
    governor: bool,
    pinned: bool = False,
    sink: ArrivalSink | None = None,
    fps: float = RATE_HZ,
    rest_s: float = 0.0,
) -> Pipeline:
    """A running program that is not shown anywhere. pinned: model and ratio are not left to the governor."""
    matting = MattingSettings(governor=governor)
    if pinned:
        matting = matting.replace(model="rvm-mobilenetv3", downsample_ratio=FULL_RATIO)
    # A frame that equals the last one is not matted.
    frames = [np.full((HEIGHT, WIDTH, 3), 60 + number, np.uint8) for number in range(FRAMES)]
    settings = Settings(
        capture=CaptureSettings(source="demo", width=WIDTH, height=HEIGHT, fps=fps),
        matting=matting,
        background=BackgroundSettings(kind="colour"),
        output=OutputSettings(virtual_camera="off", record=Path("memory")),
    )
    parts = replace(
        default_parts().with_sinks(recording=lambda path, width, height, context: sink or ArrivalSink()),
        open_source=lambda capture: ReplaySource(frames, fps),
        build_engine=lambda matting, width, height, framing: SimulatedEngine(matting, width, height, load, rest_s),
        self_test=lambda engine, width, height: None,
    )
    pipeline = Pipeline(settings, parts=parts)
    pipeline.start()
    return pipeline


def play(calm_s: float, busy_s: float, rest_s: float) -> list[Sample]:
    """Runs both programs through calm, two loads and calm."""
    begun_s = time.perf_counter()

    def load() -> float:
        part = (time.perf_counter() - begun_s - calm_s) / busy_s
        return (MORE if part < 0.5 else HEAVY) if 0 <= part < 1 else CALM

    governed, plain = program(load, governor=True), program(load, governor=False)
    samples: list[Sample] = []
    pause = threading.Event()
    try:
        while (now_s := time.perf_counter() - begun_s) < calm_s + busy_s + rest_s:
            pause.wait(SAMPLE_S)
            status, without = governed.status(), plain.status()
            ratio, model = (status.engine.downsample_ratio, status.engine.model) if status.engine else (0.0, "")
            part = ratio / FULL_RATIO
            lowered = str(status.lowered or "")
            samples.append(Sample(now_s, load(), status.fps_out, without.fps_out, part, model == "mattecam", lowered))
    finally:
        ended = [governed.stop(), plain.stop()]
    assert all(ended), "a thread did not end"
    return samples


def hold(step_ms: float, seconds: float, fps: float, rest_ms: float) -> dict[str, dict[str, float]]:
    """Run both programs with steps of a constant length; return the last half of what they reached."""
    sinks = {"governor": ArrivalSink(), "without": ArrivalSink()}
    load = step_ms * RATE_HZ / 1000
    programs = [
        program(lambda: load, governor=name == "governor", pinned=True, sink=sink, fps=fps, rest_s=rest_ms / 1000)
        for name, sink in sinks.items()
    ]
    try:
        threading.Event().wait(seconds)
    finally:
        ended = [running.stop() for running in programs]
    assert all(ended), "a thread did not end"
    results = {}
    for name, sink in sinks.items():
        gaps_ms = np.diff(sink.arrivals_s[len(sink.arrivals_s) // 2 :]) * 1000
        held_fps = 1000 / float(gaps_ms.mean())
        low, median, high = (float(np.percentile(gaps_ms, part)) for part in (5, 50, 95))
        busy = held_fps * max(step_ms - rest_ms, rest_ms) / 1000
        values = {"fps": held_fps, "gap_ms_p5": low, "gap_ms_median": median, "gap_ms_p95": high, "busy": busy}
        results[name] = {key: round(value, 2) for key, value in values.items()}
    return results


PANEL_W, PANEL_H, LEFT, TOP, GAP = 860, 150, 70, 40, 46
INK, PALE, WITH, WITHOUT, LIGHTER = (40, 40, 40), (225, 225, 225), (60, 140, 40), (60, 60, 210), (235, 225, 200)
Curve = tuple[Sequence[float], tuple[int, int, int]]


def draw(path: Path, samples: Sequence[Sample]) -> None:
    """Load, pictures per second and ratio over time."""
    picture = np.full((TOP + 3 * (PANEL_H + GAP), LEFT + PANEL_W + 30, 3), 255, np.uint8)
    times = [sample.time_s for sample in samples]
    end_s = times[-1]
    ratio_top = TOP + 2 * (PANEL_H + GAP)
    for before, sample in pairwise(samples):
        if sample.lighter_model:
            from_x, to_x = (LEFT + round(PANEL_W * at_s / end_s) for at_s in (before.time_s, sample.time_s))
            cv2.rectangle(picture, (from_x, ratio_top), (to_x, ratio_top + PANEL_H), LIGHTER, -1)
    panels: list[tuple[str, float, list[Curve]]] = [
        ("Load: a step at full quality, as a part of the time there is", 3.6, [([s.load for s in samples], INK)]),
        (
            "Pictures per second, with the governor (green) and without (red)",
            36.0,
            [([s.fps_without for s in samples], WITHOUT), ([s.fps for s in samples], WITH)],
        ),
        (
            "Downsample ratio, as a part of the automatic one; shaded: the lighter model",
            1.2,
            [([s.ratio_part for s in samples], WITH)],
        ),
    ]
    for index, (title, most, curves) in enumerate(panels):
        _panel(picture, TOP + index * (PANEL_H + GAP), title, most, times, curves)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)


def _panel(
    picture: BgrImage, top: int, title: str, most: float, times: Sequence[float], curves: Sequence[Curve]
) -> None:
    bottom, end_s = top + PANEL_H, times[-1]
    _write(picture, title, (LEFT, top - 10))
    for part in (0.0, 1 / 3, 2 / 3, 1.0):
        y = round(bottom - part * PANEL_H)
        cv2.line(picture, (LEFT, y), (LEFT + PANEL_W, y), PALE, 1)
        _write(picture, f"{part * most:.3g}", (LEFT - 44, y + 5))
    for second in range(0, int(end_s) + 1, 10):
        x = LEFT + round(PANEL_W * second / end_s)
        cv2.line(picture, (x, bottom), (x, bottom + 4), INK, 1)
        _write(picture, f"{second} s", (x - 12, bottom + 20))
    for values, colour in curves:
        points = [
            (LEFT + PANEL_W * at_s / end_s, bottom - PANEL_H * min(value / most, 1.0))
            for at_s, value in zip(times, values, strict=True)
        ]
        cv2.polylines(picture, [np.array(points).round().astype(np.int32)], False, colour, 2, cv2.LINE_AA)


def _write(picture: BgrImage, text: str, at: tuple[int, int]) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)


def main() -> None:
    """Run, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--calm", type=float, default=20.0)
    parser.add_argument("--busy", type=float, default=50.0)
    parser.add_argument("--rest", type=float, default=30.0)
    parser.add_argument("--step-ms", type=float)
    parser.add_argument("--rest-ms", type=float, default=0.0)
    parser.add_argument("--fps", type=float, default=RATE_HZ)
    parser.add_argument("--seconds", type=float, default=30.0)
    words = parser.parse_args()
    if words.step_ms is not None:
        print(json.dumps(hold(words.step_ms, words.seconds, words.fps, words.rest_ms), indent=1))
        return
    samples = play(words.calm, words.busy, words.rest)
    print(json.dumps([asdict(sample) for sample in samples], indent=1))
    if words.picture is not None:
        draw(words.picture, samples)


if __name__ == "__main__":
    main()
