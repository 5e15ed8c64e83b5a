"""A self-test of an engine that runs: it must find the person of the demo source and nobody in a plain frame."""

from __future__ import annotations

import numpy as np

from app.core.errors import ModelError
from app.core.settings import PLATE_MODELS, EdgeSettings
from app.core.types import BgrImage
from app.matting.base import MattingEngine
from app.runtime.engines.plausibility import mean_alpha

STEPS = 2
MIN_PERSON_SHARE = 0.05
"""Lower bound of the mean alpha (0..1) on the demo source; the person covers 0.27 of it at 16:9."""
MAX_EMPTY_SHARE = 0.5
"""Upper bound of the mean alpha on a frame of one grey."""


def self_test(engine: MattingEngine, width: int, height: int) -> None:
    """Raise ModelError unless the engine tells a person from nobody in frames of this size, in pixels.

    Resets the engine's recurrent state. A plate engine is not tested: its plate is not the demo's.
    """
    if engine.info.model in PLATE_MODELS:
        return
    from app.capture.demo import DemoSource

    source = DemoSource(width, height, 30.0, realtime=False)
    try:
        frame = source.read()
    finally:
        source.close()
    assert frame is not None
    empty = np.full_like(frame.image, 96)
    found, nobody = (_share(engine, image) for image in (frame.image, empty))
    if not (found >= MIN_PERSON_SHARE and nobody <= MAX_EMPTY_SHARE):
        raise ModelError(
            f"The model {engine.info.model} fails its self-test on {engine.info.device}; choose another model or"
            " executor."
        )


def _share(engine: MattingEngine, image: BgrImage) -> float:
    """Return the mean alpha after some steps on `image`, before a backdrop of one grey."""
    engine.reset()
    backdrop = np.zeros_like(image)
    edges = EdgeSettings()
    for _ in range(STEPS - 1):
        engine.step(image, backdrop, edges)
    share = mean_alpha(engine.step(image, backdrop, edges).alpha)
    engine.reset()
    return share
