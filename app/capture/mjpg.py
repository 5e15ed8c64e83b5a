"""What is wrong with frames of a camera: MJPG that is damaged, and frames of a single colour."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from app.core.messages.capture import CameraText
from app.core.types import BgrImage
from app.media.jpeg import DamagedJpegError, decode_jpeg

log = logging.getLogger(__name__)

HABIT_FRAMES = 8
"""A camera that appends surplus bytes to this many frames in a row always does; its frames are intact."""
LOG_INTERVAL = 100


class MjpgDecoder:
    """Decodes JPEG frames. Used on one thread."""

    def __init__(self) -> None:
        self.damaged = 0
        """Frames dropped so far."""
        self.last_damage = ""
        """What was wrong with the last frame; empty if nothing was."""
        self._surplus_frames = 0
        """How many frames in a row ended with surplus bytes."""

    def decode(self, data: NDArray[np.uint8]) -> BgrImage | None:
        """Return the frame as (height, width, 3) uint8 BGR, or None if it is damaged. data: (n,) uint8."""
        try:
            image = decode_jpeg(data)
        except DamagedJpegError as error:
            self._surplus_frames = self._surplus_frames + 1 if error.is_surplus else 0
            if self._surplus_frames >= HABIT_FRAMES:
                self.last_damage = ""
                return error.intact
            self._drop(str(error))
            return None
        self._surplus_frames = 0
        self.last_damage = ""
        return image

    def _drop(self, damage: str) -> None:
        self.last_damage = damage
        if self.damaged % LOG_INTERVAL == 0:
            log.warning("The camera sends damaged frames (%s); they are dropped. Check its cable.", damage)
        self.damaged += 1


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
