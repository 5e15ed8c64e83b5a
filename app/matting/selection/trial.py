"""Measures the precisions of the installed networks on this machine, so that `auto` takes the fastest accurate one."""

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
from app.matting.engine.frame_engine import FrameEngine
from app.matting.selection.measured import Trial, Trials, cpu_precisions
from app.matting.selection.registry import build_engine

log = logging.getLogger(__name__)
WIDTH, HEIGHT = 1280, 720
PORTRAIT = paths.ROOT / "app" / "assets" / "astronaut.png"
FRAMES = 16
WARM_UP, TURN = 4, 4
"""Steps before the measurement, and steps in a turn of one precision."""
EDGE_PX = 4
"""Distance from a semi-transparent pixel of the float32 matte up to which a pixel is near an edge."""

Alphas = NDArray[np.float32]
"""(frames, height, width), 0..1"""


def measure(model: str, weights: Path, seconds: float, clock: Callable[[], float] = time.perf_counter) -> Trials:
    """Return the trials of an installed network in all its precisions, in turns for about `seconds`.

    A step is the one of a live picture: network and composite at 720p, on the threads that a live engine takes. A
    precision that cannot run is left out. clock: in seconds; replaced in tests. Raises OSError if the shipped portrait
    is missing.
    """
    frames = _frames()
    backdrop = np.zeros_like(frames[0])
    with contextlib.ExitStack() as stack:
        engines: dict[str, FrameEngine] = {}
        for precision in cpu_precisions(model, weights):
            try:
                engine = _engine(model, weights, precision)
            except ModelError as error:
                log.warning("%s cannot be measured in %s: %s", model, precision, error)
                continue
            stack.callback(engine.close)
            engines[precision] = engine
        alphas = {precision: _alphas(engine, frames, backdrop) for precision, engine in engines.items()}
        times_s = _times(engines, frames, backdrop, seconds, clock)
    if "float32" not in alphas:
        return {}
    return {
        precision: Trial(
            round(statistics.median(times_s[precision]) * 1e3, 2), *differences(alphas[precision], alphas["float32"])
        )
        for precision in engines
    }


def differences(alphas: Alphas, reference: Alphas) -> tuple[float, float]:
    """Return the mean absolute difference, over all pixels and over those near the edges of the reference."""
    kernel = np.ones((2 * EDGE_PX + 1, 2 * EDGE_PX + 1), np.uint8)
    soft = ((reference > 0.05) & (reference < 0.95)).astype(np.uint8)
    near = np.stack([cv2.dilate(frame, kernel) for frame in soft]) > 0
    difference = np.abs(alphas - reference)
    return float(difference.mean()), float(difference[near].mean()) if near.any() else 0.0


def _engine(model: str, weights: Path, precision: str) -> FrameEngine:
    settings = MattingSettings(model=model, weights=weights, device="cpu", executor="openvino", precision=precision)
    engine = build_engine(settings, WIDTH, HEIGHT, shared=True)
    assert isinstance(engine, FrameEngine), "networks with a plate are not measured"
    return engine


def _alphas(engine: FrameEngine, frames: list[BgrImage], backdrop: BgrImage) -> Alphas:
    edges = EdgeSettings(strict="off")
    alphas = [engine.step(frame, backdrop, edges).result().alpha.copy() for frame in frames]
    return np.stack(alphas[WARM_UP:]).astype(np.float32) / np.float32(255)


def _times(
    engines: Mapping[str, FrameEngine],
    frames: list[BgrImage],
    backdrop: BgrImage,
    seconds: float,
    clock: Callable[[], float],
) -> dict[str, list[float]]:
    """Return the times of the steps in seconds; changes of the processor's speed affect all precisions."""
    edges = EdgeSettings()
    times_s: dict[str, list[float]] = {precision: [] for precision in engines}
    begun_s = clock()
    while not all(times_s.values()) or clock() - begun_s < seconds:
        for precision, engine in engines.items():
            for frame in frames[:TURN]:
                started_s = clock()
                engine.step(frame, backdrop, edges)
                times_s[precision].append(clock() - started_s)
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
