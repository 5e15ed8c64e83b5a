"""Kernels that convert BGR to YUV, compiled by numba; each byte of the frame is read once.

Two rows of pixels share a row of chroma, of the mean of four pixels each. The loops vectorize because indices are
unsigned, and neighbouring bytes are read and written as one number (little-endian). Arrays are indexed, not sliced:
each slice counts references.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.compiling import Function, compiled
from app.core.native_kernels import Argument, Array
from app.core.threads import cpu_part
from app.core.types import Bytes, Floats

Sums = NDArray[np.uint16]
Words = NDArray[np.uint32]
F32, U8, U16, U32, U64 = np.float32, np.uint8, np.uint16, np.uint32, np.uint64
ONE, TWO, LOW, BYTE = U64(1), U64(2), U16(255), U16(8)


def _jit(function: Function) -> Function:
    return compiled(function, nogil=True, fastmath={"contract"})


def _public(*more: type[bool]) -> Callable[[Function], Function]:
    """Return the decorator of a kernel that other modules call. more: arguments beside image, matrix and targets."""
    written = Array("uint8", 2, writable=True)
    arguments: list[Argument] = [Array("uint8", 2), Array("float32", 2), written, written, *more]
    return lambda function: compiled(function, arguments, nogil=True, fastmath={"contract"})


@_jit
def _split(image: Bytes, y: int, colours: Bytes, row: int) -> None:
    for x in range(U64(colours.shape[2])):
        i = U64(3) * x
        colours[row, 0, x], colours[row, 1, x], colours[row, 2, x] = image[y, i], image[y, i + ONE], image[y, i + TWO]


@_jit
def _luma(colours: Bytes, row: int, matrix: Floats, luma: Bytes, y: int) -> None:
    b, g, r, offset = matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[0, 3] + F32(0.5)
    for x in range(U64(luma.shape[1])):
        blue, green, red = F32(colours[row, 0, x]), F32(colours[row, 1, x]), F32(colours[row, 2, x])
        luma[y, x] = U8(np.int32(blue * b + green * g + red * r + offset))


@_jit
def _sums(pairs: Sums, colour: int, sums: Sums) -> None:
    """Add up squares of 2x2 values. pairs: (2, 3, W / 2), two values in each number."""
    for x in range(U64(sums.shape[1])):
        above, below = pairs[0, colour, x], pairs[1, colour, x]
        left = U16(U16(above & LOW) + U16(below & LOW))
        sums[colour, x] = U16(left + U16(U16(above >> BYTE) + U16(below >> BYTE)))


@_jit
def _chroma(sums: Sums, matrix: Floats, part: int, chroma: Bytes, y: int) -> None:
    b, g, r, offset = matrix[part, 0], matrix[part, 1], matrix[part, 2], matrix[part, 3] + F32(0.5)
    b, g, r = b * F32(0.25), g * F32(0.25), r * F32(0.25)
    for x in range(U64(sums.shape[1])):
        chroma[y, x] = U8(np.int32(F32(sums[0, x]) * b + F32(sums[1, x]) * g + F32(sums[2, x]) * r + offset))


@_jit
def _two_rows(
    image: Bytes, y: int, matrix: Floats, colours: Bytes, pairs: Sums, sums: Sums, luma: Bytes, first: int,
    chroma: Bytes, blue: int, red: int,
) -> None:  # fmt: skip
    """Convert rows y and y + 1 to rows `first` and the next of luma, and to rows `blue` and `red` of chroma.

    colours (2, 3, W), also as `pairs`, and sums (3, W / 2): scratch.
    """
    for row in range(2):
        _split(image, y + row, colours, row)
        _luma(colours, row, matrix, luma, first + row)
    for colour in range(3):
        _sums(pairs, colour, sums)
    _chroma(sums, matrix, 1, chroma, blue)
    _chroma(sums, matrix, 2, chroma, red)


@_jit
def _weave(luma: Sums, row: int, chroma: Bytes, packed: Words, y: int, luma_first: bool) -> None:
    one, other = U32(0 if luma_first else 8), U32(8 if luma_first else 0)
    for x in range(U64(packed.shape[1])):
        bright = U32(luma[row, x] & LOW) | U32(luma[row, x] >> BYTE) << U32(16)
        packed[y, x] = bright << one | (U32(chroma[0, x]) | U32(chroma[1, x]) << U32(16)) << other


@_public(bool)
def packed_rows(image: Bytes, matrix: Floats, packed: Bytes, chroma: Bytes, luma_first: bool) -> None:
    """Convert (H, 3 * W) BGR of even size to packed 4:2:2, (H, 2 * W): YUYV, or UYVY unless `luma_first`.

    matrix: (3, 4) from BGR and 1 to YUV. chroma: (2, W / 2), scratch.
    """
    width = image.shape[1] // 3
    colours, sums = np.empty((2, 3, width), np.uint8), np.empty((3, width // 2), np.uint16)
    luma = np.empty((2, width), np.uint8)
    pairs, luma_pairs, words = colours.view(np.uint16), luma.view(np.uint16), packed.view(np.uint32)
    for y in range(0, image.shape[0], 2):
        _two_rows(image, y, matrix, colours, pairs, sums, luma, 0, chroma, 0, 1)
        for row in range(2):
            _weave(luma_pairs, row, chroma, words, y + row, luma_first)


@_public()
def planar_rows(image: Bytes, matrix: Floats, luma: Bytes, chroma: Bytes) -> None:
    """Convert (H, 3 * W) BGR of even size to 4:2:0: luma (H, W) and chroma (H, W / 2), all of U before V.

    matrix: (3, 4) from BGR and 1 to YUV.
    """
    height, width = luma.shape
    colours, sums = np.empty((2, 3, width), np.uint8), np.empty((3, width // 2), np.uint16)
    pairs = colours.view(np.uint16)
    for y in range(0, height, 2):
        _two_rows(image, y, matrix, colours, pairs, sums, luma, y, chroma, y // 2, (height + y) // 2)


Layout = Literal["I420", "YUYV", "UYVY"]
"""I420: planes Y, U, V, chroma at half size. YUYV, UYVY: packed 4:2:2."""
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
            self._targets = self._converted[:height], self._converted[height:].reshape(height, -1)

    def convert(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Convert (height, width, 3) uint8 BGR: to (height * 3 / 2, width) for I420, (height, width, 2) for YUYV and
        UYVY. I420 also takes grey frames, (height, width).

        Chroma is the mean of four pixels. The result is valid until the next call.
        """
        with cpu_part("convert"):
            if image.ndim == 2:
                luma, chroma = self._targets
                cv2.LUT(image, _GREY, dst=luma)
                chroma.fill(NEUTRAL)
                return self._converted
            rows = np.ascontiguousarray(image).reshape(image.shape[0], -1)
            if self.layout in ("YUYV", "UYVY"):
                packed_rows(rows, self._matrix, *self._targets, self.layout == "YUYV")
            else:
                planar_rows(rows, self._matrix, *self._targets)
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
