"""Kernels of strict mode over the grid of cells, compiled by numba, with the arithmetic of `torch_strict`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.compiling import Array
from app.core.types import Floats, Mask
from app.matting.kernels.jit import PLANES, READ_PLANES, exact, whole
from app.matting.strict import rules

F32, U64 = np.float32, np.uint64
_MASK, _FLOATS = Array("bool", 2, writable=True), Array("float32", 2, writable=True)
_LIGHT = Array("float32", 1, writable=True)
MOTION, AGREEMENT, CHANGED = F32(rules.MOTION), F32(rules.AGREEMENT), F32(rules.CHANGED)
DARKEST, BRIGHTEST = F32(rules.LIGHT_RANGE[0]), F32(rules.LIGHT_RANGE[1])
RATE, MOST_FRAMES = F32(rules.REFERENCE_RATE), F32(rules.MOST_FRAMES)


@exact
def _means(planes: Floats, c: int, y: int, sums: Floats, means: Floats) -> None:
    """Average squares of 3x3 cells around row y; borders are repeated. sums: (w + 2,), scratch."""
    width, above, below = U64(planes.shape[2]), max(y - 1, 0), min(y + 1, planes.shape[1] - 1)
    for x in range(width):
        sums[x + U64(1)] = planes[c, above, x] + planes[c, y, x] + planes[c, below, x]
    sums[0], sums[width + U64(1)] = sums[1], sums[width]
    for x in range(width):
        means[x] = (sums[x] + sums[x + U64(1)] + sums[x + U64(2)]) * F32(1 / 9)


@whole(READ_PLANES, PLANES, _LIGHT, _MASK)
def follow_cells(image: Floats, recent: Floats, light: Floats, moving: Mask) -> None:
    """Find where the frame (3, h, w) differs from the mean of the recent ones, times `light`, and update the mean."""
    channels, height, width = image.shape
    changes, sums, means = np.empty_like(image), np.empty(width + 2, np.float32), np.empty(width, np.float32)
    for c in range(channels):
        factor = light[c]
        for y in range(height):
            for x in range(U64(width)):
                changes[c, y, x] = image[c, y, x] - recent[c, y, x] * factor
            for x in range(U64(width)):
                recent[c, y, x] += RATE * (image[c, y, x] - recent[c, y, x])
    for y in range(height):
        for x in range(U64(width)):
            moving[y, x] = False
        for c in range(channels):
            _means(changes, c, y, sums, means)
            for x in range(U64(width)):
                moving[y, x] |= abs(means[x]) > MOTION


@whole(READ_PLANES, READ_PLANES, _LIGHT, _FLOATS)
def compare_cells(image: Floats, reference: Floats, light: Floats, difference: Floats) -> None:
    """Find the largest difference (h, w) of the channels (3, h, w) from a reference, times `light`."""
    width = image.shape[2]
    for y in range(image.shape[1]):
        for x in range(U64(width)):
            difference[y, x] = F32(0)
        for c in range(image.shape[0]):
            factor = light[c]
            for x in range(U64(width)):
                difference[y, x] = max(difference[y, x], abs(image[c, y, x] - reference[c, y, x] * factor))


@whole(READ_PLANES, READ_PLANES, _MASK, _LIGHT)
def sum_light(now: Floats, before: Floats, cells: Mask, light: Floats) -> None:
    """Find the change of light of each channel (3, h, w) at these cells; 1 where they are too few."""
    channels, height, width = now.shape
    chosen, sums = np.zeros(width, np.int64), np.zeros((2, channels, width), np.float32)
    for y in range(height):
        for x in range(U64(width)):
            chosen[x] += cells[y, x]
        for c in range(channels):
            for x in range(U64(width)):
                sums[0, c, x] += now[c, y, x] * F32(cells[y, x])
            for x in range(U64(width)):
                sums[1, c, x] += before[c, y, x] * F32(cells[y, x])
    enough = chosen.sum() > rules.LIGHT_SHARE * height * width
    for c in range(channels):
        ratio = sums[0, c].sum() / max(sums[1, c].sum(), F32(1e-3))
        light[c] = min(max(ratio, DARKEST), BRIGHTEST) if enough else F32(1)


@whole(READ_PLANES, PLANES, _FLOATS, _MASK, _FLOATS, _MASK, _MASK)
def learn_cells(
    image: Floats,
    background: Floats,
    frames: Floats,
    was_hidden: Mask,
    difference: Floats,
    empty: Mask,
    hidden: Mask,
) -> None:
    """Learn the background where cells are empty, and where they are hidden and do not change.

    Updates background (3, h, w), frames and was_hidden (h, w).
    """
    width = image.shape[2]
    weights = np.empty(width, np.float32)
    for y in range(image.shape[1]):
        for x in range(U64(width)):
            changed = difference[y, x] > CHANGED
            anew = hidden[y, x] & (changed | (frames[y, x] == F32(0)))
            stale = empty[y, x] & changed
            free = empty[y, x] & (not (stale & (frames[y, x] > F32(1))))
            agrees = was_hidden[y, x] | anew | (difference[y, x] < AGREEMENT)
            learned = free | (hidden[y, x] & agrees)
            count = max((F32(0) if anew else frames[y, x]) - F32(stale), F32(0))
            weights[x] = F32(learned) / min(count + F32(1), MOST_FRAMES)
            was_hidden[y, x] = (was_hidden[y, x] & (not free)) | anew
            frames[y, x] = min(count + F32(learned), MOST_FRAMES)
        for c in range(image.shape[0]):
            for x in range(U64(width)):
                background[c, y, x] += weights[x] * (image[c, y, x] - background[c, y, x])


@whole(Array("int32", 2, writable=True), int, _MASK, _MASK, _MASK, result=Array("int64", 2, writable=True))
def count_cells(labels: NDArray[np.int32], count: int, certain: Mask, sure: Mask, moved: Mask) -> NDArray[np.int64]:
    """Return for each component its cells, and those that are certain, sure and moved, (count, 4).

    The component 0, which is none, has none.
    """
    counts = np.zeros((count, 4), np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label > 0:
                counts[label, 0] += 1
                counts[label, 1] += certain[y, x]
                counts[label, 2] += sure[y, x]
                counts[label, 3] += moved[y, x]
    return counts
