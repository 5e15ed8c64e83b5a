"""Kernels for the inputs and outputs of networks on a CPU, compiled by numba; see `app.matting.kernels.composite`."""

from __future__ import annotations

import numpy as np

from app.core.types import Floats
from app.matting.kernels.jit import PLANES, READ_FRAME, READ_PLANES, Bytes, rows, whole

F32 = np.float32


@rows(READ_FRAME, float, float, PLANES)
def shrink_rows(frame: Bytes, across: float, down: float, small: Floats, top: int, bottom: int) -> None:
    """Downsample bilinearly by exactly these ratios. frame: (H, W, 3) BGR; small: (3, h, w) RGB in 0..1."""
    height, width, small_width = frame.shape[0], frame.shape[1], small.shape[2]
    columns, weights = np.empty((2, small_width), np.int64), np.empty(small_width, np.float32)
    for x in range(small_width):
        source_x = max((x + 0.5) / across - 0.5, 0.0)
        columns[0, x] = min(int(source_x), width - 1)
        columns[1, x] = min(columns[0, x] + 1, width - 1)
        weights[x] = F32(source_x - columns[0, x])
    for y in range(top, bottom):
        source_y = max((y + 0.5) / down - 0.5, 0.0)
        y0 = min(int(source_y), height - 1)
        upper, lower = frame[y0], frame[min(y0 + 1, height - 1)]
        fy = F32(source_y - y0)
        for channel in range(3):
            line = small[2 - channel, y]
            for x in range(small_width):
                left, right, fx = columns[0, x], columns[1, x], weights[x]
                high = F32(upper[left, channel]) * (F32(1) - fx) + F32(upper[right, channel]) * fx
                low = F32(lower[left, channel]) * (F32(1) - fx) + F32(lower[right, channel]) * fx
                line[x] = (high + (low - high) * fy) * F32(1 / 255)


@whole(READ_PLANES, READ_PLANES, result=bool)
def all_finite(slope: Floats, offset: Floats) -> bool:
    """Return whether arrays of one shape hold neither NaN nor infinity, whose exponents are all ones."""
    one, other, exponent = slope.reshape(-1).view(np.int32), offset.reshape(-1).view(np.int32), np.int32(0x7F800000)
    largest = np.int32(0)
    for i in range(one.shape[0]):
        largest = max(largest, max(one[i] & exponent, other[i] & exponent))
    return bool(largest != exponent)


@rows(READ_PLANES, PLANES)
def halve_rows(picture: Floats, halved: Floats, top: int, bottom: int) -> None:
    """Halve (C, h, w) to `halved`, (C, ceil(h / 2), ceil(w / 2)): the mean of up to four pixels each."""
    height, width = picture.shape[1], picture.shape[2]
    for c in range(halved.shape[0]):
        for y in range(top, bottom):
            upper, lower = picture[c, 2 * y], picture[c, min(2 * y + 1, height - 1)]
            line = halved[c, y]
            for x in range(width // 2):
                line[x] = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]) * F32(0.25)
            if width % 2:
                line[width // 2] = (upper[width - 1] + lower[width - 1]) * F32(0.5)


@rows(READ_PLANES, PLANES)
def pixel_rows(cells: Floats, planes: Floats, top: int, bottom: int) -> None:
    """Rearrange cells of 2x2 pixels, (ceil(h / 2), ceil(w / 2), 4 * C), as `pixel_shuffle` does; planes: (C, h, w)."""
    width = planes.shape[2]
    for y in range(top, bottom):
        row = cells[y // 2]
        for c in range(planes.shape[0]):
            line, first = planes[c, y], 4 * c + 2 * (y % 2)
            for x in range(width // 2):
                line[2 * x], line[2 * x + 1] = row[x, first], row[x, first + 1]
            if width % 2:
                line[width - 1] = row[width // 2, first]
