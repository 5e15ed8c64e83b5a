"""Conversion of BGR frames to the planes that video encoders take."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.cpu_parts import CpuPart

BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)
"""Weights of red and blue in the luma of each colour matrix."""
BLACK, WHITE, NEUTRAL = 16, 235, 128
CHROMA_RANGE = 224
_GREY = np.round(BLACK + np.arange(256) * (WHITE - BLACK) / 255).astype(np.uint8)


class YuvConverter:
    """Converts frames of one even size to 4:2:0 in limited range. Its buffers are reused for every frame."""

    def __init__(self, width: int, height: int, weights: tuple[float, float], *, semi_planar: bool = False) -> None:
        """weights: `BT601` or `BT709`. semi_planar: NV12 (one plane of chroma) instead of I420 (two)."""
        self._matrix = _matrix(*weights)
        self._semi_planar = semi_planar
        self._half_size = width // 2, height // 2
        self._yuv = np.empty((height, width, 3), np.uint8)
        self._half = np.empty((height // 2, width // 2, 3), np.uint8)
        self._planes = np.empty((height * 3 // 2, width), np.uint8)
        self._luma, chroma = self._planes[:height], self._planes[height:]
        self._interleaved = chroma.reshape(height // 2, width // 2, 2)
        self._separate = chroma.reshape(2, height // 2, width // 2)

    def convert(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the planes (height * 3 / 2, width) of a BGR (height, width, 3) or grey (height, width) frame, uint8.

        Chroma is the mean of four pixels. The result is valid until the next call.
        """
        with CpuPart("convert"):
            if image.ndim == 2:
                cv2.LUT(image, _GREY, dst=self._luma)
                self._interleaved.fill(NEUTRAL)
                return self._planes
            # As 8-bit operations these take a seventh of the time that swscale needs for the same accuracy.
            cv2.transform(image, self._matrix, dst=self._yuv)
            cv2.extractChannel(self._yuv, 0, self._luma)
            cv2.resize(self._yuv, self._half_size, dst=self._half, interpolation=cv2.INTER_AREA)
            if self._semi_planar:
                np.copyto(self._interleaved, self._half[:, :, 1:])
            else:
                cv2.extractChannel(self._half, 1, self._separate[0])
                cv2.extractChannel(self._half, 2, self._separate[1])
            return self._planes


def _matrix(red: float, blue: float) -> NDArray[np.float64]:
    """Return the (3, 4) matrix from BGR to YUV in limited range; its last column is the offset."""
    luma = np.array([blue, 1 - red - blue, red])
    scale = (WHITE - BLACK) / 255
    rows = [luma * scale]
    for channel, weight in ((0, blue), (2, red)):
        difference = np.eye(3)[channel] - luma
        rows.append(difference / (2 * (1 - weight)) * CHROMA_RANGE / 255)
    return np.column_stack([rows, (BLACK, NEUTRAL, NEUTRAL)])
