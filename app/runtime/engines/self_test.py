"""A self-test of engines: they must find the person of the demo source, and nobody in its empty scene."""

from __future__ import annotations

import functools
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.capture.demo import DemoSource
from app.core.errors import ModelError
from app.core.messages.matting import ModelText
from app.core.settings import EdgeSettings
from app.core.types import BgrImage
from app.matting.base import MattingEngine
from app.runtime.engines.plausibility import mean_alpha
from models.table import needs_plate

RENDERED_SHORT_SIDE = 180
"""The test frames are rendered at this size, in pixels, and enlarged: that takes milliseconds."""
MIN_DIFFERENCE = 60
"""Pixels that differ by more than this (of 255) between the demo and its empty scene belong to the person."""
MIN_CONTRAST = 0.1
"""Mean alpha (0..1) on the person minus that beside the person: at least 0.23 measured, 0 for an engine that fails."""
MAX_EMPTY = 0.5
"""Upper bound of the mean alpha in the empty scene."""
MIN_SHORT_SIDE = 96
"""On smaller frames of the network a person cannot be recognised, and only the empty scene is tested."""


class Scene(NamedTuple):
    """The frames of the self-test; (H, W, 3) uint8 BGR."""

    empty: BgrImage
    occupied: BgrImage
    person: NDArray[np.bool_]
    """(H, W)"""


def self_test(engine: MattingEngine, width: int, height: int) -> None:
    """Raise ModelError unless the engine tells a person from an empty scene in frames of this size, in pixels.

    Takes two steps and resets the engine's recurrent state. A plate engine is not tested: its plate shows another room.
    """
    if needs_plate(engine.info.model):
        return
    scene = _scene(width, height)
    backdrop, edges = np.zeros_like(scene.empty), EdgeSettings(strict=False)  # strict mode hides still pictures
    engine.reset()
    empty = mean_alpha(engine.step(scene.empty, backdrop, edges).alpha)
    alpha = engine.step(scene.occupied, backdrop, edges).alpha
    engine.reset()
    contrast = float(alpha[scene.person].mean() - alpha[~scene.person].mean()) / 255
    too_small = min(engine.info.small_size) < MIN_SHORT_SIDE
    if empty > MAX_EMPTY or (contrast < MIN_CONTRAST and not too_small):
        raise ModelError(ModelText.SELF_TEST(model=engine.info.model, device=engine.info.device))


@functools.lru_cache(maxsize=2)
def _scene(width: int, height: int) -> Scene:
    scale = min(1.0, RENDERED_SHORT_SIDE / min(width, height))
    source = DemoSource(
        max(2, round(width * scale)), max(2, round(height * scale)), 1.0, realtime=False, empty_scene_s=1.0, motion=0.0
    )
    empty, occupied = (np.asarray(cv2.resize(source.render(index), (width, height)), np.uint8) for index in (0, 1))
    source.close()
    return Scene(empty, occupied, cv2.absdiff(empty, occupied).max(axis=2) > MIN_DIFFERENCE)
