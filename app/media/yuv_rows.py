"""Kernels that convert BGR to YUV, compiled by numba; each byte of the frame is read once.

Two rows of pixels share a row of chroma, of the mean of four pixels each. The loops vectorize because indices are
unsigned, and neighbouring bytes are read and written as one number (little-endian).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from app.core.compiling import Function, compiled

Bytes = NDArray[np.uint8]
Sums = NDArray[np.uint16]
Floats = NDArray[np.float32]
F32, U8, U16, U32, U64 = np.float32, np.uint8, np.uint16, np.uint32, np.uint64
LOW, BYTE = U16(255), U16(8)


def _jit(function: Function) -> Function:
    return compiled(function, nogil=True, fastmath={"contract"})


def _public(function: Function) -> Function:
    image, matrix = (numba.types.Array(kind, 2, "C", readonly=True) for kind in (numba.uint8, numba.float32))
    written = numba.uint8[:, ::1]
    signature = numba.void(image, matrix, written, written, numba.boolean)
    return compiled(function, signature, nogil=True, fastmath={"contract"})


@_jit
def _split(row: Bytes, colours: Bytes) -> None:
    blue, green, red = colours[0], colours[1], colours[2]
    for x in range(U64(blue.shape[0])):
        blue[x], green[x], red[x] = row[U64(3) * x], row[U64(3) * x + U64(1)], row[U64(3) * x + U64(2)]


@_jit
def _sums(upper: Bytes, lower: Bytes, sums: Sums) -> None:
    """Add up squares of 2x2 values."""
    above, below = upper.view(np.uint16), lower.view(np.uint16)
    for x in range(U64(sums.shape[0])):
        left = U16(U16(above[x] & LOW) + U16(below[x] & LOW))
        sums[x] = U16(left + U16(U16(above[x] >> BYTE) + U16(below[x] >> BYTE)))


@_jit
def _weighted(colours: Bytes | Sums, share: np.float32, weights: Floats, values: Bytes) -> None:
    """Compute one of Y, U, V from colours (3, N), each times `share`."""
    blue, green, red = colours[0], colours[1], colours[2]
    b, g, r, offset = weights[0] * share, weights[1] * share, weights[2] * share, weights[3] + F32(0.5)
    for x in range(U64(values.shape[0])):
        values[x] = U8(np.int32(F32(blue[x]) * b + F32(green[x]) * g + F32(red[x]) * r + offset))


@_jit
def _two_rows(
    image: Bytes, y: int, matrix: Floats, colours: Bytes, sums: Sums, luma: Bytes, blue: Bytes, red: Bytes
) -> None:
    """Convert rows y and y + 1 to luma (2, W) and chroma (W / 2,). colours (2, 3, W), sums (3, W / 2): scratch."""
    for row in range(2):
        _split(image[y + row], colours[row])
        _weighted(colours[row], F32(1), matrix[0], luma[row])
    for colour in range(3):
        _sums(colours[0, colour], colours[1, colour], sums[colour])
    _weighted(sums, F32(0.25), matrix[1], blue)
    _weighted(sums, F32(0.25), matrix[2], red)


@_jit
def _weave(luma: Bytes, blue: Bytes, red: Bytes, packed: Bytes, luma_first: bool) -> None:
    two, words = luma.view(np.uint16), packed.view(np.uint32)
    one, other = U32(0 if luma_first else 8), U32(8 if luma_first else 0)
    for x in range(U64(words.shape[0])):
        bright = U32(two[x] & LOW) | U32(two[x] >> BYTE) << U32(16)
        words[x] = bright << one | (U32(blue[x]) | U32(red[x]) << U32(16)) << other


@_public
def packed_rows(image: Bytes, matrix: Floats, packed: Bytes, chroma: Bytes, luma_first: bool) -> None:
    """Convert (H, 3 * W) BGR of even size to packed 4:2:2, (H, 2 * W): YUYV, or UYVY unless `luma_first`.

    matrix: (3, 4) from BGR and 1 to YUV. chroma: (2, W / 2), scratch.
    """
    width = image.shape[1] // 3
    colours, sums = np.empty((2, 3, width), np.uint8), np.empty((3, width // 2), np.uint16)
    luma = np.empty((2, width), np.uint8)
    for y in range(0, image.shape[0], 2):
        _two_rows(image, y, matrix, colours, sums, luma, chroma[0], chroma[1])
        for row in range(2):
            _weave(luma[row], chroma[0], chroma[1], packed[y + row], luma_first)


@_public
def planar_rows(image: Bytes, matrix: Floats, luma: Bytes, chroma: Bytes, interleaved: bool) -> None:
    """Convert (H, 3 * W) BGR of even size to 4:2:0: luma (H, W), and chroma (H, W / 2) of I420 or (H / 2, W) of NV12.

    matrix: (3, 4) from BGR and 1 to YUV. interleaved: NV12.
    """
    height, width = luma.shape
    colours, sums = np.empty((2, 3, width), np.uint8), np.empty((3, width // 2), np.uint16)
    both = np.empty((2, width // 2), np.uint8)
    for y in range(0, height, 2):
        if interleaved:
            _two_rows(image, y, matrix, colours, sums, luma[y : y + 2], both[0], both[1])
            pairs = chroma[y // 2].view(np.uint16)
            for x in range(U64(pairs.shape[0])):
                pairs[x] = U16(both[0, x]) | U16(both[1, x]) << BYTE
        else:
            blue, red = chroma[y // 2], chroma[(height + y) // 2]
            _two_rows(image, y, matrix, colours, sums, luma[y : y + 2], blue, red)
