"""Conversion between arrays and QImage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage
from PyQt6.sip import voidptr

from app.core.types import BgrImage
from app.gui.widgets.qt import existing


def to_qimage(image: NDArray[np.uint8]) -> QImage:
    """Return a QImage over the pixels of an array, which must not change from now on.

    image: (H, W, 3) BGR or (H, W, 4) BGRX, uint8; copied unless C-contiguous.
    """
    height, width, channels = image.shape
    pixels = np.ascontiguousarray(image)
    memory, line = voidptr(pixels.ctypes.data), channels * width
    layout = {3: QImage.Format.Format_BGR888, 4: QImage.Format.Format_RGB32}[channels]
    # Qt holds the array for `_release`, which it calls once nothing uses the pixels.
    made: QImage = QImage(memory, width, height, line, layout, _release, pixels)  # type: ignore[call-overload]
    return made


def from_qimage(image: QImage) -> BgrImage:
    """Copy a QImage to a BgrImage; alpha is dropped."""
    converted = image.convertToFormat(QImage.Format.Format_BGR888)
    bits = existing(converted.bits())
    bits.setsize(converted.sizeInBytes())
    memory: NDArray[np.uint8] = np.frombuffer(bits, np.uint8)  # type: ignore[call-overload]  # it is a buffer
    lines = memory.reshape(image.height(), converted.bytesPerLine())  # with padding
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def _release(_pixels: object) -> None:
    """Drop the last reference to an array."""
