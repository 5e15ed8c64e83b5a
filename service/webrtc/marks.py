"""The mark of a frame: its number as black and white cells in a strip below the image, which survives video coding.

RTP times do not survive a detour through a server. A client that must know to which of its frames a matte belongs adds
the mark; the server mattes the image above it and copies the number below the matte.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STRIP_PX = 16
"""Height of the strip."""
BITS = 12
COUNT = 1 << BITS
"""Numbers of frames are modulo this."""
MIN_WIDTH = 2 * BITS * 8
"""Narrower cells do not survive coding."""

Luma = NDArray[np.uint8]


def mark_strip(number: int, width: int) -> Luma:
    """Return the strip (STRIP_PX, width) of a number: its bits and their complement, most significant first."""
    number %= COUNT
    bits = [number >> bit & 1 for bit in range(BITS - 1, -1, -1)]
    cells = np.array([*bits, *(1 - bit for bit in bits)], np.uint8) * 255
    row = np.zeros(width, np.uint8)
    cell = width // len(cells)
    row[: cell * len(cells)] = np.repeat(cells, cell)
    return np.tile(row, (STRIP_PX, 1))


def read_mark(strip: Luma) -> int | None:
    """Return the number in a strip (STRIP_PX, W), None if there is none."""
    cell = strip.shape[1] // (2 * BITS)
    if cell < MIN_WIDTH // (2 * BITS) or strip.shape[0] < STRIP_PX:
        return None
    inner = strip[4:-4, : cell * 2 * BITS].reshape(STRIP_PX - 8, 2 * BITS, cell)[:, :, 2:-2]
    bits = inner.mean(axis=(0, 2)) > 127
    if (bits[:BITS] == bits[BITS:]).any():
        return None
    return int("".join("1" if bit else "0" for bit in bits[:BITS]), 2)
