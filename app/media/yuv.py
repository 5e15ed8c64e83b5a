"""Conversion of BGR frames to the pixel formats of virtual cameras and video encoders."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.cpu_parts import CpuPart

Layout = Literal["I420", "NV12", "YUYV", "UYVY"]
"""I420: planes Y, U, V, chroma at half size. NV12: U and V interleaved in one plane. YUYV, UYVY: packed 4:2:2."""
BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)
"""Weights of red and blue in the luma of each colour matrix. Readers of a virtual camera assume BT.601."""
BLACK, WHITE, NEUTRAL = 16, 235, 128
CHROMA_RANGE = 224
_GREY = np.round(BLACK + np.arange(256) * (WHITE - BLACK) / 255).astype(np.uint8)


class YuvConverter:
    """Converts frames of one even size to one layout, in limited range. Its buffers are reused for every frame."""

    def __init__(self, layout: Layout, width: int, height: int, weights: tuple[float, float] = BT601) -> None:
        """weights: `BT601` or `BT709`."""
        self.layout = layout
        self._matrix = _matrix(*weights)
        if layout in ("YUYV", "UYVY"):
            self._converted = np.empty((height, width, 2), np.uint8)
            self._targets = self._converted.reshape(height, -1), np.empty((2, width // 2), np.uint8)
        else:
            self._converted = np.empty((height * 3 // 2, width), np.uint8)
            chroma = self._converted[height:]
            self._targets = self._converted[:height], chroma if layout == "NV12" else chroma.reshape(height, -1)

    def convert(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Convert (height, width, 3) uint8 BGR: to (height * 3 / 2, width) for I420 and NV12, (height, width, 2) for
        YUYV and UYVY. The planar layouts also take grey frames, (height, width).

        Chroma is the mean of four pixels. The result is valid until the next call.
        """
        # Compiled at the first use, which the start of the program does not wait for.
        from app.media.yuv_rows import packed_rows, planar_rows

        with CpuPart("convert"):
            if image.ndim == 2:
                luma, chroma = self._targets
                cv2.LUT(image, _GREY, dst=luma)
                chroma.fill(NEUTRAL)
                return self._converted
            rows = np.ascontiguousarray(image).reshape(image.shape[0], -1)
            if self.layout in ("YUYV", "UYVY"):
                packed_rows(rows, self._matrix, *self._targets, self.layout == "YUYV")
            else:
                planar_rows(rows, self._matrix, *self._targets, self.layout == "NV12")
            return self._converted


def _matrix(red: float, blue: float) -> NDArray[np.float32]:
    """Return the (3, 4) matrix from BGR to YUV in limited range; its last column is the offset."""
    luma = np.array([blue, 1 - red - blue, red])
    scale = (WHITE - BLACK) / 255
    rows = [luma * scale]
    for channel, weight in ((0, blue), (2, red)):
        difference = np.eye(3)[channel] - luma
        rows.append(difference / (2 * (1 - weight)) * CHROMA_RANGE / 255)
    return np.column_stack([rows, (BLACK, NEUTRAL, NEUTRAL)]).astype(np.float32)
