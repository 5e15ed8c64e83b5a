"""Kernels for the inputs and outputs of networks on a CPU, compiled by numba; see `app.matting.kernels.composite`."""

from __future__ import annotations

import numpy as np

from app.core.types import Bytes, Floats
from app.matting.kernels.jit import PLANES, READ_FRAME, READ_PLANES, jit, rows, whole

F32, U64 = np.float32, np.uint64


@rows(READ_FRAME, float, float, PLANES)
def shrink_rows(frame: Bytes, across: float, down: float, small: Floats, top: int, bottom: int) -> None:
    """Downsample bilinearly by exactly these ratios. frame: (H, W, 3) BGR; small: (3, h, w) RGB in 0..1."""
    height, width, small_width = frame.shape[0], frame.shape[1], small.shape[2]
    pixels = frame.reshape(height, 3 * width)
    columns, weights = np.empty((2, small_width), np.uint64), np.empty(small_width, np.float32)
    for x in range(small_width):
        source_x = max((x + 0.5) / across - 0.5, 0.0)
        first = min(int(source_x), width - 1)
        columns[0, x], columns[1, x] = 3 * first, 3 * min(first + 1, width - 1)
        weights[x] = F32(source_x - first)
    line = np.empty(3 * width, np.float32)
    for y in range(top, bottom):
        source_y = max((y + 0.5) / down - 0.5, 0.0)
        y0 = min(int(source_y), height - 1)
        y1, fy = min(y0 + 1, height - 1), F32(source_y - y0)
        for i in range(U64(3 * width)):
            upper, lower = F32(pixels[y0, i]), F32(pixels[y1, i])
            line[i] = (upper + (lower - upper) * fy) * F32(1 / 255)
        for x in range(U64(small_width)):
            left, right, weight = columns[0, x], columns[1, x], weights[x]
            for channel in range(U64(3)):
                value = line[left + channel]
                small[U64(2) - channel, y, x] = value + (line[right + channel] - value) * weight


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


@whole(READ_PLANES, PLANES)
def average_cells(planes: Floats, means: Floats) -> None:
    """Fill `means` (C, rows, columns) with those of cells of planes (C, h, w) that are equally large but for a pixel.

    A cell has a pixel at least. OpenCV takes twenty times as long where pixels have parts in two cells.
    """
    height, width = planes.shape[1], planes.shape[2]
    rows, columns = means.shape[1], means.shape[2]
    sums = np.empty(width, np.float32)
    for c in range(means.shape[0]):
        for row in range(rows):
            top = row * height // rows
            bottom = max((row + 1) * height // rows, top + 1)
            for x in range(U64(width)):
                sums[x] = planes[c, top, x]
            for y in range(top + 1, bottom):
                for x in range(U64(width)):
                    sums[x] += planes[c, y, x]
            for column in range(columns):
                left = column * width // columns
                right = max((column + 1) * width // columns, left + 1)
                total = F32(0)
                for x in range(left, right):
                    total += sums[x]
                means[c, row, column] = total / F32((bottom - top) * (right - left))


@jit
def _sigmoid(value: np.float32) -> np.float32:
    """Return 1 / (1 + exp(-value)) within 1e-6; NaN stays. The loop around it vectorizes, unlike one around `exp`."""
    part = (F32(40) if value > F32(40) else value) * F32(-1 / 16)
    cubic = F32(1 / 6) + part * (F32(1 / 24) + part * (F32(1 / 120) + part * F32(1 / 720)))
    power = F32(1) + part * (F32(1) + part * (F32(0.5) + part * cubic))
    for _ in range(4):
        power *= power
    return F32(1) / (F32(1) + power)


@jit
def _alpha_row(logits: Floats, y: int, margin: np.float32) -> None:
    """Convert row y of logits (h, w) to alpha in 0..1, in place: the sigmoid, stretched by a margin at either end."""
    stretch = F32(1) / (F32(1) - F32(2) * margin)
    for x in range(U64(logits.shape[1])):
        alpha = (_sigmoid(logits[y, x]) - margin) * stretch
        alpha = F32(0) if alpha < F32(0) else alpha
        logits[y, x] = F32(1) if alpha > F32(1) else alpha


@rows(READ_PLANES, float, PLANES)
def matte_rows(cells: Floats, margin: float, matte: Floats, top: int, bottom: int) -> None:
    """Fill the matte (4, h, w) from cells of 2x2 pixels, (ceil(h / 2), ceil(w / 2), 16); see `models.export.Export`.

    Rearranges them as `pixel_shuffle` does. OpenVINO takes 1 ms more of a step for it.
    """
    width = matte.shape[2]
    for y in range(top, bottom):
        row = cells[y // 2]
        for c in range(matte.shape[0]):
            line, first = matte[c, y], 4 * c + 2 * (y % 2)
            for x in range(width // 2):
                line[2 * x], line[2 * x + 1] = row[x, first], row[x, first + 1]
            if width % 2:
                line[width - 1] = row[width // 2, first]
        _alpha_row(matte[3], y, F32(margin))
