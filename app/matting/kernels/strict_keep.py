"""Second half of strict mode, compiled by numba; the same arithmetic as `app.matting.strict.numpy_cells`."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from app.matting.kernels.cells import clusters, grow
from app.matting.kernels.jit import FLOATS, INDEX, PLANES, WRITE, Bytes, Floats, exact, whole
from app.matting.kernels.strict_limits import LIMITS, Limits

F32 = np.float32
Labels = NDArray[np.int32]
_LABELS = numba.int32[:, ::1]


@exact
def _people(
    labels: Labels,
    number: int,
    core: Bytes,
    moved: Bytes,
    agreeing: Bytes,
    doubtful: Bytes,
    limits: Limits,
    people: Bytes,
    beginning: Bytes,
) -> bool:
    """Write which components (number,) are people, and which begin to move; return whether any of them may begin."""
    near = np.empty_like(moved)
    grow(moved, near)
    counts = np.zeros((number, 6), np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x]:
                cells = counts[labels[y, x]]
                cells[0] += 1
                cells[1] += core[y, x]
                cells[2] += near[y, x]
                cells[3] += moved[y, x]
                cells[4] += agreeing[y, x]
                cells[5] += agreeing[y, x] & doubtful[y, x]
    begins = others = False
    for label in range(1, number):
        cells = counts[label]
        every, cores, close, agreed, unsure = cells[0], cells[1], cells[2], cells[4], cells[5]
        likely = cores > 0 and close > limits.moved_share * every
        people[label] = likely and agreed - unsure <= limits.agreeing_share * every
        beginning[label] = people[label] and unsure > limits.beginning_share * every
        begins |= beginning[label] != 0
        others |= people[label] > beginning[label]
    least = limits.first_moved_share if others else limits.moved_share
    for label in range(1, number):
        if beginning[label] and counts[label, 3] <= least * counts[label, 0]:
            people[label] = beginning[label] = 0
    return begins


@exact
def _learn(
    image: Floats,
    background: Floats,
    frames: Floats,
    doubtful: Bytes,
    empty: Bytes,
    moving: Bytes,
    difference: Floats,
    near: Bytes,
    waiting: bool,
    limits: Limits,
) -> None:
    """Learn the background from the empty cells, and from those that are hidden and do not change."""
    rate = np.empty(frames.shape[1], np.float32)
    for y in range(frames.shape[0]):
        for x in range(frames.shape[1]):
            free, doubt, change = empty[y, x] != 0, doubtful[y, x] != 0, difference[y, x]
            hidden = (near[y, x] == 0) & (not free)
            still = hidden & (moving[y, x] == 0)
            seen = frames[y, x]
            if waiting & hidden & (not still) & doubt:
                seen = F32(0)
            changed = change > limits.changed
            anew = still & (changed | (seen == 0))
            if anew:
                seen = F32(0)
            if free & changed:
                seen = max(seen - limits.change_cost, F32(0))
                free = seen == 0
            doubt = (doubt & (not free)) | anew
            learned = free | (still & (doubt | (change < limits.agreement)))
            rate[x] = F32(learned) / min(seen + F32(1), limits.most_frames)
            frames[y, x] = min(seen + F32(learned), limits.most_frames)
            doubtful[y, x] = doubt
        for colour in range(3):
            for x in range(frames.shape[1]):
                last = background[colour, y, x]
                background[colour, y, x] = last + rate[x] * (image[colour, y, x] - last)


@whole(
    numba.void(
        PLANES,
        FLOATS,
        PLANES,
        FLOATS,
        *[WRITE] * 4,
        _LABELS,
        INDEX,
        numba.boolean,
        LIMITS,
        FLOATS,
        *[WRITE] * 5,
        FLOATS,
    ),
)
def keep_cells(
    image: Floats,
    alpha: Floats,
    background: Floats,
    frames: Floats,
    doubtful: Bytes,
    moved: Bytes,
    empty: Bytes,
    unmoved: Bytes,
    labels: Labels,
    number: int,
    waiting: bool,
    limits: Limits,
    difference: Floats,
    moving: Bytes,
    resting: Bytes,
    agreeing: Bytes,
    removed: Bytes,
    core: Bytes,
    kept: Floats,
) -> None:
    """Write the cells (h, w) where the matte is kept, and learn the background.

    labels, number: the components of the mask of `compare_cells`. Written as well: the state.
    """
    height, width = kept.shape
    people, beginning = np.zeros(number, np.uint8), np.zeros(number, np.uint8)
    body, near = np.empty((height, width), np.uint8), np.empty((height, width), np.uint8)
    if _people(labels, number, core, moved, agreeing, doubtful, limits, people, beginning):
        certain = np.empty((height, width), np.uint8)
        for y in range(height):
            for x in range(width):
                body[y, x] = alpha[y, x] > limits.opaque_alpha
        grow(body, certain)
        for y in range(height):
            for x in range(width):
                body[y, x] = beginning[labels[y, x]]
        grow(body, near)
        for y in range(height):
            for x in range(width):
                if near[y, x] & doubtful[y, x] & (certain[y, x] | (agreeing[y, x] == 0)):
                    frames[y, x] = doubtful[y, x] = removed[y, x] = 0
    cells = at_rest = 0
    for y in range(height):
        for x in range(width):
            cells += people[labels[y, x]]
            at_rest += people[labels[y, x]] & unmoved[y, x]
    furniture = at_rest <= limits.unmoved_share * cells
    cells = moving_cells = 0
    clusters(unmoved, limits.unmoved_cells, body)
    grow(body, near)
    for y in range(height):
        for x in range(width):
            removed[y, x] |= furniture & near[y, x]
            body[y, x] = people[labels[y, x]] & (removed[y, x] == 0)
            moved[y, x] |= body[y, x] & core[y, x]
            cells += body[y, x]
            moving_cells += body[y, x] & moving[y, x]
    moves = moving_cells > limits.moving_share * cells
    grow(body, near)
    for y in range(height):
        for x in range(width):
            body[y, x] = near[y, x] & (removed[y, x] == 0) & (not waiting)
            kept[y, x] = body[y, x] & ((resting[y, x] & moves) == 0)
    grow(body, near)
    _learn(image, background, frames, doubtful, empty, moving, difference, near, waiting, limits)
