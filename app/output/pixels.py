"""From BGR pictures to the bytes that virtual cameras take."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.types import BgrImage

Layout = Literal["I420", "YUYV", "BGR"]
"""I420: planes Y, U, V at half size. YUYV: Y and, in turns, U or V for each pixel. Both BT.601 limited range, which is
what every reader of a camera assumes. BGR: for systems whose driver converts by itself."""


class Packer:
    """Converts pictures of one even size; its buffer is used again for every picture."""

    def __init__(self, layout: Layout, width: int, height: int) -> None:
        self._layout = layout
        shape = {"I420": (height * 3 // 2, width), "YUYV": (height, width, 2), "BGR": (height, width, 3)}[layout]
        self._buffer = np.empty(shape, np.uint8)

    def pack(self, image: BgrImage) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 BGR as the layout's bytes; valid until the next call."""
        if self._layout == "BGR":
            return image
        code = cv2.COLOR_BGR2YUV_I420 if self._layout == "I420" else cv2.COLOR_BGR2YUV_YUY2
        cv2.cvtColor(image, code, dst=self._buffer)
        return self._buffer
