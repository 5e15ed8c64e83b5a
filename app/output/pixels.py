"""From BGR pictures to the bytes that virtual cameras take."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage

Layout = Literal["I420", "YUYV", "UYVY", "BGR"]
"""I420: planes Y, U, V, the latter two at half size. YUYV, UYVY: Y of each pixel, U and V of every second. All are
BT.601 limited range, which is what readers of a camera assume. BGR: for systems whose driver converts by itself."""

_CODES = {"I420": cv2.COLOR_BGR2YUV_I420, "YUYV": cv2.COLOR_BGR2YUV_YUY2, "UYVY": cv2.COLOR_BGR2YUV_UYVY}


class Packer:
    """Converts pictures of one even size; its buffer is used again for every picture."""

    def __init__(self, layout: Layout, width: int, height: int) -> None:
        self._code = _CODES.get(layout)
        self._buffer = np.empty((height * 3 // 2, width) if layout == "I420" else (height, width, 2), np.uint8)

    def pack(self, image: BgrImage) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 BGR as the layout's bytes; valid until the next call."""
        if self._code is None:
            return image
        cv2.cvtColor(image, self._code, dst=self._buffer)
        return self._buffer
