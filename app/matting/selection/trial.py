"""Measures precisions and numbers of threads of the installed networks on this machine, so that `auto` can choose."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import ModelError
from app.core.files import paths
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import BgrImage
from app.matting.base.interface import Reuse
from app.matting.engine import FrameEngine
from app.matting.selection.choice import choose
from app.matting.selection.measured import HEIGHT, THREADS, WIDTH, Trial, Trials, cpu_precisions
from app.matting.selection.registry import network_engine

log = logging.getLogger(__name__)
PORTRAIT = paths.ROOT / "app" / "assets" / "astronaut.png"
FRAMES = 16
WARM_UP, TURN = 4, 4
"""Steps before the measurement, and steps in a turn of one engine."""
EDGE_PX = 4
"""Distance from a semi-transparent pixel of the float32 matte up to which a pixel is near an edge."""

Run = tuple[str, int | None]
"""Precision and number of threads, as in `Trial`"""
Clocks = tuple[Callable[[], float], Callable[[], float]]
CLOCKS: Clocks = (time.perf_counter, time.process_time)
"""Time and CPU time of the process, in seconds."""
Alphas = NDArray[np.float32]
"""(frames, height, width), 0..1"""


def measure(model: str, weights: Path, seconds: float, clocks: Clocks = CLOCKS) -> Trials:
    """Return the trials of an installed network in all its precisions, on all cores and one thread.

    They take turns for about `seconds`. A step is the one of a live picture: network and composite at 720p. A precision
    that cannot run is left out. clocks: replaced in tests. Raises OSError if the shipped portrait is missing.
    """
    frames = _frames()
    backdrop = np.zeros_like(frames[0])
    with contextlib.ExitStack() as stack:
        engines: dict[Run, FrameEngine] = {}
        for precision in cpu_precisions(model, weights):
            for threads in THREADS:
                try:
                    engine = _engine(model, weights, precision, threads)
                except ModelError as error:
                    log.warning("%s cannot be measured in %s: %s", model, precision, error)
                    break
                stack.callback(engine.close)
                engines[precision, threads] = engine
        alphas = {
            precision: _alphas(engine, frames, backdrop)
            for (precision, threads), engine in engines.items()
            if threads is None
        }
        times_s = _times(engines, frames, backdrop, seconds, clocks)
    if "float32" not in alphas:
        return []
    trials = []
    for (precision, threads), steps_s in times_s.items():
        step_s, finish_s, cpu_s = zip(*steps_s, strict=True)
        network_ms = round(max(0.0, min(step_s) - min(finish_s)) * 1e3, 2)
        finish_ms = round(min(finish_s) * 1e3, 2)
        cpu_ms = round(statistics.median(cpu_s) * 1e3, 2)
        found = differences(alphas[precision], alphas["float32"])
        trials.append(Trial(precision, threads, network_ms, finish_ms, cpu_ms, *found))
    return trials


def differences(alphas: Alphas, reference: Alphas) -> tuple[float, float]:
    """Return the mean absolute difference, over all pixels and over those near the edges of the reference."""
    kernel = np.ones((2 * EDGE_PX + 1, 2 * EDGE_PX + 1), np.uint8)
    soft = ((reference > 0.05) & (reference < 0.95)).astype(np.uint8)
    near = np.stack([cv2.dilate(frame, kernel) for frame in soft]) > 0
    difference = np.abs(alphas - reference)
    return float(difference.mean()), float(difference[near].mean()) if near.any() else 0.0


def _engine(model: str, weights: Path, precision: str, threads: int | None) -> FrameEngine:
    settings = MattingSettings(model=model, weights=weights, device="cpu", executor="openvino", precision=precision)
    return network_engine(settings, choose(settings), WIDTH, HEIGHT, lambda geometry: threads)


def _alphas(engine: FrameEngine, frames: list[BgrImage], backdrop: BgrImage) -> Alphas:
    edges = EdgeSettings(strict="off")
    alphas = [engine.step(frame, backdrop, edges).alpha.copy() for frame in frames]
    return np.stack(alphas[WARM_UP:]).astype(np.float32) / np.float32(255)


def _times(
    engines: Mapping[Run, FrameEngine], frames: list[BgrImage], backdrop: BgrImage, seconds: float, clocks: Clocks
) -> dict[Run, list[tuple[float, float, float]]]:
    """Return the times of each engine's steps in seconds: the step, its composite again, and CPU time of the step.

    The turns are short, so that changes of the processor's
    speed affect all engines. On one thread, the CPU time is the time of a stage, which other load does not change.
    """
    edges, (wall_clock, cpu_clock) = EdgeSettings(), clocks
    times_s: dict[Run, list[tuple[float, float, float]]] = {run: [] for run in engines}
    begun_s = wall_clock()
    while not all(times_s.values()) or wall_clock() - begun_s < seconds:
        for run, engine in engines.items():
            clock = cpu_clock if run[1] == 1 else wall_clock
            for frame in frames[:TURN]:
                cpu_s, started_s = cpu_clock(), clock()
                engine.step(frame, backdrop, edges)
                step_s, spent_s = clock() - started_s, cpu_clock() - cpu_s
                started_s = clock()
                engine.backend.step(frame, backdrop, edges, reuse=Reuse.MATTE)
                times_s[run].append((step_s, clock() - started_s, spent_s))
    return times_s


def _frames() -> list[BgrImage]:
    """Return views of the shipped portrait that pan and zoom over it, with the noise of a camera."""
    photo = cv2.imread(str(PORTRAIT), cv2.IMREAD_COLOR)
    if photo is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(PORTRAIT))
    scale = WIDTH / photo.shape[1]
    noise = np.random.default_rng(0)
    frames = []
    for index in range(FRAMES):
        zoom, shift_px = scale * (1.0 + 0.01 * index), 4.0 * index
        view = np.array([[zoom, 0, -shift_px], [0, zoom, -shift_px]])
        frame = cv2.warpAffine(photo, view, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        frames.append(np.clip(frame + noise.normal(0, 2.5, frame.shape), 0, 255).astype(np.uint8))
    return frames
