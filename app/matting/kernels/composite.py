"""Full-size kernels for CPUs, compiled by numba; each byte of frame, backdrop and composite is accessed once.

Every public function processes rows `top` to `bottom` of its output and releases the GIL, so that strips of a frame run
in parallel. Colours are interleaved BGR in 0..255. The inner loops run over contiguous rows from index 0, which lets
the compiler vectorize them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats
from app.matting.kernels.components import components as components
from app.matting.kernels.edges import blend_rows as blend_rows
from app.matting.kernels.edges import extend_colour_rows as extend_colour_rows
from app.matting.kernels.edges import smooth_alpha_rows as smooth_alpha_rows
from app.matting.kernels.guided_filter import fast_filter_rows as fast_filter_rows
from app.matting.kernels.guided_filter import learned_filter_rows as learned_filter_rows
from app.matting.kernels.jit import PLANES, READ, WRITE, Bytes, jit, rows
from app.matting.kernels.network_arrays import halve_rows as halve_rows
from app.matting.kernels.network_arrays import pixel_rows as pixel_rows
from app.matting.kernels.network_arrays import shrink_rows as shrink_rows
from app.matting.kernels.placing import place_rows as place_rows
from app.matting.kernels.relight import relight_composite_rows as relight_composite_rows
from app.matting.kernels.relight import relight_rows as relight_rows
from app.matting.kernels.view import view_rows as view_rows
from app.matting.kernels.visible import any_visible

F32 = np.float32
BLOCK = 64
"""Pixels of a row processed together; the backdrop is copied for a block without visible alpha."""
SEEN = F32(0.5 / 255)
"""Alpha below this rounds to 0 in 8 bits."""


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
def _where_somebody_may_be(
    slope: Floats, offset: Floats, first: int, last: int, starts: NDArray[np.int32], width: int
) -> NDArray[np.bool_]:
    """Return which blocks of a full-size row may have visible alpha, for coefficient rows `first` to `last`.

    Alpha is slope * mean + offset with a mean in 0..1. Between two small pixels it is bounded by the larger of their
    maxima.
    """
    right = slope.shape[2] - 1
    somebody = np.zeros((last - first + 1, -(-width // BLOCK)), np.bool_)
    highest = np.empty(right + 1, np.float32)
    for row in range(first, last + 1):
        slopes, offsets = slope[3, row], offset[3, row]
        for x in range(right + 1):
            highest[x] = max(slopes[x], F32(0)) + offsets[x]
        cell = 0
        for block in range(somebody.shape[1]):
            end = min((block + 1) * BLOCK, width)
            found = False
            while True:
                # NaN must count as visible.
                found |= not (highest[max(cell - 1, 0)] < SEEN and highest[min(cell, right)] < SEEN)
                if starts[cell + 1] >= end:
                    break
                cell += 1
            somebody[row - first, block] = found
    return somebody


@jit
def _expand(
    slope: Floats,
    offset: Floats,
    row: int,
    blocks: NDArray[np.bool_],
    starts: NDArray[np.int32],
    weights: Floats,
    colours: Floats,
    alphas: Floats,
) -> None:
    """Upsample one row of coefficients: colours (2, 3 * W) and alphas (2, W), slopes and offsets (times 255).

    Iterates over pairs of small pixels, because the full-size pixels between them share their values. Skips blocks that
    are not selected in `blocks`.
    """
    last = slope.shape[2] - 1
    full = F32(255)
    for cell in range(last + 2):
        begin, end = starts[cell], starts[cell + 1]
        if begin == end or not (blocks[begin // BLOCK] or blocks[(end - 1) // BLOCK]):
            continue
        left, right = max(cell - 1, 0), min(cell, last)
        s0, s1, s2, s3 = slope[2, row, left], slope[1, row, left], slope[0, row, left], slope[3, row, left]
        t0, t1, t2, t3 = slope[2, row, right], slope[1, row, right], slope[0, row, right], slope[3, row, right]
        o0, o1, o2, o3 = offset[2, row, left], offset[1, row, left], offset[0, row, left], offset[3, row, left]
        p0, p1, p2, p3 = offset[2, row, right], offset[1, row, right], offset[0, row, right], offset[3, row, right]
        for x in range(begin, end):
            weight = weights[x]
            colours[0, 3 * x] = s0 + (t0 - s0) * weight
            colours[0, 3 * x + 1] = s1 + (t1 - s1) * weight
            colours[0, 3 * x + 2] = s2 + (t2 - s2) * weight
            colours[1, 3 * x] = (o0 + (p0 - o0) * weight) * full
            colours[1, 3 * x + 1] = (o1 + (p1 - o1) * weight) * full
            colours[1, 3 * x + 2] = (o2 + (p2 - o2) * weight) * full
            alphas[0, x] = s3 + (t3 - s3) * weight
            alphas[1, x] = (o3 + (p3 - o3) * weight) * full


@jit
def _alpha_row(
    frame: Bytes, high: Floats, low: Floats, fy: np.float32, begin: int, values: Floats, alpha: Bytes
) -> None:
    """Compute alpha of N pixels from column `begin`, in 0..255 and as bytes. high, low: (2, W), see `_expand`."""
    end = begin + alpha.shape[0]
    high_slope, high_offset = high[0, begin:end], high[1, begin:end]
    low_slope, low_offset = low[0, begin:end], low[1, begin:end]
    for x in range(alpha.shape[0]):
        mean = (F32(frame[3 * x]) + F32(frame[3 * x + 1]) + F32(frame[3 * x + 2])) * F32(1 / 3)
        slope = high_slope[x] + (low_slope[x] - high_slope[x]) * fy
        offset = high_offset[x] + (low_offset[x] - high_offset[x]) * fy
        value = min(max(slope * mean + offset, F32(0)), F32(255))
        values[x] = value
        alpha[x] = np.uint8(np.int32(value + F32(0.5)))


@jit
def _person_row(frame: Bytes, high: Floats, low: Floats, fy: np.float32, person: Bytes) -> None:
    high_slope, high_offset, low_slope, low_offset = high[0], high[1], low[0], low[1]
    for i in range(frame.shape[0]):
        pixel = F32(frame[i])
        slope = high_slope[i] + (low_slope[i] - high_slope[i]) * fy
        offset = high_offset[i] + (low_offset[i] - high_offset[i]) * fy
        value = min(max(pixel + slope * pixel + offset, F32(0)), F32(255))
        person[i] = np.uint8(np.int32(value + F32(0.5)))


@jit
def _blend(
    frame: Bytes,
    backdrop: Bytes,
    high: Floats,
    low: Floats,
    fy: np.float32,
    begin: int,
    parts: Floats,
    composite: Bytes,
) -> None:
    end = begin + frame.shape[0]
    high_slope, high_offset = high[0, begin:end], high[1, begin:end]
    low_slope, low_offset = low[0, begin:end], low[1, begin:end]
    for i in range(frame.shape[0]):
        pixel = F32(frame[i])
        slope = high_slope[i] + (low_slope[i] - high_slope[i]) * fy
        offset = high_offset[i] + (low_offset[i] - high_offset[i]) * fy
        person = min(max(pixel + slope * pixel + offset, F32(0)), F32(255))
        background = F32(backdrop[i])
        composite[i] = np.uint8(np.int32(background + (person - background) * parts[i] + F32(0.5)))


@jit
def _composite_row(
    frame: Bytes,
    backdrop: Bytes,
    high: Floats,
    low: Floats,
    fy: np.float32,
    first: int,
    alpha: Bytes,
    values: Floats,
    parts: Floats,
    composite: Bytes,
) -> None:
    """Composite N pixels from column `first`; copy the backdrop where a block has no alpha."""
    width = alpha.shape[0]
    begin = 0
    while begin < width:
        end = begin + BLOCK
        person = any_visible(alpha[begin:end])
        while end < width and any_visible(alpha[end : end + BLOCK]) == person:
            end += BLOCK
        end = min(end, width)
        i, j = 3 * begin, 3 * end
        if person:
            _thirds(values[begin:end], parts)
            _blend(frame[i:j], backdrop[i:j], high, low, fy, 3 * first + i, parts, composite[i:j])
        else:
            _copy(backdrop[i:j], composite[i:j])
        begin = end


@jit
def _copy(source: Bytes, target: Bytes) -> None:
    # A slice assignment is several times slower: numba checks for overlap.
    for i in range(source.shape[0]):
        target[i] = source[i]


@jit
def _clear(alpha: Bytes) -> None:
    for x in range(alpha.shape[0]):
        alpha[x] = np.uint8(0)


@jit
def _thirds(values: Floats, parts: Floats) -> None:
    """Convert each alpha (0..255) to 0..1, repeated for the three colours of its pixel."""
    for x in range(values.shape[0]):
        part = values[x] * F32(1 / 255)
        parts[3 * x] = part
        parts[3 * x + 1] = part
        parts[3 * x + 2] = part


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
    somebody = _where_somebody_may_be(slope, offset, first, last, starts, width)
    if foreground.shape[0]:
        somebody[:] = True
    # The two coefficient rows around the current row, at full width: slopes, then offsets.
    colours = np.empty((2, 2, 3 * width), np.float32)
    alphas = np.empty((2, 2, width), np.float32)
    expanded = np.full(2, -1, np.int64)
    values = np.empty(width, np.float32)
    parts = np.empty(3 * width, np.float32)
    for y in range(top, bottom):
        y0, y1, fy = _rows_around(y, height, small_height)
        for row in (y0, y1):
            if expanded[row & 1] != row:
                expanded[row & 1] = row
                wanted = somebody[row - first] | somebody[max(row - 1, first) - first]
                wanted |= somebody[min(row + 1, last) - first]
                _expand(slope, offset, row, wanted, starts, weights, colours[row & 1], alphas[row & 1])
        u, v = y0 & 1, y1 & 1
        if foreground.shape[0]:
            _person_row(frame[y], colours[u], colours[v], fy, foreground[y])
        begin = 0
        while begin < width:
            maybe = somebody[y0 - first, begin // BLOCK] or somebody[y1 - first, begin // BLOCK]
            end = begin + BLOCK
            while end < width and maybe == (somebody[y0 - first, end // BLOCK] or somebody[y1 - first, end // BLOCK]):
                end += BLOCK
            end = min(end, width)
            pixels, seen = frame[y, 3 * begin : 3 * end], alpha[y, begin:end]
            if maybe:
                _alpha_row(pixels, alphas[u], alphas[v], fy, begin, values, seen)
            else:
                _clear(seen)
            if composite.shape[0]:
                backdrop_row, result = backdrop[y, 3 * begin : 3 * end], composite[y, 3 * begin : 3 * end]
                if maybe:
                    _composite_row(pixels, backdrop_row, colours[u], colours[v], fy, begin, seen, values, parts, result)
                else:
                    _copy(backdrop_row, result)
            begin = end
