"""Moving frames for networks, and the bundled one."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from app.core.settings import MattingSettings
from app.core.types import BgrImage, Floats
from app.matting.base.interface import MattingEngine, StepGeometry
from app.matting.openvino import conversion
from app.matting.openvino.conversion import NetworkSource
from app.matting.openvino.openvino_backend import SURVEY_FRAMES, OpenVinoBackend
from models.table import bundled
from models.weights import find
from tests.golden.fill import image

BuildEngine = Callable[[MattingSettings, int, int], MattingEngine]


def frames(width: int, height: int, count: int, seed: int = 0) -> list[BgrImage]:
    """Return (height, width, 3) uint8 frames with motion between them."""
    return [
        np.ascontiguousarray(
            (image(height, width, seed, t) * 255).round().astype(np.uint8).transpose(1, 2, 0)[..., ::-1]
        )
        for t in range(count)
    ]


def small_of(frame: BgrImage) -> Floats:
    """Return a frame as the input of a network of its size, (3, h, w), RGB in 0..1."""
    return np.ascontiguousarray(frame[..., ::-1].transpose(2, 0, 1), np.float32) * np.float32(1 / 255)


def bundled_backend(
    geometry: StepGeometry, threads: int | None = None, *, live: bool = False, survey_frames: int = SURVEY_FRAMES
) -> OpenVinoBackend:
    """Return the bundled network in OpenVINO."""
    spec = bundled()
    artefact = conversion.artefacts.load(NetworkSource(spec.name, find(spec.name)))
    return OpenVinoBackend(artefact, geometry, "float32", threads, live=live, survey_frames=survey_frames)


@contextmanager
def without_collection() -> Iterator[None]:
    """Free only what nothing refers to: reference cycles live for minutes, with all the memory that they hold."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
