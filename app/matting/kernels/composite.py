"""Full-size kernels for CPUs, compiled by numba: composite, edge controls, view, refined cells.

`finish_rows` accesses each byte of frame, backdrop and composite once; the others run after it or
beside it. See `app.matting.edges`. A composite is background + alpha (person - background), the
operator *over* (Porter and Duff 1984).

Every public function processes rows `top` to `bottom` of its output and releases the GIL, so that
strips of a frame run in parallel. Colours are interleaved BGR in 0..255. The inner loops run over
contiguous rows from index 0, which lets the compiler vectorize them.

Background Matting V2 refines cells of 4x4 pixels. `cut_cells` and `paste_cells` process cells
`first` to `last`. A cell is identified by its row-major index in the grid of cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.compiling import Array
from app.core.types import Bytes, Floats
from app.matting.kernels import PLANES, READ, READ_FRAME, READ_STEPS, WRITE, jit, rows
from models.exchange import WINDOW

F32 = np.float32
I32 = np.int32
U64 = np.uint64
# Pixels of a row processed together; the backdrop is
# copied for a block without visible alpha.
BLOCK = 64
# Alpha below SEEN rounds to 0 in 8 bits; from
# SOLID on, nothing of the backdrop is seen.
SEEN = F32(0.5 / 255)
SOLID = F32(1 - 1e-4)
# What a block shows: the backdrop, a mixture, or the person alone.
NOBODY = np.uint8(0)
EDGE = np.uint8(1)
INSIDE = np.uint8(2)


@jit
def _cells(small_width: int, width: int) -> tuple[NDArray[np.uint32], Floats]:
    """Return the cell of each pixel of a row, (W,), and the weight of its right side, (W,).

    Cell n lies between the small pixels n - 1 and n; beyond the first and the last one they are
    repeated.
    """
    cells = np.empty(width, np.uint32)
    weights = np.empty(width, np.float32)
    for x in range(width):
        source = (x + 0.5) * small_width / width - 0.5
        left = np.floor(source)
        cells[x] = np.uint32(left + 1)
        weights[x] = F32(source - left)
    return cells, weights


@jit
def _kinds(
    slope: Floats, offset: Floats, first: int, last: int, cells: NDArray[np.uint32]
) -> NDArray[np.uint8]:  # fmt: skip
    """Return what each block of a full-size row may show, for coefficient rows `first` to `last`.

    Alpha is slope * mean + offset with a mean in 0..1. Between two small pixels it lies between the
    bounds of both.
    """
    small_width = slope.shape[2]
    width = cells.shape[0]
    kinds = np.empty((last - first + 1, -(-width // BLOCK)), np.uint8)
    hidden = np.empty(small_width, np.uint8)
    solid = np.empty(small_width, np.uint8)
    for row in range(first, last + 1):
        # NaN is neither hidden nor solid.
        for x in range(U64(small_width)):
            hidden[x] = np.uint8(max(slope[3, row, x], F32(0)) + offset[3, row, x] < SEEN)
        for x in range(U64(small_width)):
            solid[x] = np.uint8(min(slope[3, row, x], F32(0)) + offset[3, row, x] >= SOLID)
        for block in range(kinds.shape[1]):
            left = max(int(cells[block * BLOCK]) - 1, 0)
            right = min(int(cells[min((block + 1) * BLOCK, width) - 1]), small_width - 1)
            nobody = np.uint8(1)
            inside = np.uint8(1)
            for x in range(U64(left), U64(right + 1)):
                nobody &= hidden[x]
                inside &= solid[x]
            kind = INSIDE if inside else EDGE
            kinds[row - first, block] = NOBODY if nobody else kind
    return kinds


@jit
def _pairs(
    planes: Floats, row: int, begin: int, end: int, scale: np.float32, firsts: Floats, steps: Floats
) -> None:  # fmt: skip
    """Fill `scale` times the left value of the cells, (4, w + 1), and the step to the right one."""
    last = planes.shape[2] - 1
    for plane in range(U64(4)):
        if begin == 0:
            firsts[plane, 0] = planes[plane, row, 0] * scale
            steps[plane, 0] = F32(0)
        for cell in range(U64(max(begin, 1)), U64(min(end, last + 1))):
            left = planes[plane, row, cell - U64(1)] * scale
            firsts[plane, cell] = left
            steps[plane, cell] = planes[plane, row, cell] * scale - left
        if end == last + 2:
            firsts[plane, last + 1] = planes[plane, row, last] * scale
            steps[plane, last + 1] = F32(0)


@jit
def _expand(
    slope: Floats,
    offset: Floats,
    row: int,
    kinds: NDArray[np.uint8],
    cells: NDArray[np.uint32],
    weights: Floats,
    colours: Floats,
    alphas: Floats,
    firsts: Floats,
    steps: Floats,
) -> None:
    """Upsample a row of slopes and offsets (times 255) to the full width.

    It fills colours[row & 1] (2, 3 * W) and alphas[row & 1] (2, W): colours where `kinds` is not
    NOBODY, alpha where it is EDGE. firsts, steps: buffers of `_pairs`.
    """
    w = row & 1
    width = cells.shape[0]
    begin = firsts.shape[1]
    end = 0
    for block in range(kinds.shape[0]):
        if kinds[block] != NOBODY:
            begin = min(begin, int(cells[block * BLOCK]))
            end = int(cells[min((block + 1) * BLOCK, width) - 1]) + 1
    if end == 0:
        return
    for part in range(2):
        planes = offset if part else slope
        scale = F32(255) if part else F32(1)
        _pairs(planes, row, begin, end, scale, firsts, steps)
        for block in range(kinds.shape[0]):
            if kinds[block] == NOBODY:
                continue
            for x in range(U64(block * BLOCK), U64(min((block + 1) * BLOCK, width))):
                i = U64(3) * x
                cell = cells[x]
                weight = weights[x]
                colours[w, part, i] = firsts[2, cell] + steps[2, cell] * weight
                colours[w, part, i + U64(1)] = firsts[1, cell] + steps[1, cell] * weight
                colours[w, part, i + U64(2)] = firsts[0, cell] + steps[0, cell] * weight
            if kinds[block] == EDGE:
                for x in range(U64(block * BLOCK), U64(min((block + 1) * BLOCK, width))):
                    cell = cells[x]
                    alphas[w, part, x] = firsts[3, cell] + steps[3, cell] * weights[x]


@jit
def _alpha_row(
    frame: Bytes, y: int, alphas: Floats, u: int, v: int, fy: np.float32, begin: int, end: int,
    values: Floats, alpha: Bytes,
) -> None:  # fmt: skip
    """Compute alpha of pixels `begin` to `end`, in 0..255 and as bytes.

    alphas[u], alphas[v]: see `_expand`.
    """
    for x in range(U64(begin), U64(end)):
        i = U64(3) * x
        total = F32(frame[y, i]) + F32(frame[y, i + U64(1)]) + F32(frame[y, i + U64(2)])
        mean = total * F32(1 / 3)
        slope = alphas[u, 0, x] + (alphas[v, 0, x] - alphas[u, 0, x]) * fy
        offset = alphas[u, 1, x] + (alphas[v, 1, x] - alphas[u, 1, x]) * fy
        value = min(max(slope * mean + offset, F32(0)), F32(255))
        values[x] = value
        alpha[y, x] = np.uint8(np.int32(value + F32(0.5)))


@jit
def _person_row(
    frame: Bytes, y: int, colours: Floats, u: int, v: int, fy: np.float32, begin: int, end: int,
    person: Bytes,
) -> None:  # fmt: skip
    """Compute the colours of a person in pixels `begin` to `end`.

    colours[u], colours[v]: see `_expand`.
    """
    for i in range(U64(3 * begin), U64(3 * end)):
        pixel = F32(frame[y, i])
        slope = colours[u, 0, i] + (colours[v, 0, i] - colours[u, 0, i]) * fy
        offset = colours[u, 1, i] + (colours[v, 1, i] - colours[u, 1, i]) * fy
        value = min(max(pixel + slope * pixel + offset, F32(0)), F32(255))
        person[y, i] = np.uint8(np.int32(value + F32(0.5)))


@jit
def _blend(
    frame: Bytes, backdrop: Bytes, y: int, colours: Floats, u: int, v: int, fy: np.float32,
    begin: int, end: int, parts: Floats, composite: Bytes,
) -> None:  # fmt: skip
    for i in range(U64(3 * begin), U64(3 * end)):
        pixel = F32(frame[y, i])
        slope = colours[u, 0, i] + (colours[v, 0, i] - colours[u, 0, i]) * fy
        offset = colours[u, 1, i] + (colours[v, 1, i] - colours[u, 1, i]) * fy
        person = min(max(pixel + slope * pixel + offset, F32(0)), F32(255))
        background = F32(backdrop[y, i])
        mixed = background + (person - background) * parts[i]
        composite[y, i] = np.uint8(np.int32(mixed + F32(0.5)))


@jit
def _copy(source: Bytes, y: int, begin: int, end: int, target: Bytes) -> None:
    for i in range(U64(3 * begin), U64(3 * end)):
        target[y, i] = source[y, i]


@jit
def _fill(alpha: Bytes, y: int, begin: int, end: int, value: np.uint8) -> None:
    for x in range(U64(begin), U64(end)):
        alpha[y, x] = value


@jit
def _thirds(values: Floats | Bytes, begin: int, end: int, parts: Floats) -> None:
    """Convert each alpha (0..255) to 0..1, repeated for the three colours of its pixel."""
    for x in range(U64(begin), U64(end)):
        part = F32(values[x]) * F32(1 / 255)
        i = U64(3) * x
        parts[i] = part
        parts[i + U64(1)] = part
        parts[i + U64(2)] = part


@jit
def _kind(upper: np.uint8, lower: np.uint8) -> np.uint8:
    """Return the kind between two rows of coefficients."""
    return upper if upper == lower else EDGE


@jit
def _runs(
    kinds: NDArray[np.uint8], upper: int, lower: int, shown: NDArray[np.uint8],
    ends: NDArray[np.int64],
) -> None:  # fmt: skip
    """Fill what each block between two rows of `kinds` shows, and where its run of blocks ends."""
    last = shown.shape[0] - 1
    for block in range(last, -1, -1):
        shown[block] = _kind(kinds[upper, block], kinds[lower, block])
        if block < last and shown[block] == shown[block + 1]:
            ends[block] = ends[block + 1]
        else:
            ends[block] = block + 1


@jit
def _visible(alpha: Bytes, y: int, begin: int, end: int) -> bool:
    seen = np.uint8(0)
    for x in range(U64(begin), U64(end)):
        seen |= alpha[y, x]
    return bool(seen)


@jit
def _tap(source: float, length: int) -> tuple[int, int, np.float32]:
    """Return the two of `length` pixels around a position, and the weight of the second."""
    source = min(max(source, 0.0), length - 1.0)
    first = int(source)
    return first, min(first + 1, length - 1), F32(source - first)


@jit
def _resized(position: int, length: int, resized: int) -> tuple[int, int, np.float32]:
    """Return the two of `length` pixels around one of the resized axis; see `_tap`."""
    return _tap((position + 0.5) * length / resized - 0.5, length)


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
    """Run the second stage of the step: alpha, composite and foreground from coefficients.

    See `app.matting.torch.frame_step`.

    frame, backdrop, composite, foreground: (H, 3 * W); alpha: (H, W); slope, offset: (4, h, w). A
    composite or foreground of shape (0, 0) is not computed; without a composite, the backdrop is
    not read.
    """
    height, width = alpha.shape
    small_height = slope.shape[1]
    cells, weights = _cells(slope.shape[2], width)
    first = _resized(top, small_height, height)[0]
    last = _resized(bottom - 1, small_height, height)[1]
    kinds = _kinds(slope, offset, first, last, cells)
    if foreground.shape[0]:
        np.maximum(kinds, EDGE, kinds)
    # The two coefficient rows around the current row, at full width: slopes, then offsets.
    colours = np.empty((2, 2, 3 * width), np.float32)
    alphas = np.empty((2, 2, width), np.float32)
    firsts = np.empty((4, slope.shape[2] + 1), np.float32)
    steps = np.empty((4, slope.shape[2] + 1), np.float32)
    expanded = np.full(2, -1, np.int64)
    near = np.empty_like(kinds[0])
    shown = np.empty_like(kinds[0])
    ends = np.empty(kinds.shape[1], np.int64)
    values = np.empty(width, np.float32)
    parts = np.empty(3 * width, np.float32)
    current = -1  # the upper coefficient row of the row before
    # Arrays are indexed, not sliced: each slice counts references,
    # which takes longer than the work on a block.
    for y in range(top, bottom):
        y0, y1, fy = _resized(y, small_height, height)
        if y0 != current:
            current = y0
            _runs(kinds, y0 - first, y1 - first, shown, ends)
            for row in (y0, y1):
                if expanded[row & 1] != row:
                    expanded[row & 1] = row
                    above = max(row - 1, first) - first
                    own = row - first
                    below = min(row + 1, last) - first
                    for block in range(near.shape[0]):
                        upper_kind = _kind(kinds[above, block], kinds[own, block])
                        near[block] = _kind(upper_kind, kinds[below, block])
                    _expand(
                        slope, offset, row, near, cells, weights, colours, alphas, firsts, steps
                    )  # fmt: skip
        u = y0 & 1
        v = y1 & 1
        if foreground.shape[0]:
            _person_row(frame, y, colours, u, v, fy, 0, width, foreground)
        block = 0
        while block < shown.shape[0]:
            kind = shown[block]
            begin = block * BLOCK
            end = min(ends[block] * BLOCK, width)
            block = ends[block]
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


@jit
def _despill(person: Bytes, alpha: Bytes, amount: np.float32) -> None:
    for x in range(alpha.shape[0]):
        blue = F32(person[3 * x])
        green = F32(person[3 * x + 1])
        red = F32(person[3 * x + 2])
        edge = min(F32(4) * (F32(1) - F32(alpha[x]) * F32(1 / 255)), F32(1))
        spill = max(green - max(red, blue), F32(0)) * edge
        person[3 * x + 1] = np.uint8(np.int32(green - amount * spill + F32(0.5)))


@jit
def _mix(person: Bytes, backdrop: Bytes, parts: Floats, composite: Bytes) -> None:
    for i in range(person.shape[0]):
        background = F32(backdrop[i])
        mixed = background + (F32(person[i]) - background) * parts[i]
        composite[i] = np.uint8(np.int32(mixed + F32(0.5)))


@rows(WRITE, READ, READ, float, WRITE)
def blend_rows(
    foreground: Bytes, alpha: Bytes, backdrop: Bytes, despill: float, composite: Bytes, top: int,
    bottom: int,
) -> None:  # fmt: skip
    """Composite a foreground over the backdrop, after despilling half-transparent pixels.

    despill: how much, 0..1.
    foreground (despilled in place), backdrop, composite: (H, 3 * W); alpha: (H, W).
    """
    parts = np.empty(3 * alpha.shape[1], np.float32)
    for y in range(top, bottom):
        if despill > 0:
            _despill(foreground[y], alpha[y], F32(despill))
        _thirds(alpha[y], 0, alpha.shape[1], parts)
        _mix(foreground[y], backdrop[y], parts, composite[y])


@rows(WRITE, READ, READ, READ)
def extend_colour_rows(
    foreground: Bytes, beyond: Bytes, before: Bytes, after: Bytes, top: int, bottom: int
) -> None:  # fmt: skip
    """Blend the foreground (H, 3 * W) into `beyond` where feathering raised alpha (H, W)."""
    for y in range(top, bottom):
        for x in range(after.shape[1]):
            if after[y, x] > before[y, x]:
                own = F32(before[y, x]) / F32(after[y, x])
                own *= own
                for i in range(3 * x, 3 * x + 3):
                    outer = F32(beyond[y, i])
                    mixed = outer + (F32(foreground[y, i]) - outer) * own
                    foreground[y, i] = np.uint8(np.int32(mixed + F32(0.5)))


@rows(READ, WRITE, READ_STEPS)
def smooth_alpha_rows(
    alpha: Bytes, previous_alpha: Bytes, steps: NDArray[np.int16], top: int, bottom: int
) -> None:  # fmt: skip
    """Move `previous_alpha` (H, W) towards `alpha` (H, W).

    steps: (511,), indexed by their difference + 255.
    """
    for y in range(top, bottom):
        for x in range(alpha.shape[1]):
            last = np.int32(previous_alpha[y, x])
            previous_alpha[y, x] = np.uint8(last + steps[np.int32(alpha[y, x]) - last + 255])


@jit
def _line(
    row: Bytes, columns: NDArray[np.int32], parts: NDArray[np.int32], line: NDArray[np.int32]
) -> None:  # fmt: skip
    """Resample one row of the frame horizontally; 128 times its values.

    columns: (2, W), first bytes of pixels.
    """
    for x in range(columns.shape[1]):
        i = columns[0, x]
        k = columns[1, x]
        j = 3 * x
        part = parts[x]
        for colour in range(3):
            value = I32(row[i + colour])
            line[j + colour] = (value << 7) + (I32(row[k + colour]) - value) * part


@jit
def _between_lines(
    upper: NDArray[np.int32], lower: NDArray[np.int32], part: np.int32, shown: Bytes
) -> None:  # fmt: skip
    for i in range(shown.shape[0]):
        shown[i] = np.uint8(((upper[i] << 7) + (lower[i] - upper[i]) * part + 8192) >> 14)


@rows(READ, WRITE, float, float, float)
def view_rows(
    frame: Bytes, shown: Bytes, left: float, above: float, size: float, top: int, bottom: int
) -> None:  # fmt: skip
    """Enlarge a view of the frame (H, 3 * W) to the frame's size, bilinear.

    left, above, size: of the view, in fractions of the frame.
    A row of the frame is resampled horizontally once: a view is smaller than the frame, so that
    consecutive rows of the result lie between the same rows of it.
    """
    height = frame.shape[0]
    width = frame.shape[1] // 3
    columns = np.empty((2, width), np.int32)
    parts = np.empty(width, np.int32)
    for x in range(width):
        first, second, part = _tap(left * width + (x + 0.5) * size - 0.5, width)
        columns[0, x] = 3 * first
        columns[1, x] = 3 * second
        parts[x] = I32(part * 128 + 0.5)
    lines = np.empty((2, 3 * width), np.int32)
    resampled = np.full(2, -1, np.int64)
    for y in range(top, bottom):
        first, second, part = _tap(above * height + (y + 0.5) * size - 0.5, height)
        for row in (first, second):
            if resampled[row & 1] != row:
                resampled[row & 1] = row
                _line(frame[row], columns, parts, lines[row & 1])
        _between_lines(lines[first & 1], lines[second & 1], I32(part * 128 + 0.5), shown[y])


# Borders in pixels of the half-size and full-size windows around a cell.
HALF_BORDER = 3
BORDER = 2
CELLS = Array("int64", 1, writable=True)
WINDOWS = Array("float32", 4, writable=True)


@jit
def _mean(image: Bytes, y: int, x: int, channel: int) -> np.float32:
    """Return the mean of 2x2 pixels from (y, x), 0..1; equals bilinear resizing to half size."""
    upper = np.int32(image[y, x, channel]) + np.int32(image[y, x + 1, channel])
    lower = np.int32(image[y + 1, x, channel]) + np.int32(image[y + 1, x + 1, channel])
    return F32(upper + lower) * F32(1 / 1020)


@jit
def _context(
    frame: Bytes, plate: Bytes, coarse: Floats, y: int, x: int, half_height: int, half_width: int,
    pixel: Floats,
) -> None:  # fmt: skip
    """Fill one half-size pixel (C + 6,): coarse features, frame colours, plate colours."""
    channels = coarse.shape[2]
    y0, y1, fy = _resized(y, coarse.shape[0], half_height)
    x0, x1, fx = _resized(x, coarse.shape[1], half_width)
    for c in range(channels):
        upper = coarse[y0, x0, c] + (coarse[y0, x1, c] - coarse[y0, x0, c]) * fx
        lower = coarse[y1, x0, c] + (coarse[y1, x1, c] - coarse[y1, x0, c]) * fx
        pixel[c] = upper + (lower - upper) * fy
    for c in range(3):
        pixel[channels + c] = _mean(frame, 2 * y, 2 * x, 2 - c)
        pixel[channels + 3 + c] = _mean(plate, 2 * y, 2 * x, 2 - c)


@rows(READ_FRAME, READ_FRAME, PLANES, CELLS, WINDOWS, WINDOWS)
def cut_cells(
    frame: Bytes,
    plate: Bytes,
    coarse: Floats,
    cells: NDArray[np.int64],
    contexts: Floats,
    images: Floats,
    first: int,
    last: int,
) -> None:
    """Cut the refiner's input windows for the cells, zero-padded outside the image.

    frame, plate: (H, W, 3), H and W multiples of 4; coarse: (h, w, C); contexts: (N, 8, 8, C + 6)
    at half size; images: (N, 8, 8, 6), frame and plate, RGB in 0..1.
    """
    height = frame.shape[0]
    width = frame.shape[1]
    half_height = height // 2
    half_width = width // 2
    columns = width // 4
    for n in range(first, last):
        row = cells[n] // columns
        column = cells[n] % columns
        for i in range(WINDOW):
            y = 2 * row + i - HALF_BORDER
            v = 4 * row + i - BORDER
            for j in range(WINDOW):
                x = 2 * column + j - HALF_BORDER
                u = 4 * column + j - BORDER
                if 0 <= y < half_height and 0 <= x < half_width:
                    _context(frame, plate, coarse, y, x, half_height, half_width, contexts[n, i, j])
                else:
                    contexts[n, i, j] = F32(0)
                if 0 <= v < height and 0 <= u < width:
                    for c in range(3):
                        images[n, i, j, c] = F32(frame[v, u, 2 - c]) * F32(1 / 255)
                        images[n, i, j, 3 + c] = F32(plate[v, u, 2 - c]) * F32(1 / 255)
                else:
                    images[n, i, j] = F32(0)


@rows(READ_FRAME, READ_FRAME, WINDOWS, CELLS, WRITE, WRITE, WRITE)
def paste_cells(
    frame: Bytes,
    backdrop: Bytes,
    matte: Floats,
    cells: NDArray[np.int64],
    composite: Bytes,
    alpha: Bytes,
    foreground: Bytes,
    first: int,
    last: int,
) -> None:
    """Write alpha, composite and foreground of the refined cells.

    frame, backdrop: (H, W, 3); matte: (N, 4, 4, 4), alpha and foreground residual of each pixel,
    RGB in 0..1; composite, foreground: (H, 3 * W), or (0, 0) if not requested; alpha: (H, W).
    """
    columns = frame.shape[1] // 4
    full = F32(255)
    for n in range(first, last):
        top = 4 * (cells[n] // columns)
        left = 4 * (cells[n] % columns)
        for i in range(4):
            y = top + i
            for j in range(4):
                x = left + j
                value = min(max(matte[n, i, j, 0] * full, F32(0)), full)
                alpha[y, x] = np.uint8(np.int32(value + F32(0.5)))
                part = value * F32(1 / 255)
                for c in range(3):
                    colour = F32(frame[y, x, c]) + matte[n, i, j, 3 - c] * full
                    person = min(max(colour, F32(0)), full)
                    if foreground.shape[0]:
                        foreground[y, 3 * x + c] = np.uint8(np.int32(person + F32(0.5)))
                    if composite.shape[0]:
                        behind = F32(backdrop[y, x, c])
                        mixed = behind + (person - behind) * part
                        composite[y, 3 * x + c] = np.uint8(np.int32(mixed + F32(0.5)))
