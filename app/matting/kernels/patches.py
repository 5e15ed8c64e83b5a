"""Kernels that cut 4x4-pixel cells for Background Matting V2's refiner and paste its results, compiled by numba.

As in `composite`, colours are interleaved BGR in 0..255. Every public function processes cells `first` to `last`, so
that threads can share the work. A cell is identified by its row-major index in the grid of cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.compiling import Array
from app.core.types import Bytes, Floats
from app.matting.kernels.jit import PLANES, READ_FRAME, WRITE, jit, rows
from models.rules import WINDOW

F32 = np.float32
HALF_BORDER, BORDER = 3, 2
"""Borders in pixels of the half-size and full-size windows around a cell."""
CELLS = Array("int64", 1, writable=True)
WINDOWS = Array("float32", 4, writable=True)
COARSE = Array("float32", 3, writable=True)


@jit
def _tap(position: int, length: int, resized: int) -> tuple[int, int, np.float32]:
    """Return the two source pixels for a position on the resized axis, and the weight of the second."""
    source = min(max((position + 0.5) * length / resized - 0.5, 0.0), length - 1.0)
    first = int(source)
    return first, min(first + 1, length - 1), F32(source - first)


@jit
def _between(plane: Floats, y0: int, y1: int, fy: np.float32, x0: int, x1: int, fx: np.float32) -> np.float32:
    """Return the value of a plane (h, w) between four of its points; see `_tap`."""
    upper = plane[y0, x0] + (plane[y0, x1] - plane[y0, x0]) * fx
    lower = plane[y1, x0] + (plane[y1, x1] - plane[y1, x0]) * fx
    return F32(upper + (lower - upper) * fy)


@jit
def _mean(image: Bytes, y: int, x: int, channel: int) -> np.float32:
    """Return the mean of 2x2 pixels from (y, x), 0..1; equals bilinear resizing to half size."""
    upper = np.int32(image[y, x, channel]) + np.int32(image[y, x + 1, channel])
    lower = np.int32(image[y + 1, x, channel]) + np.int32(image[y + 1, x + 1, channel])
    return F32(upper + lower) * F32(1 / 1020)


@jit
def _context(
    frame: Bytes, plate: Bytes, coarse: Floats, y: int, x: int, half_height: int, half_width: int, pixel: Floats
) -> None:
    """Fill one half-size pixel (C + 6,): coarse features, frame colours, plate colours."""
    channels = coarse.shape[2]
    y0, y1, fy = _tap(y, coarse.shape[0], half_height)
    x0, x1, fx = _tap(x, coarse.shape[1], half_width)
    for c in range(channels):
        upper = coarse[y0, x0, c] + (coarse[y0, x1, c] - coarse[y0, x0, c]) * fx
        lower = coarse[y1, x0, c] + (coarse[y1, x1, c] - coarse[y1, x0, c]) * fx
        pixel[c] = upper + (lower - upper) * fy
    for c in range(3):
        pixel[channels + c] = _mean(frame, 2 * y, 2 * x, 2 - c)
        pixel[channels + 3 + c] = _mean(plate, 2 * y, 2 * x, 2 - c)


@rows(READ_FRAME, READ_FRAME, COARSE, CELLS, WINDOWS, WINDOWS)
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

    frame, plate: (H, W, 3), H and W multiples of 4; coarse: (h, w, C); contexts: (N, 8, 8, C + 6) at half size; images:
    (N, 8, 8, 6), frame and plate, RGB in 0..1.
    """
    height, width = frame.shape[0], frame.shape[1]
    half_height, half_width, columns = height // 2, width // 2, width // 4
    for n in range(first, last):
        row, column = cells[n] // columns, cells[n] % columns
        for i in range(WINDOW):
            y, v = 2 * row + i - HALF_BORDER, 4 * row + i - BORDER
            for j in range(WINDOW):
                x, u = 2 * column + j - HALF_BORDER, 4 * column + j - BORDER
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

    frame, backdrop: (H, W, 3); matte: (N, 4, 4, 4), alpha and foreground residual of each pixel, RGB in 0..1;
    composite, foreground: (H, 3 * W), or (0, 0) if not requested; alpha: (H, W).
    """
    columns = frame.shape[1] // 4
    full = F32(255)
    for n in range(first, last):
        top, left = 4 * (cells[n] // columns), 4 * (cells[n] % columns)
        for i in range(4):
            y = top + i
            for j in range(4):
                x = left + j
                value = min(max(matte[n, i, j, 0] * full, F32(0)), full)
                alpha[y, x] = np.uint8(np.int32(value + F32(0.5)))
                part = value * F32(1 / 255)
                for c in range(3):
                    person = min(max(F32(frame[y, x, c]) + matte[n, i, j, 3 - c] * full, F32(0)), full)
                    if foreground.shape[0]:
                        foreground[y, 3 * x + c] = np.uint8(np.int32(person + F32(0.5)))
                    if composite.shape[0]:
                        behind = F32(backdrop[y, x, c])
                        composite[y, 3 * x + c] = np.uint8(np.int32(behind + (person - behind) * part + F32(0.5)))


@rows(READ_FRAME, PLANES, CELLS, WINDOWS)
def relight_cells(frame: Bytes, maps: Floats, cells: NDArray[np.int64], matte: Floats, first: int, last: int) -> None:
    """Relight the refined cells in place by gains (3) and biases (3), RGB, (6, h, w); alpha is unchanged.

    frame: (H, W, 3); matte: (N, 4, 4, 4) as for `paste_cells`.
    """
    height, width, columns = frame.shape[0], frame.shape[1], frame.shape[1] // 4
    for n in range(first, last):
        top, left = 4 * (cells[n] // columns), 4 * (cells[n] % columns)
        for i in range(4):
            y0, y1, fy = _tap(top + i, maps.shape[1], height)
            for j in range(4):
                x0, x1, fx = _tap(left + j, maps.shape[2], width)
                for c in range(3):
                    gain = _between(maps[c], y0, y1, fy, x0, x1, fx)
                    bias = _between(maps[3 + c], y0, y1, fy, x0, x1, fx)
                    pixel = F32(frame[top + i, left + j, 2 - c]) * F32(1 / 255)
                    matte[n, i, j, 1 + c] = gain * (pixel + matte[n, i, j, 1 + c]) + bias - pixel
