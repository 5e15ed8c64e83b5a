"""Conversion between arrays and QImage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage
from PyQt6.sip import voidptr

from app.core.types import BgrImage

_FORMATS = {3: QImage.Format.Format_BGR888, 4: QImage.Format.Format_RGB32}


def to_qimage(image: NDArray[np.uint8]) -> QImage:
    """Return a QImage over the pixels of an array, which must not change from now on.

    image: (H, W, 3) BGR or (H, W, 4) BGRX, uint8; copied unless C-contiguous. Raises ValueError for other arrays.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in _FORMATS or 0 in image.shape:
        raise ValueError(f"an image must be (height, width, 3 or 4) uint8, not {image.shape} {image.dtype}")
    height, width, channels = image.shape
    pixels = np.ascontiguousarray(image)
    memory, line = voidptr(pixels.ctypes.data), channels * width
    # Qt holds the array for `_release`, which it calls once nothing uses the pixels.
    made: QImage = QImage(  # type: ignore[call-overload]  # it takes any memory
        memory, width, height, line, _FORMATS[channels], _release, pixels
    )
    return made


def from_qimage(image: QImage) -> BgrImage:
    """Copy a QImage to a BgrImage; alpha is dropped."""
    converted = image.convertToFormat(QImage.Format.Format_BGR888)
    return _pixels(converted, 3).copy()


def _release(_pixels: object) -> None:
    """Drop the last reference to an array."""


def _pixels(image: QImage, channels: int) -> NDArray[np.uint8]:
    """View the memory of an image as (H, W, channels), without line padding. Valid while the image exists."""
    bits = image.bits()
    if bits is None:
        raise ValueError("an empty image has no pixels")
    bits.setsize(image.sizeInBytes())
    memory: NDArray[np.uint8] = np.frombuffer(bits, np.uint8)  # type: ignore[call-overload]  # it is a buffer
    lines = memory.reshape(image.height(), image.bytesPerLine())
    return lines[:, : image.width() * channels].reshape(image.height(), image.width(), channels)
