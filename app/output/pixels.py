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


class Packer:
    """Converts frames of one even size. Its buffers are reused for every frame.

    The packed layouts repeat each row of I420's chroma: OpenCV's own conversion to them takes three times as long.
    """

    def __init__(self, layout: Layout, width: int, height: int) -> None:
        self._layout = layout
        self._planes = np.empty((height * 3 // 2, width), np.uint8)
        self._luma, chroma = self._planes[:height], self._planes[height:]
        self._separate = tuple(chroma.reshape(2, height // 2, width // 2))
        self._interleaved = np.empty((height // 2, width // 2, 2), np.uint8)
        self._chroma = np.empty((height, width), np.uint8)
        self._packed = np.empty((height, width, 2), np.uint8)

    def pack(self, image: BgrImage) -> NDArray[np.uint8]:
        """Convert (height, width, 3) uint8 BGR to the layout: (height * 3 / 2, width) for I420, (height, width, 2) for
        YUYV and UYVY. The result is valid until the next call.
        """
        if self._layout == "BGR":
            return image
        with CpuPart("convert"):
            cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420, dst=self._planes)
            if self._layout == "I420":
                return self._planes
            cv2.merge(self._separate, dst=self._interleaved)
            row = self._interleaved.reshape(-1, self._luma.shape[1])
            self._chroma[0::2] = self._chroma[1::2] = row
            halves = (self._luma, self._chroma) if self._layout == "YUYV" else (self._chroma, self._luma)
            cv2.merge(halves, dst=self._packed)
        return self._packed
