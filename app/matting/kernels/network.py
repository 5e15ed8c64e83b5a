"""Kernels of networks at the small frame's size, compiled by numba: inputs, outputs, filters.

OpenVINO makes one pass over memory for each of a guided filter's thirty operations. Here a tile of
a row goes through all of them while it is in the cache. As in `composite`, public functions named
`..._rows` process rows `top` to `bottom` of their output. Tile indices are unsigned: with signed
ones numba handles negative indices, which prevents vectorization.
"""

from __future__ import annotations

import numpy as np

from app.core.compiling import Array
from app.core.types import Bytes, Floats
from app.matting.kernels import PLANES, READ_FRAME, READ_PLANES, jit, rows

F32 = np.float32
U64 = np.uint64
# Pixels of a row processed together.
TILE_PX = 64
TILE = U64(TILE_PX)
# Channels: the image [R, G, B, mean of RGB] is paired
# with the matte [foreground residual (3), alpha].
PAIRS = 4
# x, y, x * y and x * x.
MOMENTS = 4 * PAIRS
# Extra pixels per tile: one on each side.
BORDER = 2
WIDE_TILE = U64(TILE_PX + BORDER)
MATRIX = Array("float32", 2)


@rows(READ_FRAME, float, float, PLANES)
def shrink_rows(
    frame: Bytes,
    across: float,
    down: float,
    small: Floats,
    top: int,
    bottom: int,
) -> None:
    """Downsample bilinearly by exactly these ratios.

    frame: (H, W, 3) BGR; small: (3, h, w) RGB in 0..1.
    """
    height = frame.shape[0]
    width = frame.shape[1]
    small_width = small.shape[2]
    pixels = frame.reshape(height, 3 * width)
    columns = np.empty((2, small_width), np.uint64)
    weights = np.empty(small_width, np.float32)
    for x in range(small_width):
        source_x = max((x + 0.5) / across - 0.5, 0.0)
        first = min(int(source_x), width - 1)
        columns[0, x] = 3 * first
        columns[1, x] = 3 * min(first + 1, width - 1)
        weights[x] = F32(source_x - first)
    line = np.empty(3 * width, np.float32)
    for y in range(top, bottom):
        source_y = max((y + 0.5) / down - 0.5, 0.0)
        y0 = min(int(source_y), height - 1)
        y1 = min(y0 + 1, height - 1)
        fy = F32(source_y - y0)
        for i in range(U64(3 * width)):
            upper = F32(pixels[y0, i])
            lower = F32(pixels[y1, i])
            line[i] = (upper + (lower - upper) * fy) * F32(1 / 255)
        for x in range(U64(small_width)):
            left = columns[0, x]
            right = columns[1, x]
            weight = weights[x]
            for channel in range(U64(3)):
                value = line[left + channel]
                small[U64(2) - channel, y, x] = value + (line[right + channel] - value) * weight


@jit
def _sigmoid(value: np.float32) -> np.float32:
    """Return 1 / (1 + exp(-value)) within 1e-6; NaN stays.

    The loop around it vectorizes, unlike one around `exp`.
    """
    # exp(-value) = exp(-value / 16) ** 16: a Taylor polynomial, then four squarings.
    part = (F32(40) if value > F32(40) else value) * F32(-1 / 16)
    cubic = F32(1 / 6) + part * (F32(1 / 24) + part * (F32(1 / 120) + part * F32(1 / 720)))
    power = F32(1) + part * (F32(1) + part * (F32(0.5) + part * cubic))
    for _ in range(4):
        power *= power
    return F32(1) / (F32(1) + power)


@jit
def _alpha_row(logits: Floats, y: int, margin: np.float32) -> None:
    """Convert row y of logits (h, w) to alpha in 0..1, in place.

    It is the sigmoid, stretched by a margin at either end.
    """
    stretch = F32(1) / (F32(1) - F32(2) * margin)
    for x in range(U64(logits.shape[1])):
        alpha = (_sigmoid(logits[y, x]) - margin) * stretch
        alpha = F32(0) if alpha < F32(0) else alpha
        logits[y, x] = F32(1) if alpha > F32(1) else alpha


@rows(READ_PLANES, float, PLANES)
def matte_rows(cells: Floats, margin: float, matte: Floats, top: int, bottom: int) -> None:
    """Fill the matte (4, h, w) from cells of 2x2 pixels; see `models.export.Export`.

    cells: (ceil(h / 2), ceil(w / 2), 16). Rearranges them as `pixel_shuffle` does. OpenVINO takes
    1 ms more of a step for it.
    """
    width = matte.shape[2]
    for y in range(top, bottom):
        row = cells[y // 2]
        for c in range(matte.shape[0]):
            line = matte[c, y]
            first = 4 * c + 2 * (y % 2)
            for x in range(width // 2):
                line[2 * x] = row[x, first]
                line[2 * x + 1] = row[x, first + 1]
            if width % 2:
                line[width - 1] = row[width // 2, first]
        _alpha_row(matte[3], y, F32(margin))


@jit
def _convolve(inputs: Floats, weights: Floats, outputs: Floats, keep_negative: bool) -> None:
    """Apply a 1x1 convolution to N tiles; write M.

    weights (M, N + 1), bias last; M and N are multiples of 4.
    """
    bias = weights.shape[1] - 1
    # Four outputs (a to d) of four inputs (0 to 3) at a time, so that sixteen weights stay
    # in registers: outputs[o] = bias[o] + sum over i of weights[o, i] inputs[i].
    for o in range(U64(0), U64(weights.shape[0]), U64(4)):
        q0, q1, q2, q3 = o * TILE, (o + U64(1)) * TILE, (o + U64(2)) * TILE, (o + U64(3)) * TILE
        a, b, c, d = weights[o], weights[o + U64(1)], weights[o + U64(2)], weights[o + U64(3)]
        for x in range(TILE):
            outputs[q0 + x] = a[bias]
            outputs[q1 + x] = b[bias]
            outputs[q2 + x] = c[bias]
            outputs[q3 + x] = d[bias]
        for i in range(U64(0), U64(bias), U64(4)):
            a0, a1, a2, a3 = a[i], a[i + U64(1)], a[i + U64(2)], a[i + U64(3)]
            b0, b1, b2, b3 = b[i], b[i + U64(1)], b[i + U64(2)], b[i + U64(3)]
            c0, c1, c2, c3 = c[i], c[i + U64(1)], c[i + U64(2)], c[i + U64(3)]
            d0, d1, d2, d3 = d[i], d[i + U64(1)], d[i + U64(2)], d[i + U64(3)]
            p0, p1, p2, p3 = i * TILE, (i + U64(1)) * TILE, (i + U64(2)) * TILE, (i + U64(3)) * TILE
            for x in range(TILE):
                r0, r1, r2, r3 = inputs[p0 + x], inputs[p1 + x], inputs[p2 + x], inputs[p3 + x]
                outputs[q0 + x] += a0 * r0 + a1 * r1 + a2 * r2 + a3 * r3
                outputs[q1 + x] += b0 * r0 + b1 * r1 + b2 * r2 + b3 * r3
                outputs[q2 + x] += c0 * r0 + c1 * r1 + c2 * r2 + c3 * r3
                outputs[q3 + x] += d0 * r0 + d1 * r1 + d2 * r2 + d3 * r3
    if not keep_negative:
        for x in range(U64(weights.shape[0]) * TILE):
            outputs[x] = max(outputs[x], F32(0))


@jit
def _take(planes: Floats, y: int, left: int, tiles: Floats, first: int) -> None:
    """Load tiles from index `first`: row `y` of planes (C, h, w) from column `left`.

    They are clipped to the row.
    """
    begin = U64(left)
    count = U64(min(TILE_PX, planes.shape[2] - left))
    for c in range(planes.shape[0]):
        start = U64(first + c) * TILE
        for x in range(count):
            tiles[start + x] = planes[c, y, begin + x]


@jit
def _put(tiles: Floats, first: int, planes: Floats, y: int, left: int, end: int) -> None:
    """Store tiles from index `first` to row `y` of planes; the inverse of `_take`.

    They fill the columns from `left` up to `end`.
    """
    begin = U64(left)
    count = U64(min(TILE_PX, end - left))
    for c in range(planes.shape[0]):
        start = U64(first + c) * TILE
        for x in range(count):
            planes[c, y, begin + x] = tiles[start + x]


@jit
def _multiply(small: Floats, matte: Floats, row: int, y: int, products: Floats) -> None:
    """Compute x, y, x * y and x * x of row `y` to products[y % 3], (16, w + 2).

    They are zero-padded, and 0 outside the image. matte: (4, n, w), read in row `row`.
    """
    width = U64(small.shape[2])
    ring = y % 3
    if y < 0 or y >= small.shape[1]:
        for c in range(MOMENTS):
            for x in range(width):
                products[ring, c, x + U64(1)] = F32(0)
        return
    for c in range(PAIRS):
        own = PAIRS + c
        both = 2 * PAIRS + c
        square = 3 * PAIRS + c
        # One loop per row that is written: more make too many
        # checks for overlap, and nothing is vectorized.
        if c < PAIRS - 1:
            for x in range(width):
                products[ring, c, x + U64(1)] = small[c, y, x]
        else:
            for x in range(width):
                total = small[0, y, x] + small[1, y, x] + small[2, y, x]
                products[ring, c, x + U64(1)] = total * F32(1 / 3)
        for x in range(width):
            products[ring, own, x + U64(1)] = matte[c, row, x]
        for x in range(U64(1), width + U64(1)):
            products[ring, both, x] = products[ring, c, x] * products[ring, own, x]
        for x in range(U64(1), width + U64(1)):
            products[ring, square, x] = products[ring, c, x] * products[ring, c, x]


@jit
def _mean(products: Floats, row: int, left: int, box: Floats, means: Floats) -> None:
    """Compute sixteen tiles of weighted 3x3 sums.

    products: (3, 16, w + 2), a ring buffer indexed by y % 3. box: (4, 9), weights of each channel
    pair.
    """
    above = (row + 2) % 3
    here = row % 3
    below = (row + 1) % 3
    begin = U64(left)
    for c in range(MOMENTS):
        p = c % PAIRS
        k0 = box[p, 0]
        k1 = box[p, 1]
        k2 = box[p, 2]
        k3 = box[p, 3]
        k4 = box[p, 4]
        k5 = box[p, 5]
        k6 = box[p, 6]
        k7 = box[p, 7]
        k8 = box[p, 8]
        start = U64(c) * TILE
        for x in range(TILE):
            i = begin + x
            j = begin + x + U64(1)
            k = begin + x + U64(2)
            upper = (
                k0 * products[above, c, i]
                + k1 * products[above, c, j]
                + k2 * products[above, c, k]
            )  # fmt: skip
            middle = (
                k3 * products[here, c, i]
                + k4 * products[here, c, j]
                + k5 * products[here, c, k]
            )  # fmt: skip
            lower = (
                k6 * products[below, c, i]
                + k7 * products[below, c, j]
                + k8 * products[below, c, k]
            )  # fmt: skip
            means[start + x] = upper + middle + lower


@jit
def _statistics(means: Floats, statistics: Floats) -> None:
    """Compute tiles of the covariance of x and y, then of the variance of x.

    cov(x, y) = mean(x y) - mean(x) mean(y), and the same of x and x.
    """
    size = U64(PAIRS) * TILE
    for x in range(size):
        mean_x = means[x]
        mean_y = means[size + x]
        statistics[x] = means[U64(2) * size + x] - mean_x * mean_y
        statistics[size + x] = means[U64(3) * size + x] - mean_x * mean_x


@jit
def _offset(means: Floats, slopes: Floats, offsets: Floats) -> None:
    size = U64(PAIRS) * TILE
    for x in range(size):
        offsets[x] = means[size + x] - slopes[x] * means[x]


@jit
def _clamp(matte: Floats, row: int, coarse: Floats, y: int, column: int) -> None:
    begin = U64(column)
    for x in range(U64(matte.shape[2])):
        coarse[0, y, begin + x] = min(max(matte[3, row, x], F32(0)), F32(1))


@jit
def _rows_of_products(width: int) -> Floats:
    """Allocate three rows of products, padded to whole tiles."""
    return np.zeros((3, MOMENTS, -(-width // TILE_PX) * TILE_PX + BORDER), np.float32)


@rows(READ_PLANES, READ_PLANES, MATRIX, MATRIX, MATRIX, MATRIX, MATRIX, PLANES, PLANES, PLANES, int)
def learned_filter_rows(
    small: Floats,
    hidden: Floats,
    project: Floats,
    box: Floats,
    first: Floats,
    second: Floats,
    third: Floats,
    slope: Floats,
    offset: Floats,
    coarse: Floats,
    column: int,
    top: int,
    bottom: int,
) -> None:
    """Run RVM's deep guided filter (Wu, Zheng, Zhang and Huang 2018).

    Three learned 1x1 convolutions find the slope from covariance and variance, in place of the
    quotient of `fast_filter_rows`. slope, offset: (4, h, w), and coarse: alpha, (1, h, w) in 0..1,
    or wider ones, are filled from `column` on. small: (3, h, w) RGB in 0..1; hidden: (C, h, w), the
    decoder's features. Weights of 1x1 convolutions, bias last: project (4, C + 1), first (C, 8 + C
    + 1), second (C, C + 1), third (4, C + 1). box: (4, 9).
    """
    channels = hidden.shape[0]
    width = small.shape[2]
    products = _rows_of_products(width)
    matte = np.empty((PAIRS, 1, width), np.float32)
    known = np.zeros((8 + channels) * TILE_PX, np.float32)
    inner = np.zeros(channels * TILE_PX, np.float32)
    outer = np.zeros(channels * TILE_PX, np.float32)
    means = np.zeros(MOMENTS * TILE_PX, np.float32)
    slopes = np.zeros(PAIRS * TILE_PX, np.float32)
    offsets = np.zeros(PAIRS * TILE_PX, np.float32)
    for y in range(top - 1, bottom + 1):
        if 0 <= y < small.shape[1]:
            for left in range(0, width, TILE_PX):
                _take(hidden, y, left, inner, 0)
                _convolve(inner, project, slopes, True)
                _put(slopes, 0, matte, 0, left, width)
        _multiply(small, matte, 0, y, products)
        if top <= y < bottom:
            _clamp(matte, 0, coarse, y, column)
        row = y - 1
        if row >= top:
            for left in range(0, width, TILE_PX):
                _mean(products, row, left, box, means)
                _statistics(means, known)
                _take(hidden, row, left, known, 8)
                _convolve(known, first, inner, False)
                _convolve(inner, second, outer, False)
                _convolve(outer, third, slopes, True)
                _offset(means, slopes, offsets)
                _put(slopes, 0, slope, row, column + left, column + width)
                _put(offsets, 0, offset, row, column + left, column + width)


@jit
def _add_rows(products: Floats, left: int, sums: Floats) -> None:
    """Add up the three rows of products (3, 16, w + 2) into tiles with their borders."""
    for c in range(MOMENTS):
        start = U64(c) * WIDE_TILE
        for x in range(WIDE_TILE):
            i = U64(left) + x
            sums[start + x] = products[0, c, i] + products[1, c, i] + products[2, c, i]


@jit
def _solve(sums: Floats, shares: Floats, left: int, epsilon: np.float32, solved: Floats) -> None:
    """Compute tiles of slopes, then of offsets, from sums of rows.

    shares: of each pixel in the mean around it.
    """
    for c in range(U64(PAIRS)):
        i = c * WIDE_TILE
        j = (U64(PAIRS) + c) * WIDE_TILE
        k = (U64(2 * PAIRS) + c) * WIDE_TILE
        m = (U64(3 * PAIRS) + c) * WIDE_TILE
        slopes = c * TILE
        offsets = (U64(PAIRS) + c) * TILE
        for x in range(TILE):
            share = shares[U64(left) + x]
            mean_x = (sums[i + x] + sums[i + x + U64(1)] + sums[i + x + U64(2)]) * share
            mean_y = (sums[j + x] + sums[j + x + U64(1)] + sums[j + x + U64(2)]) * share
            both = (sums[k + x] + sums[k + x + U64(1)] + sums[k + x + U64(2)]) * share
            square = (sums[m + x] + sums[m + x + U64(1)] + sums[m + x + U64(2)]) * share
            # a = cov(x, y) / (var(x) + epsilon) and b = mean(y) - a mean(x): equations 5
            # and 6 of the guided filter (He, Sun and Tang 2013).
            slope = (both - mean_x * mean_y) / (square - mean_x * mean_x + epsilon)
            solved[slopes + x] = slope
            solved[offsets + x] = mean_y - slope * mean_x


@jit
def _column_shares(width: int, within: bool) -> Floats:
    """Return the share of each column in the mean of three, for whole tiles.

    within: see `fast_filter_rows`.
    """
    shares = np.full(-(-width // TILE_PX) * TILE_PX, F32(1 / 3), np.float32)
    if within:
        border = F32(1) / F32(min(width, 2))
        shares[0] = border
        shares[width - 1] = border
    return shares


@rows(READ_PLANES, READ_PLANES, float, bool, PLANES, PLANES, PLANES, int)
def fast_filter_rows(
    small: Floats,
    matte: Floats,
    epsilon: float,
    within: bool,
    slope: Floats,
    offset: Floats,
    coarse: Floats,
    column: int,
    top: int,
    bottom: int,
) -> None:
    """Run the fast guided filter (He and Sun 2015): coefficients at the small frame's size.

    slope, offset: (4, h, w), and coarse: alpha, (1, h, w) in 0..1, or wider ones, are filled from
    `column` on. small: (3, h, w) RGB in 0..1; matte: (4, h, w). within: average only pixels inside
    the image at the borders; otherwise zero-pad.
    """
    height = small.shape[1]
    width = small.shape[2]
    columns = _column_shares(width, within)
    shares = np.empty_like(columns)
    products = _rows_of_products(width)
    sums = np.empty(MOMENTS * (TILE_PX + BORDER), np.float32)
    solved = np.empty(2 * PAIRS * TILE_PX, np.float32)
    for y in range(top - 1, bottom + 1):
        _multiply(small, matte, min(max(y, 0), height - 1), y, products)
        row = y - 1
        if row < top:
            continue
        _clamp(matte, row, coarse, row, column)
        row_share = F32(1) / F32(1 + (row > 0) + (row < height - 1) if within else 3)
        for x in range(shares.shape[0]):
            shares[x] = columns[x] * row_share
        for left in range(0, width, TILE_PX):
            _add_rows(products, left, sums)
            _solve(sums, shares, left, F32(epsilon), solved)
            _put(solved, 0, slope, row, column + left, column + width)
            _put(solved, PAIRS, offset, row, column + left, column + width)
