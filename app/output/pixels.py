"""Conversion of BGR frames to the pixel formats of virtual cameras."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.cpu_parts import CpuPart
from app.core.types import BgrImage

Layout = Literal["I420", "YUYV", "UYVY", "BGR"]
"""I420: planes Y, U, V, chroma at half size. YUYV, UYVY: packed 4:2:2. All are BT.601 limited range, which readers of a
camera assume. BGR: for systems whose driver converts."""

_CODES = {"I420": cv2.COLOR_BGR2YUV_I420, "YUYV": cv2.COLOR_BGR2YUV_YUY2, "UYVY": cv2.COLOR_BGR2YUV_UYVY}


class Packer:
    """Converts frames of one even size. Its buffer is reused for every frame."""

    def __init__(self, layout: Layout, width: int, height: int) -> None:
        self._code = _CODES.get(layout)
        self._buffer = np.empty((height * 3 // 2, width) if layout == "I420" else (height, width, 2), np.uint8)

    def pack(self, image: BgrImage) -> NDArray[np.uint8]:
        """Convert (height, width, 3) uint8 BGR to the layout. The result is valid until the next call."""
        if self._code is None:
            return image
        with CpuPart("convert"):
            cv2.cvtColor(image, self._code, dst=self._buffer)
        return self._buffer
