"""Conversion of BGR frames to YUV."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.compiling import loading
from app.core.types import Bytes

# I420: planes Y, U, V, chroma at half size. YUYV, UYVY: packed 4:2:2.
YuvLayout = Literal["I420", "YUYV", "UYVY"]
# Weights of red and blue in the luma of each colour matrix. Readers of a virtual camera assume
# BT.601.
BT601 = (0.299, 0.114)
BT709 = (0.2126, 0.0722)
BLACK = 16
WHITE = 235
NEUTRAL = 128
CHROMA_RANGE = 224


@functools.cache
def load_kernels() -> ModuleType:
    """Load what `to_yuv` calls: seconds, and longer at a first start, which compiles it.

    Not every output needs it.
    """
    with loading():
        from app.media import yuv_kernels
    return yuv_kernels


def to_yuv(
    image: Bytes,
    layout: YuvLayout,
    weights: tuple[float, float] = BT601,
    target: Bytes | None = None,
) -> Bytes:
    """Convert (height, width, 3) uint8 BGR of even size, in limited range: to
    (height * 3 / 2, width) for I420, and to (height, width, 2) for YUYV and UYVY. Grey frames are
    (height, width).

    Chroma is the mean of four pixels. weights: `BT601` or `BT709`. target: the result of an earlier
    call for this size and layout, which is written again: a new array for each frame costs time for
    its memory.
    """
    kernels = load_kernels()
    if image.ndim == 2:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    height, width = image.shape[:2]
    rows = np.ascontiguousarray(image).reshape(height, -1)
    matrix = _matrix(*weights)
    if layout == "I420":
        if target is None:
            target = np.empty((height * 3 // 2, width), np.uint8)
        luma = target[:height]
        chroma = target[height:].reshape(height, -1)
        kernels.planar_rows(rows, matrix, luma, chroma)
        return target
    if target is None:
        target = np.empty((height, width, 2), np.uint8)
    packed = target.reshape(height, -1)
    chroma_scratch = np.empty((2, width // 2), np.uint8)
    luma_first = layout == "YUYV"
    kernels.packed_rows(rows, matrix, packed, chroma_scratch, luma_first)
    return target


@functools.cache
def _matrix(red: float, blue: float) -> NDArray[np.int32]:
    """Return the (3, 4) matrix from BGR to YUV in limited range, in 256ths; its last column
    rounds as well.
    """
    luma = np.array([blue, 1 - red - blue, red])
    rows = [luma * (WHITE - BLACK)]
    for channel, weight in ((0, blue), (2, red)):
        difference = np.eye(3)[channel] - luma
        rows.append(difference / (2 * (1 - weight)) * CHROMA_RANGE)
    matrix = np.array(rows) * 256 / 255
    parts = np.round(matrix)
    # The parts of a row add up to what they were before they were rounded: grey stays grey.
    parts[:, 1] = np.round(matrix.sum(1)) - parts[:, 0] - parts[:, 2]
    # Half a step, because the kernels cut off what is below one.
    offsets = (np.array([BLACK, NEUTRAL, NEUTRAL]) + 0.5) * 256
    return np.column_stack([parts, offsets]).astype(np.int32)
