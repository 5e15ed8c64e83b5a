"""Kernels that convert BGR to YUV, compiled by numba; each byte of the frame is read once.

Two rows of pixels share a row of chroma, of the mean of four pixels each. The loops vectorize
because indices are unsigned, and neighbouring bytes are read and written as one number
(little-endian). Weights are integers in 256ths, for which 16 bits suffice. Arrays are indexed, not
sliced: each slice counts references.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.core.compiling import Argument, Array, Function, compiled
from app.core.types import Bytes

Pairs = NDArray[np.uint16]
Weights = NDArray[np.int32]
U8 = np.uint8
U16 = np.uint16
U64 = np.uint64
# Unsigned like the indices: numba makes a float of an unsigned and a signed number.
ONE = U64(1)
TWO = U64(2)
# For two bytes in one number: the lower one, and the place of the upper one.
LOW = U16(255)
BYTE = U16(8)


def _jit(function: Function) -> Function:
    return compiled(function, nogil=True)


def _public(*more: type[bool]) -> Callable[[Function], Function]:
    """Return the decorator of a kernel that other modules call.

    more: arguments beside image, matrix and targets.
    """
    written = Array("uint8", 2, writable=True)
    arguments: list[Argument] = [Array("uint8", 2), Array("int32", 2), written, written, *more]
    return lambda function: compiled(function, arguments, nogil=True)


@_jit
def _split(image: Bytes, y: int, colours: Bytes, row: int) -> None:
    for x in range(U64(colours.shape[2])):
        i = U64(3) * x
        blue = image[y, i]
        green = image[y, i + ONE]
        red = image[y, i + TWO]
        colours[row, 0, x] = blue
        colours[row, 1, x] = green
        colours[row, 2, x] = red


@_jit
def _weigh(colours: Bytes, row: int, matrix: Weights, part: int, target: Bytes, y: int) -> None:
    """Write one part of YUV from a row of blue, green and red."""
    b = matrix[part, 0]
    g = matrix[part, 1]
    r = matrix[part, 2]
    offset = matrix[part, 3]
    for x in range(U64(target.shape[1])):
        weighted = colours[row, 0, x] * b + colours[row, 1, x] * g + colours[row, 2, x] * r
        target[y, x] = U8((weighted + offset) >> 8)


@_jit
def _average(pairs: Pairs, colour: int, means: Bytes) -> None:
    """Average squares of 2x2 values.

    pairs: (2, 3, W / 2), two values in each number. means: (1, 3, W / 2).
    """
    for x in range(U64(means.shape[2])):
        above = pairs[0, colour, x]
        below = pairs[1, colour, x]
        left = (above & LOW) + (below & LOW)
        right = (above >> BYTE) + (below >> BYTE)
        means[0, colour, x] = U8(U16(left + right + TWO) >> TWO)


@_jit
def _two_rows(
    image: Bytes, y: int, matrix: Weights, colours: Bytes, pairs: Pairs, means: Bytes,
    luma: Bytes, first: int, chroma: Bytes, blue: int, red: int,
) -> None:  # fmt: skip
    """Convert rows y and y + 1 to rows `first` and the next of luma, and to rows `blue` and `red`
    of chroma.

    colours (2, 3, W), also as `pairs`, and means (1, 3, W / 2): scratch.
    """
    for row in range(2):
        _split(image, y + row, colours, row)
        _weigh(colours, row, matrix, 0, luma, first + row)
    for colour in range(3):
        _average(pairs, colour, means)
    _weigh(means, 0, matrix, 1, chroma, blue)
    _weigh(means, 0, matrix, 2, chroma, red)


@_jit
def _weave(first: Bytes, row: int, second: Bytes, other: int, pairs: Pairs, y: int) -> None:
    """Write the bytes of two rows in turn."""
    for x in range(U64(pairs.shape[1])):
        pairs[y, x] = U16(first[row, x]) | U16(second[other, x]) << BYTE


@_public(bool)
def packed_rows(
    image: Bytes,
    matrix: Weights,
    packed: Bytes,
    chroma: Bytes,
    luma_first: bool,
) -> None:
    """Convert (H, 3 * W) BGR of even size to packed 4:2:2, (H, 2 * W): YUYV, or UYVY unless
    `luma_first`.

    matrix: (3, 4) from BGR and 1 to YUV, in 256ths. chroma: (2, W / 2), scratch.
    """
    width = image.shape[1] // 3
    colours = np.empty((2, 3, width), np.uint8)
    means = np.empty((1, 3, width // 2), np.uint8)
    luma = np.empty((2, width), np.uint8)
    both = np.empty((1, width), np.uint8)
    pairs = colours.view(np.uint16)
    chroma_pairs = both.view(np.uint16)
    packed_pairs = packed.view(np.uint16)
    for y in range(0, image.shape[0], 2):
        _two_rows(image, y, matrix, colours, pairs, means, luma, 0, chroma, 0, 1)
        _weave(chroma, 0, chroma, 1, chroma_pairs, 0)
        for row in range(2):
            if luma_first:
                _weave(luma, row, both, 0, packed_pairs, y + row)
            else:
                _weave(both, 0, luma, row, packed_pairs, y + row)


@_public()
def planar_rows(image: Bytes, matrix: Weights, luma: Bytes, chroma: Bytes) -> None:
    """Convert (H, 3 * W) BGR of even size to 4:2:0: luma (H, W) and chroma (H, W / 2), all of U
    before V.

    matrix: (3, 4) from BGR and 1 to YUV, in 256ths.
    """
    height, width = luma.shape
    colours = np.empty((2, 3, width), np.uint8)
    means = np.empty((1, 3, width // 2), np.uint8)
    pairs = colours.view(np.uint16)
    for y in range(0, height, 2):
        blue_row = y // 2
        red_row = (height + y) // 2
        _two_rows(image, y, matrix, colours, pairs, means, luma, y, chroma, blue_row, red_row)
