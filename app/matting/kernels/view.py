"""Kernel that enlarges a part of the frame, compiled by numba; see `app.matting.kernels.composite`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.matting.kernels.jit import READ, WRITE, Bytes, jit, rows

I32 = np.int32


@jit
def _columns(left: float, size: float, width: int, lefts: NDArray[np.int32], parts: NDArray[np.int32]) -> None:
    """Fill the left byte of each column's source pixels, and the weight of the right ones in 1/128."""
    for x in range(width):
        source = min(max(left * width + (x + 0.5) * size - 0.5, 0.0), width - 1.0)
        first = min(int(source), max(width - 2, 0))
        lefts[x] = 3 * first
        parts[x] = I32((source - first) * 128 + 0.5)


@jit
def _line(row: Bytes, lefts: NDArray[np.int32], parts: NDArray[np.int32], step: int, line: NDArray[np.int32]) -> None:
    """Resample one row of the frame horizontally; 128 times its values."""
    for x in range(lefts.shape[0]):
        i, j, part = lefts[x], 3 * x, parts[x]
        for colour in range(3):
            value = I32(row[i + colour])
            line[j + colour] = (value << 7) + (I32(row[i + step + colour]) - value) * part


@jit
def _between(upper: NDArray[np.int32], lower: NDArray[np.int32], part: np.int32, shown: Bytes) -> None:
    for i in range(shown.shape[0]):
        shown[i] = np.uint8(((upper[i] << 7) + (lower[i] - upper[i]) * part + 8192) >> 14)


@rows(READ, WRITE, float, float, float)
def view_rows(frame: Bytes, shown: Bytes, left: float, above: float, size: float, top: int, bottom: int) -> None:
    """Enlarge the view (left, above, size), in fractions of the frame (H, 3 * W), to the frame's size, bilinear.

    A row of the frame is resampled horizontally once: a view is smaller than the frame, so that consecutive rows of
    the result lie between the same rows of it.
    """
    height, width = frame.shape[0], frame.shape[1] // 3
    lefts, parts = np.empty(width, np.int32), np.empty(width, np.int32)
    _columns(left, size, width, lefts, parts)
    step = 3 if width > 1 else 0
    lines = np.empty((2, 3 * width), np.int32)
    resampled = np.full(2, -1, np.int64)
    for y in range(top, bottom):
        source = min(max(above * height + (y + 0.5) * size - 0.5, 0.0), height - 1.0)
        first = int(source)
        second = min(first + 1, height - 1)
        for row in (first, second):
            if resampled[row & 1] != row:
                resampled[row & 1] = row
                _line(frame[row], lefts, parts, step, lines[row & 1])
        _between(lines[first & 1], lines[second & 1], I32((source - first) * 128 + 0.5), shown[y])
