"""Whether somebody is in a plate: to the networks that compare with it, they would be a hole or a second person."""

from __future__ import annotations

import cv2
import numpy as np

from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import AlphaImage, BgrImage
from app.matting.geometry import StepGeometry, auto_ratio
from app.matting.selection.choice import choose
from models.table import bundled

SHORT_SIDE = 288
"""Of the picture it looks at; more changes nothing."""
LOOKS = 3
"""A recurrent network has seen the picture so often before its matte is believed."""
CERTAIN = 230
"""Of 255: in empty rooms it half believes in some coats and pillows, but is hardly ever sure of them."""
SOMEONE_SHARE = 0.08
"""So much of the picture that is surely a person is one: 123 empty rooms that the network was not trained on stay below
0.005 and the demo's, with its flag and rocket, at 0.063; 80 such portraits of 80 are above 0.16."""


def shows_someone(plate: BgrImage) -> bool:
    """Whether the bundled network sees a person in the plate, (H, W, 3); takes some tenths of a second."""
    return float((person_matte(plate) > CERTAIN).mean()) > SOMEONE_SHARE


def person_matte(picture: BgrImage) -> AlphaImage:
    """What is a person in a single picture (H, W, 3) to the bundled network; the short side is at most 288."""
    from app.matting.torch_backend.eager import EagerExecutor
    from app.matting.torch_backend.networks import load_core

    network = bundled()
    height, width = picture.shape[:2]
    part = min(1.0, SHORT_SIDE / min(height, width))
    size = max(1, round(width * part)), max(1, round(height * part))
    small: BgrImage = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    geometry = StepGeometry(*size, auto_ratio(*size, network.short_side))
    choice = choose(MattingSettings(model=network.name, device="cpu", executor="eager"))
    core = load_core(network.name, choice.weights, "auto", geometry.ratio, "cpu", "float32")
    executor = EagerExecutor(core, geometry)
    mattes = [executor.run(small, np.zeros_like(small), EdgeSettings(strict=False), False).alpha for _ in range(LOOKS)]
    return mattes[-1]
