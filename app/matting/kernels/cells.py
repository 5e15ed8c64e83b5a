"""Inner kernels over grids of cells: sums, windows of 3x3 cells, components; see `app.matting.kernels.strict_compare`.

Marks are 0 or 1. All arithmetic is that of numpy and OpenCV.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.matting.kernels.jit import Bytes, Floats, exact, jit

F32 = np.float32


@jit
def total(plane: Floats) -> float:
    """Return the sum of a plane (h, w). Floats of 24 bits are added in 53, so that the order does not matter."""
    result = 0.0
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            result += np.float64(plane[y, x])
    return result


@jit
def total_magnitude(plane: Floats) -> float:
    """Return the sum of the magnitudes of a plane (h, w)."""
    result = 0.0
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            result += abs(np.float64(plane[y, x]))
    return result


@jit
def total_at(plane: Floats, marks: Bytes) -> float:
    """Return the sum of a plane (h, w) where `marks` (h, w) are 1."""
    result = 0.0
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            result += np.float64(plane[y, x]) * marks[y, x]
    return result


@jit
def count(marks: Bytes) -> int:
    """Return how many marks (h, w) are 1."""
    result = 0
    for y in range(marks.shape[0]):
        for x in range(marks.shape[1]):
            result += marks[y, x]
    return result


@exact
def _largest_of(one: Floats, two: Floats, three: Floats, largest: Floats) -> None:
    for x in range(largest.shape[0]):
        first = one[x] if one[x] > two[x] else two[x]
        largest[x] = first if first > three[x] else three[x]


@exact
def _smallest_of(one: Floats, two: Floats, three: Floats, smallest: Floats) -> None:
    for x in range(smallest.shape[0]):
        first = one[x] if one[x] < two[x] else two[x]
        smallest[x] = first if first < three[x] else three[x]


@exact
def largest(plane: Floats, result: Floats) -> None:
    """Write the maxima over 3x3 cells of a plane (h, w)."""
    height, width = plane.shape
    row = np.empty(width + 2, np.float32)
    for y in range(height):
        _largest_of(plane[max(y - 1, 0)], plane[y], plane[min(y + 1, height - 1)], row[1 : width + 1])
        row[0], row[width + 1] = row[1], row[width]
        _largest_of(row[:width], row[1 : width + 1], row[2:], result[y])


@exact
def smallest(plane: Floats, result: Floats) -> None:
    """Write the minima over 3x3 cells of a plane (h, w)."""
    height, width = plane.shape
    row = np.empty(width + 2, np.float32)
    for y in range(height):
        _smallest_of(plane[max(y - 1, 0)], plane[y], plane[min(y + 1, height - 1)], row[1 : width + 1])
        row[0], row[width + 1] = row[1], row[width]
        _smallest_of(row[:width], row[1 : width + 1], row[2:], result[y])


@exact
def grow(marks: Bytes, result: Bytes) -> None:
    """Write marks (h, w) dilated by one cell."""
    height, width = marks.shape
    row = np.empty(width + 2, np.uint8)
    row[0] = row[width + 1] = 0
    for y in range(height):
        above, below = marks[max(y - 1, 0)], marks[min(y + 1, height - 1)]
        for x in range(width):
            row[x + 1] = above[x] | marks[y, x] | below[x]
        for x in range(width):
            result[y, x] = row[x] | row[x + 1] | row[x + 2]


@jit
def clusters(marks: Bytes, least: F32, result: Bytes) -> None:
    """Write the marks (h, w) around which at least `least` of 3x3 cells are marked."""
    height, width = marks.shape
    for y in range(height):
        for x in range(width):
            result[y, x] = 0
            if marks[y, x]:
                near = marks[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
                result[y, x] = near.sum() >= least


@exact
def _sum_of(one: Floats, two: Floats, three: Floats, sums: NDArray[np.float64]) -> None:
    for x in range(sums.shape[0]):
        sums[x] = np.float64(one[x]) + np.float64(two[x]) + np.float64(three[x])


@exact
def _mean_of(sums: NDArray[np.float64], means: Floats) -> None:
    for x in range(means.shape[0]):
        means[x] = F32((sums[x] + sums[x + 1] + sums[x + 2]) * (1 / 9))


@exact
def mean(plane: Floats, result: Floats) -> None:
    """Write the means over 3x3 cells of a plane (h, w); the edge is repeated."""
    height, width = plane.shape
    row = np.empty(width + 2, np.float64)
    for y in range(height):
        _sum_of(plane[max(y - 1, 0)], plane[y], plane[min(y + 1, height - 1)], row[1 : width + 1])
        row[0], row[width + 1] = row[1], row[width]
        _mean_of(row, result[y])


@exact
def pool(plane: Floats, cell: int, cells: Floats) -> None:
    """Write the mean of each cell of `cell` x `cell` pixels; incomplete cells at the right and bottom are left out."""
    height, width = cells.shape
    scale = F32(1) / F32(cell * cell)
    rows = np.empty((cell, width), np.float32)
    for y in range(height):
        for inner in range(cell):
            _pool_row(plane[y * cell + inner], cell, rows[inner])
        for inner in range(1, cell):
            _add(rows[inner], rows[0])
        for x in range(width):
            cells[y, x] = rows[0, x] * scale


@exact
def _pool_row(pixels: Floats, cell: int, sums: Floats) -> None:
    # The usual sizes apart: the compiler vectorizes them.
    if cell == 2:
        for x in range(sums.shape[0]):
            sums[x] = pixels[2 * x] + pixels[2 * x + 1]
    elif cell == 3:
        for x in range(sums.shape[0]):
            sums[x] = pixels[3 * x] + pixels[3 * x + 1] + pixels[3 * x + 2]
    else:
        for x in range(sums.shape[0]):
            sums[x] = pixels[cell * x]
            for inner in range(1, cell):
                sums[x] += pixels[cell * x + inner]


@exact
def _add(row: Floats, sums: Floats) -> None:
    for x in range(sums.shape[0]):
        sums[x] += row[x]
