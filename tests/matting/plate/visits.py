"""Frames of somebody before the plate of the tests, and what the tests switch off."""

from __future__ import annotations

import cv2

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, BgrImage
from app.matting.plate.plate import PlateWatch
from tests.matting.networks import frames

OFF = EdgeSettings(strict="off")


def visit(width: int, height: int) -> BgrImage:
    """Return a frame with a small, distant person before the plate of `settings`."""
    picture = frames(width, height, 1)[0]
    cv2.ellipse(picture, (width // 2, height), (width // 16, height // 3), 0, 0, 360, (40, 60, 230), -1)
    return picture


def keep_the_plates_light(self: PlateWatch, frame: BgrImage, alpha: AlphaImage | None, *, at_once: bool) -> bool:
    """Replace `PlateWatch.look`: report no drift and do not match the plate to the light of the frame."""
    return False
