"""Strict decoding of JPEG frames: what libjpeg-turbo would repair with a warning is refused.

A camera on a bad cable loses parts of its MJPG frames. Decoders fill the gap with whatever follows, so that blocks of
the background appear in the wrong place.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray

MAX_PIXELS = 8192 * 8192
"""A header that promises more is a damaged one; the decoder would fill gigabytes."""
END = b"\xff\xd9"
"""Some drivers leave out the end marker; a second one does no harm."""
SURPLUS = "extraneous bytes before marker 0xd9"
"""What libjpeg-turbo says of bytes after the last block."""


class DamagedJpegError(Exception):
    """A JPEG frame is damaged; the text says how, in libjpeg-turbo's words."""

    @property
    def is_surplus(self) -> bool:
        """Whether bytes after the last block are all that was found. Some cameras end every intact frame like this."""
        return SURPLUS in str(self)


def decode_jpeg(data: NDArray[np.uint8], *, allow_damage: bool = False) -> NDArray[np.uint8]:
    """Return a JPEG as (height, width, 3) uint8 BGR.

    data: (n,) uint8. What follows the end marker is ignored: drivers pad their buffers. allow_damage: decode as far as
    possible. Raises DamagedJpegError.
    """
    return _decode(data, "BGR", strict=not allow_damage)


def check_jpeg(data: NDArray[np.uint8]) -> None:
    """Raise DamagedJpegError if a JPEG is damaged. data: (n,) uint8."""
    _decode(data, "GRAY", strict=True)


def _decode(data: NDArray[np.uint8], colours: Literal["BGR", "GRAY"], *, strict: bool) -> NDArray[np.uint8]:
    file = data.tobytes() + END
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(file)
        if height * width > MAX_PIXELS:
            raise DamagedJpegError(f"{width}x{height} pixels")
        return np.asarray(simplejpeg.decode_jpeg(file, colorspace=colours, strict=strict), np.uint8)
    except ValueError as error:
        raise DamagedJpegError(str(error)) from None
