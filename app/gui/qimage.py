"""The only place that makes a QImage out of an array, or an array out of a QImage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage
from PyQt6.sip import voidptr

from app.types import BgrImage

_FORMATS = {3: QImage.Format.Format_BGR888, 4: QImage.Format.Format_RGB32}


def to_qimage(image: NDArray[np.uint8]) -> QImage:
    """A QImage with pixels of its own.

    image: (H, W, 3) BGR or (H, W, 4) BGRX, uint8, any stride between rows. Raises ValueError for anything else.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in _FORMATS or 0 in image.shape:
        raise ValueError(f"an image must be (height, width, 3 or 4) uint8, not {image.shape} {image.dtype}")
    height, width, channels = image.shape
    if image.strides[1:] != (channels, 1) or image.strides[0] < width * channels:
        image = np.ascontiguousarray(image)
    borrowed = QImage(voidptr(image.ctypes.data), width, height, image.strides[0], _FORMATS[channels])
    return borrowed.copy()


def from_qimage(image: QImage) -> BgrImage:
    """The pixels of a QImage as a BgrImage of its own; what is transparent gets the colour it would have."""
    converted = image.convertToFormat(QImage.Format.Format_BGR888)
    width, height = converted.width(), converted.height()
    bits = converted.constBits()
    if bits is None or not width or not height:
        raise ValueError("an empty image has no pixels")
    rows = np.frombuffer(bits.asarray(converted.sizeInBytes()), np.uint8).reshape(height, converted.bytesPerLine())
    return np.ascontiguousarray(rows[:, : width * 3].reshape(height, width, 3))
