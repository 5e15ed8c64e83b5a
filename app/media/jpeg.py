"""Strict decoding of JPEG frames: what libjpeg-turbo would repair with a warning is refused.

A camera on a bad cable loses parts of its MJPG frames. Decoders fill the gap with whatever follows, so that blocks of
the background appear in the wrong place.
"""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from app.core.types import BgrImage

log = logging.getLogger(__name__)

MAX_PIXELS = 8192 * 8192
"""A header that promises more is a damaged one; the decoder would fill gigabytes."""
END = b"\xff\xd9"
"""Some drivers leave out the end marker; a second one does no harm."""
SURPLUS = "extraneous bytes before marker 0xd9"
"""What libjpeg-turbo says of bytes after the last block."""
HABIT_FRAMES = 8
"""A camera that appends surplus bytes to this many frames in a row always does; its frames are intact."""
LOG_INTERVAL = 100


class DamagedJpegError(Exception):
    """A JPEG frame is damaged; the text says how, in libjpeg-turbo's words."""

    def __init__(self, damage: str, decoded: NDArray[np.uint8] | None = None) -> None:
        """decoded: the frame as far as it was decoded."""
        super().__init__(damage)
        self.is_surplus = SURPLUS in damage
        """Whether bytes after the last block are all that was found. Some cameras end every intact frame like this."""
        self.intact = decoded if self.is_surplus else None
        """The frame, if nothing else was found."""


def decode_jpeg(data: NDArray[np.uint8], colours: Literal["BGR", "GRAY"] = "BGR") -> NDArray[np.uint8]:
    """Return a JPEG as (height, width, 3) uint8 BGR; with "GRAY", which is faster, as (height, width, 1).

    data: (n,) uint8. What follows the end marker is ignored: drivers pad their buffers. Raises DamagedJpegError.
    """
    file = data if data[-2:].tobytes() == END else np.frombuffer(data.tobytes() + END, np.uint8)
    image = None
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(file)
        if height * width > MAX_PIXELS:
            raise DamagedJpegError(f"{width}x{height} pixels")
        image = np.empty((height, width, 3 if colours == "BGR" else 1), np.uint8)
        # The colours of a pair of pixels are repeated, not interpolated, in a tenth less time: outputs join them again.
        simplejpeg.decode_jpeg(file, colorspace=colours, strict=True, buffer=image, fastupsample=True)
    except ValueError as error:
        raise DamagedJpegError(str(error), image) from None
    return image


class MjpgDecoder:
    """Decodes the JPEG frames of a camera, and counts those that are damaged. Used on one thread."""

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
            image: BgrImage | None = decode_jpeg(data)
        except DamagedJpegError as error:
            self._surplus_frames = self._surplus_frames + 1 if error.is_surplus else 0
            if self._surplus_frames < HABIT_FRAMES:
                self.last_damage = str(error)
                if self.damaged % LOG_INTERVAL == 0:
                    log.warning("The camera sends damaged frames (%s); they are dropped. Check its cable.", error)
                self.damaged += 1
                return None
            image = error.intact
        else:
            self._surplus_frames = 0
        self.last_damage = ""
        return image
