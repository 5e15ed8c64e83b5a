"""Full-size kernels for CPUs, compiled by numba; each byte of frame, backdrop and composite is accessed once.

Every public function processes rows `top` to `bottom` of its output and releases the GIL, so that strips of a frame run
in parallel. Colours are interleaved BGR in 0..255. The inner loops run over contiguous rows from index 0, which lets
the compiler vectorize them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats
from app.matting.kernels.jit import PLANES, READ, WRITE, Bytes, jit, rows

F32, U64 = np.float32, np.uint64
BLOCK = 64
"""Pixels of a row processed together; the backdrop is copied for a block without visible alpha."""
SEEN, SOLID = F32(0.5 / 255), F32(1 - 1e-4)
"""Alpha below SEEN rounds to 0 in 8 bits; from SOLID on, nothing of the backdrop is seen."""
NOBODY, EDGE, INSIDE = np.uint8(0), np.uint8(1), np.uint8(2)
"""What a block shows: the backdrop, a mixture, or the person alone."""


@jit
def _cells(small_width: int, width: int) -> tuple[NDArray[np.int32], Floats]:
    """Return each small pixel's first full-size pixel right of its centre (small_width + 2,), and weights (W,)."""
    starts = np.zeros(small_width + 2, np.int32)
    weights = np.empty(width, np.float32)
    cell = 0
    for x in range(width):
        source = (x + 0.5) * small_width / width - 0.5
        left = int(np.floor(source))
        while cell < left + 1:
            cell += 1
            starts[cell] = x
        weights[x] = F32(source - left)
    for rest in range(cell + 1, small_width + 2):
        starts[rest] = width
    return starts, weights


@jit
def _kinds(
    slope: Floats, offset: Floats, first: int, last: int, starts: NDArray[np.int32], width: int
) -> NDArray[np.uint8]:
    """Return what each block of a full-size row may show, for coefficient rows `first` to `last`.

    Alpha is slope * mean + offset with a mean in 0..1. Between two small pixels it lies between the bounds of both.
    """
    small_width = slope.shape[2]
    kinds = np.empty((last - first + 1, -(-width // BLOCK)), np.uint8)
    lefts, rights = np.empty(kinds.shape[1], np.int64), np.empty(kinds.shape[1], np.int64)
    cell = 0
    for block in range(kinds.shape[1]):
        while starts[cell + 1] <= block * BLOCK:
            cell += 1
        lefts[block] = max(cell - 1, 0)
        while starts[cell + 1] < min((block + 1) * BLOCK, width):
            cell += 1
        rights[block] = min(cell, small_width - 1) + 1
    hidden, solid = np.empty(small_width, np.uint8), np.empty(small_width, np.uint8)
    for row in range(first, last + 1):
        # NaN is neither hidden nor solid.
        for x in range(U64(small_width)):
            hidden[x] = np.uint8(max(slope[3, row, x], F32(0)) + offset[3, row, x] < SEEN)
        for x in range(U64(small_width)):
            solid[x] = np.uint8(min(slope[3, row, x], F32(0)) + offset[3, row, x] >= SOLID)
        for block in range(kinds.shape[1]):
            nobody, inside = np.uint8(1), np.uint8(1)
            for x in range(U64(lefts[block]), U64(rights[block])):
                nobody &= hidden[x]
                inside &= solid[x]
            kinds[row - first, block] = NOBODY if nobody else INSIDE if inside else EDGE
    return kinds


@jit
def _expand(
    slope: Floats,
    offset: Floats,
    row: int,
    kinds: NDArray[np.uint8],
    starts: NDArray[np.int32],
    weights: Floats,
    colours: Floats,
    alphas: Floats,
) -> None:
    """Upsample a row to colours[row & 1] (2, 3 * W) and alphas[row & 1] (2, W): slopes and offsets (times 255).

    Iterates over pairs of small pixels, because the full-size pixels between them share their values. Colours are left
    out where `kinds` is NOBODY, alpha where it is not EDGE.
    """
    last, w = slope.shape[2] - 1, row & 1
    full = F32(255)
    for cell in range(last + 2):
        begin, end = starts[cell], starts[cell + 1]
        if begin == end:
            continue
        kind, other = kinds[begin // BLOCK], kinds[(end - 1) // BLOCK]
        if kind == NOBODY and other == NOBODY:
            continue
        left, right = max(cell - 1, 0), min(cell, last)
        s0, s1, s2 = slope[2, row, left], slope[1, row, left], slope[0, row, left]
        t0, t1, t2 = slope[2, row, right], slope[1, row, right], slope[0, row, right]
        o0, o1, o2 = offset[2, row, left], offset[1, row, left], offset[0, row, left]
        p0, p1, p2 = offset[2, row, right], offset[1, row, right], offset[0, row, right]
        for x in range(U64(begin), U64(end)):
            weight, i = weights[x], U64(3) * x
            colours[w, 0, i] = s0 + (t0 - s0) * weight
            colours[w, 0, i + U64(1)] = s1 + (t1 - s1) * weight
            colours[w, 0, i + U64(2)] = s2 + (t2 - s2) * weight
            colours[w, 1, i] = (o0 + (p0 - o0) * weight) * full
            colours[w, 1, i + U64(1)] = (o1 + (p1 - o1) * weight) * full
            colours[w, 1, i + U64(2)] = (o2 + (p2 - o2) * weight) * full
        if kind != EDGE and other != EDGE:
            continue
        s3, t3, o3, p3 = slope[3, row, left], slope[3, row, right], offset[3, row, left], offset[3, row, right]
        for x in range(U64(begin), U64(end)):
            alphas[w, 0, x] = s3 + (t3 - s3) * weights[x]
            alphas[w, 1, x] = (o3 + (p3 - o3) * weights[x]) * full


@jit
def _alpha_row(
    frame: Bytes, y: int, alphas: Floats, u: int, v: int, fy: np.float32, begin: int, end: int, values: Floats,
    alpha: Bytes,
) -> None:  # fmt: skip
    """Compute alpha of pixels `begin` to `end`, in 0..255 and as bytes. alphas[u], alphas[v]: see `_expand`."""
    for x in range(U64(begin), U64(end)):
        i = U64(3) * x
        mean = (F32(frame[y, i]) + F32(frame[y, i + U64(1)]) + F32(frame[y, i + U64(2)])) * F32(1 / 3)
        slope = alphas[u, 0, x] + (alphas[v, 0, x] - alphas[u, 0, x]) * fy
        offset = alphas[u, 1, x] + (alphas[v, 1, x] - alphas[u, 1, x]) * fy
        value = min(max(slope * mean + offset, F32(0)), F32(255))
        values[x] = value
        alpha[y, x] = np.uint8(np.int32(value + F32(0.5)))


@jit
def _person_row(
    frame: Bytes, y: int, colours: Floats, u: int, v: int, fy: np.float32, begin: int, end: int, person: Bytes
) -> None:
    """Compute the colours of a person in pixels `begin` to `end`. colours[u], colours[v]: see `_expand`."""
    for i in range(U64(3 * begin), U64(3 * end)):
        pixel = F32(frame[y, i])
        slope = colours[u, 0, i] + (colours[v, 0, i] - colours[u, 0, i]) * fy
        offset = colours[u, 1, i] + (colours[v, 1, i] - colours[u, 1, i]) * fy
        value = min(max(pixel + slope * pixel + offset, F32(0)), F32(255))
        person[y, i] = np.uint8(np.int32(value + F32(0.5)))


@jit
def _blend(
    frame: Bytes, backdrop: Bytes, y: int, colours: Floats, u: int, v: int, fy: np.float32, begin: int, end: int,
    parts: Floats, composite: Bytes,
) -> None:  # fmt: skip
    for i in range(U64(3 * begin), U64(3 * end)):
        pixel = F32(frame[y, i])
        slope = colours[u, 0, i] + (colours[v, 0, i] - colours[u, 0, i]) * fy
        offset = colours[u, 1, i] + (colours[v, 1, i] - colours[u, 1, i]) * fy
        person = min(max(pixel + slope * pixel + offset, F32(0)), F32(255))
        background = F32(backdrop[y, i])
        composite[y, i] = np.uint8(np.int32(background + (person - background) * parts[i] + F32(0.5)))


@jit
def _copy(source: Bytes, y: int, begin: int, end: int, target: Bytes) -> None:
    for i in range(U64(3 * begin), U64(3 * end)):
        target[y, i] = source[y, i]


@jit
def _fill(alpha: Bytes, y: int, begin: int, end: int, value: np.uint8) -> None:
    for x in range(U64(begin), U64(end)):
        alpha[y, x] = value


@jit
def _thirds(values: Floats, begin: int, end: int, parts: Floats) -> None:
    """Convert each alpha (0..255) to 0..1, repeated for the three colours of its pixel."""
    for x in range(U64(begin), U64(end)):
        part, i = values[x] * F32(1 / 255), U64(3) * x
        parts[i], parts[i + U64(1)], parts[i + U64(2)] = part, part, part


@jit
def _kind(upper: np.uint8, lower: np.uint8) -> np.uint8:
    """Return the kind between two rows of coefficients."""
    return upper if upper == lower else EDGE


@jit
def _visible(alpha: Bytes, y: int, begin: int, end: int) -> bool:
    seen = np.uint8(0)
    for x in range(U64(begin), U64(end)):
        seen |= alpha[y, x]
    return bool(seen)


@jit
def _rows_around(y: int, height: int, small_height: int) -> tuple[int, int, np.float32]:
    """Return the two small rows around full-size row `y`, and the weight of the second."""
    source = max((y + 0.5) * small_height / height - 0.5, 0.0)
    first = min(int(source), small_height - 1)
    return first, min(first + 1, small_height - 1), F32(source - first)


@rows(READ, PLANES, PLANES, READ, WRITE, WRITE, WRITE)
def finish_rows(
    frame: Bytes,
    slope: Floats,
    offset: Floats,
    backdrop: Bytes,
    composite: Bytes,
    alpha: Bytes,
    foreground: Bytes,
    top: int,
    bottom: int,
) -> None:
    """Run the second stage of the step: alpha, composite and foreground from coefficients (`app.matting.torch.core`).

    frame, backdrop, composite, foreground: (H, 3 * W); alpha: (H, W); slope, offset: (4, h, w). A composite or
    foreground of shape (0, 0) is not computed; without a composite, the backdrop is not read.
    """
    height, width = alpha.shape
    small_height = slope.shape[1]
    starts, weights = _cells(slope.shape[2], width)
    first, last = _rows_around(top, height, small_height)[0], _rows_around(bottom - 1, height, small_height)[1]
    kinds = _kinds(slope, offset, first, last, starts, width)
    if foreground.shape[0]:
        np.maximum(kinds, EDGE, kinds)
    # The two coefficient rows around the current row, at full width: slopes, then offsets.
    colours = np.empty((2, 2, 3 * width), np.float32)
    alphas = np.empty((2, 2, width), np.float32)
    expanded = np.full(2, -1, np.int64)
    near = np.empty(kinds.shape[1], np.uint8)
    values = np.empty(width, np.float32)
    parts = np.empty(3 * width, np.float32)
    # Arrays are indexed, not sliced: each slice counts references, which takes longer than the work on a block.
    for y in range(top, bottom):
        y0, y1, fy = _rows_around(y, height, small_height)
        for row in (y0, y1):
            if expanded[row & 1] != row:
                expanded[row & 1] = row
                above, own, below = max(row - 1, first) - first, row - first, min(row + 1, last) - first
                for block in range(near.shape[0]):
                    near[block] = _kind(_kind(kinds[above, block], kinds[own, block]), kinds[below, block])
                _expand(slope, offset, row, near, starts, weights, colours, alphas)
        u, v = y0 & 1, y1 & 1
        if foreground.shape[0]:
            _person_row(frame, y, colours, u, v, fy, 0, width, foreground)
        begin = 0
        while begin < width:
            kind = _kind(kinds[y0 - first, begin // BLOCK], kinds[y1 - first, begin // BLOCK])
            end = begin + BLOCK
            while end < width and kind == _kind(kinds[y0 - first, end // BLOCK], kinds[y1 - first, end // BLOCK]):
                end += BLOCK
            end = min(end, width)
            if kind == EDGE:
                _alpha_row(frame, y, alphas, u, v, fy, begin, end, values, alpha)
            else:
                _fill(alpha, y, begin, end, np.uint8(0) if kind == NOBODY else np.uint8(255))
            if composite.shape[0] and kind == NOBODY:
                _copy(backdrop, y, begin, end, composite)
            elif composite.shape[0] and kind == INSIDE:
                _person_row(frame, y, colours, u, v, fy, begin, end, composite)
            elif composite.shape[0]:
                for left in range(begin, end, BLOCK):
                    right = min(left + BLOCK, end)
                    if _visible(alpha, y, left, right):
                        _thirds(values, left, right, parts)
                        _blend(frame, backdrop, y, colours, u, v, fy, left, right, parts, composite)
                    else:
                        _copy(backdrop, y, left, right, composite)
            begin = end
