"""Relighting kernels for CPUs, compiled by numba; see `app.matting.light`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats
from app.matting.kernels.jit import PLANES, READ, WRITE, Bytes, jit, rows

F32 = np.float32


@jit
def _map_row(maps: Floats, y: int, height: int, row: Floats) -> None:
    """Interpolate the maps (6, h, w) vertically for row `y` of `height`: (6, w)."""
    source = min(max((y + 0.5) * maps.shape[1] / height - 0.5, 0.0), maps.shape[1] - 1.0)
    first = int(source)
    second, part = min(first + 1, maps.shape[1] - 1), F32(source - first)
    for plane in range(6):
        for x in range(maps.shape[2]):
            upper = maps[plane, first, x]
            row[plane, x] = upper + (maps[plane, second, x] - upper) * part


@jit
def _columns(cells: int, width: int, lefts: NDArray[np.int32], parts: Floats) -> None:
    """Fill the left cell and the weight of the right one for each of `width` columns; shapes (1, W)."""
    for x in range(width):
        source = min(max((x + 0.5) * cells / width - 0.5, 0.0), cells - 1.0)
        left = min(int(source), max(cells - 2, 0))
        lefts[0, x] = left
        parts[0, x] = F32(source - left)


@rows(PLANES, PLANES, PLANES, PLANES, PLANES)
def relight_rows(
    slope: Floats, offset: Floats, maps: Floats, new_slope: Floats, new_offset: Floats, top: int, bottom: int
) -> None:
    """Write coefficients (4, h, w) whose foreground is relit by `maps` (6, h', w'); alpha is unchanged.

    The foreground is pixel * (1 + slope) + offset, so that gain and bias fold into both.
    """
    width = slope.shape[2]
    lefts, parts = np.empty((1, width), np.int32), np.empty((1, width), np.float32)
    _columns(maps.shape[2], width, lefts, parts)
    row = np.empty((6, maps.shape[2]), np.float32)
    for y in range(top, bottom):
        _map_row(maps, y, slope.shape[1], row)
        for plane in range(3):
            for x in range(width):
                left, part = lefts[0, x], parts[0, x]
                gain = row[plane, left] + (row[plane, left + 1] - row[plane, left]) * part
                bias = row[plane + 3, left] + (row[plane + 3, left + 1] - row[plane + 3, left]) * part
                new_slope[plane, y, x] = gain * (F32(1) + slope[plane, y, x]) - F32(1)
                new_offset[plane, y, x] = gain * offset[plane, y, x] + bias
        for x in range(width):
            new_slope[3, y, x] = slope[3, y, x]
            new_offset[3, y, x] = offset[3, y, x]


@rows(WRITE, READ, PLANES, WRITE)
def relight_composite_rows(
    foreground: Bytes, alpha: Bytes, maps: Floats, composite: Bytes, top: int, bottom: int
) -> None:
    """Relight a finished composite and its foreground (H, 3 * W) in place, where alpha (H, W) is above 0."""
    height, width = alpha.shape
    lefts, parts = np.empty((1, width), np.int32), np.empty((1, width), np.float32)
    _columns(maps.shape[2], width, lefts, parts)
    row = np.empty((6, maps.shape[2]), np.float32)
    for y in range(top, bottom):
        _map_row(maps, y, height, row)
        for x in range(width):
            if alpha[y, x] == 0:
                continue
            left, part, opacity = lefts[0, x], parts[0, x], F32(alpha[y, x]) * F32(1 / 255)
            for colour in range(3):
                plane, i = 2 - colour, 3 * x + colour
                gain = row[plane, left] + (row[plane, left + 1] - row[plane, left]) * part
                bias = row[plane + 3, left] + (row[plane + 3, left + 1] - row[plane + 3, left]) * part
                person = F32(foreground[y, i])
                lit = min(max(gain * person + bias * F32(255), F32(0)), F32(255))
                mixed = min(max(F32(composite[y, i]) + opacity * (lit - person), F32(0)), F32(255))
                foreground[y, i] = np.uint8(np.int32(lit + F32(0.5)))
                composite[y, i] = np.uint8(np.int32(mixed + F32(0.5)))
