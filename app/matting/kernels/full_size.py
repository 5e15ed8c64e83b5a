"""Kernels for CPUs that run after the composite or beside it, compiled by numba: edge controls, light, view.

See `app.matting.kernels.composite`, `app.matting.light` and `app.matting.base.edges`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.types import Bytes, Floats
from app.matting.kernels.jit import PLANES, READ, READ_STEPS, WRITE, jit, rows

F32 = np.float32


@jit
def _despill(person: Bytes, alpha: Bytes, amount: np.float32) -> None:
    for x in range(alpha.shape[0]):
        blue, green, red = F32(person[3 * x]), F32(person[3 * x + 1]), F32(person[3 * x + 2])
        edge = min(F32(4) * (F32(1) - F32(alpha[x]) * F32(1 / 255)), F32(1))
        spill = max(green - max(red, blue), F32(0)) * edge
        person[3 * x + 1] = np.uint8(np.int32(green - amount * spill + F32(0.5)))


@jit
def _parts(alpha: Bytes, parts: Floats) -> None:
    """Convert each alpha to 0..1, repeated for the three colours of its pixel."""
    for x in range(alpha.shape[0]):
        part = F32(alpha[x]) * F32(1 / 255)
        parts[3 * x] = part
        parts[3 * x + 1] = part
        parts[3 * x + 2] = part


@jit
def _mix(person: Bytes, backdrop: Bytes, parts: Floats, composite: Bytes) -> None:
    for i in range(person.shape[0]):
        background = F32(backdrop[i])
        composite[i] = np.uint8(np.int32(background + (F32(person[i]) - background) * parts[i] + F32(0.5)))


@rows(WRITE, READ, READ, float, WRITE)
def blend_rows(
    foreground: Bytes, alpha: Bytes, backdrop: Bytes, despill: float, composite: Bytes, top: int, bottom: int
) -> None:
    """Composite a foreground over the backdrop, after despilling half-transparent pixels by `despill` (0..1).

    foreground (despilled in place), backdrop, composite: (H, 3 * W); alpha: (H, W).
    """
    parts = np.empty(3 * alpha.shape[1], np.float32)
    for y in range(top, bottom):
        if despill > 0:
            _despill(foreground[y], alpha[y], F32(despill))
        _parts(alpha[y], parts)
        _mix(foreground[y], backdrop[y], parts, composite[y])


@rows(WRITE, READ, READ, READ)
def extend_colour_rows(foreground: Bytes, beyond: Bytes, before: Bytes, after: Bytes, top: int, bottom: int) -> None:
    """Blend the foreground (H, 3 * W) into `beyond` where feathering raised alpha (H, W)."""
    for y in range(top, bottom):
        for x in range(after.shape[1]):
            if after[y, x] > before[y, x]:
                own = F32(before[y, x]) / F32(after[y, x])
                own *= own
                for i in range(3 * x, 3 * x + 3):
                    outer = F32(beyond[y, i])
                    foreground[y, i] = np.uint8(np.int32(outer + (F32(foreground[y, i]) - outer) * own + F32(0.5)))


@rows(READ, WRITE, READ_STEPS)
def smooth_alpha_rows(alpha: Bytes, previous_alpha: Bytes, steps: NDArray[np.int16], top: int, bottom: int) -> None:
    """Move `previous_alpha` (H, W) towards `alpha` (H, W) by `steps` (511,), indexed by their difference + 255."""
    for y in range(top, bottom):
        for x in range(alpha.shape[1]):
            last = np.int32(previous_alpha[y, x])
            previous_alpha[y, x] = np.uint8(last + steps[np.int32(alpha[y, x]) - last + 255])


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


I32 = np.int32


@jit
def _view_columns(left: float, size: float, width: int, lefts: NDArray[np.int32], parts: NDArray[np.int32]) -> None:
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
    _view_columns(left, size, width, lefts, parts)
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
