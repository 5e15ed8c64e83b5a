"""Moving frames for networks, and the bundled one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.core.settings import MattingSettings
from app.core.types import BgrImage
from app.matting.base.interface import MattingEngine, StepGeometry
from app.matting.openvino import artefact_cache
from app.matting.openvino.openvino_backend import OpenVinoBackend
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


def bundled_backend(geometry: StepGeometry, threads: int | None = None) -> OpenVinoBackend:
    """Return the bundled network in OpenVINO."""
    spec = bundled()
    return OpenVinoBackend(artefact_cache.artefacts.load(spec.name, find(spec.name)), geometry, threads=threads)
