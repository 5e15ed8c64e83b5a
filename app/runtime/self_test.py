"""A self-test of engines.

They must find the person of the demo source, and nobody in its empty scene or the plate.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from app.capture.demo import DemoSource
from app.core.errors import t
from app.core.settings import EdgeSettings
from app.core.types import BgrImage, Mask
from app.matting.interface import ExecutorError, MattingEngine, StepRequest
from app.matting.plate.engine import PlateEngine
from app.privacy.plausibility import mean_alpha

RENDERED_SHORT_SIDE = 180
"""The test frames are rendered at this size, in pixels, and enlarged: that takes milliseconds."""
# Pixels that differ by more than this (of 255) between
# the demo and its empty scene belong to the person.
MIN_DIFFERENCE = 60
# Mean alpha (0..1) on the person minus that beside the person: at least 0.23 measured, 0
# for an engine that fails.
MIN_CONTRAST = 0.1
# Upper bound of the mean alpha in the empty scene.
MAX_EMPTY = 0.5
# The same for the plate of an engine that has one: such an engine knows the scene.
MAX_PLATE = 0.1
# Of the test frames: between two of them the view does not move.
FPS = 1024.0
# On smaller frames of the network a person cannot
# be recognised, and only the empty scene is tested.
MIN_SHORT_SIDE = 96


def self_test(engine: MattingEngine, width: int, height: int) -> None:
    """Raise ModelError unless the engine tells a person from an empty scene in frames of this
    size, in pixels.

    The empty scene of an engine with a plate is the plate, and the person is pasted on it. Takes
    two steps and resets the engine's recurrent state.
    """
    info = engine.info
    max_empty = MAX_EMPTY
    if isinstance(engine, PlateEngine):
        plate = engine.lit_plate
        max_empty = MAX_PLATE
        _, occupied, person = _scene(plate.shape[1], plate.shape[0])
        empty = plate
        occupied = np.where(person[..., None], occupied, plate)
        engine = engine.engine
    else:
        empty, occupied, person = _scene(width, height)
    backdrop = np.zeros_like(empty)
    edges = EdgeSettings()
    engine.reset()
    # Strict mode hides still pictures.
    empty_alpha = mean_alpha(engine.step(StepRequest(empty, backdrop, edges, strict="off")).alpha)
    alpha = engine.step(StepRequest(occupied, backdrop, edges, strict="off")).alpha
    engine.reset()
    contrast = float(alpha[person].mean() - alpha[~person].mean()) / 255
    too_small = min(info.small_size) < MIN_SHORT_SIDE
    if empty_alpha > max_empty or (contrast < MIN_CONTRAST and not too_small):
        text = t(
            "The model {model} fails its self-test on the device {device}; choose another model or "
            "executor.",
            model=info.model,
            device=info.device,
        )
        raise ExecutorError(text, info.model, info.device, info.precision, invalid_output=True)


@functools.lru_cache(maxsize=2)
def _scene(width: int, height: int) -> tuple[BgrImage, BgrImage, Mask]:
    """Return the empty scene, the same with the person, and where that differs.

    (H, W, 3) uint8 BGR, and (H, W).
    """
    scale = min(1.0, RENDERED_SHORT_SIDE / min(width, height))
    source = DemoSource(
        max(2, round(width * scale)),
        max(2, round(height * scale)),
        FPS,
        realtime=False,
        empty_scene_s=1 / FPS,
        motion=0.0,
    )
    # The first frame is that of the empty scene, the second one has the person.
    empty = np.asarray(cv2.resize(source.render(0), (width, height)), np.uint8)
    occupied = np.asarray(cv2.resize(source.render(1), (width, height)), np.uint8)
    source.close()
    person = cv2.absdiff(empty, occupied).max(axis=2) > MIN_DIFFERENCE
    return empty, occupied, person
