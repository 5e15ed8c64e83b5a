"""Detects camera frames of a single colour, which show a closed shutter or a format that the driver gets wrong."""

from __future__ import annotations

from app.core.messages.capture import CameraText
from app.core.types import BgrImage

STEPS = (64, 8)
"""Distances of the sampled pixels: few of them tell that most frames are not blank."""


def blank_fault(image: BgrImage) -> CameraText | None:
    """Return BLACK or GREEN (all planes zero in a YUV format) if the frame has no other colour, else None.

    image: (height, width, 3) uint8 BGR.
    """
    for step in STEPS:
        sample = image[::step, ::step]
        high = sample.max(axis=(0, 1))
        if int((high - sample.min(axis=(0, 1))).max()) > 2:
            return None
    blue, green, red = (int(value) for value in high)
    if max(blue, green, red) <= 2:
        return CameraText.BLACK
    return CameraText.GREEN if max(blue, red) <= 8 and 100 <= green <= 170 else None
