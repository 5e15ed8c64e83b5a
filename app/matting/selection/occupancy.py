"""Detects a person in a plate; a plate that contains one causes a hole or a second person in the matte."""

from __future__ import annotations

import contextlib

import cv2
import numpy as np

from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import AlphaImage, BgrImage
from app.matting.base.geometry import StepGeometry, auto_ratio
from app.matting.selection.choice import choose
from app.matting.selection.network_backend import make_backend
from models.table import bundled

SHORT_SIDE = 288
"""Short side in pixels at which the plate is examined; larger sizes do not change the result."""
LOOKS = 3
"""Number of passes over the same image before the recurrent network's matte is used."""
CERTAIN = 230
"""Alpha (0..255) above which a pixel counts as a person. In empty rooms, coats and pillows rarely exceed it."""
SOMEONE_SHARE = 0.08
"""Minimum share of person pixels in an occupied plate.

Measured: 123 empty rooms outside the training set stay below 0.005 and the demo plate, with its flag and rocket, at
0.063; all of 80 portraits are above 0.16.
"""


def shows_someone(plate: BgrImage) -> bool:
    """Return whether the bundled network detects a person in the plate, (H, W, 3); takes some tenths of a second."""
    return float((person_matte(plate) > CERTAIN).mean()) > SOMEONE_SHARE


def person_matte(picture: BgrImage) -> AlphaImage:
    """Return the bundled network's alpha for a single image (H, W, 3); its short side is at most 288."""
    network = bundled()
    height, width = picture.shape[:2]
    part = min(1.0, SHORT_SIDE / min(height, width))
    size = max(1, round(width * part)), max(1, round(height * part))
    small: BgrImage = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    geometry = StepGeometry(*size, auto_ratio(*size, network.short_side))
    settings = MattingSettings(model=network.name, device="cpu", precision="float32")
    with contextlib.closing(make_backend(settings, choose(settings), geometry)) as backend:
        for _ in range(LOOKS):
            pending = backend.step(small, np.zeros_like(small), EdgeSettings(strict="off"))
            alpha = pending.result().alpha.copy()
    return alpha
