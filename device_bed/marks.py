"""Draw frame number and time into an image as black and white cells, and read them back."""

from __future__ import annotations

import time

import numpy as np

from app.core.types import BgrImage

CELL = 16
_COLUMNS = 36
_BITS = 24 + 40 + 8
"""Bits of a mark: 24 for the number, 40 for the time in microseconds, 8 for the checksum."""
ROWS = _BITS // _COLUMNS
_BLACK, _WHITE = 16, 235


def now_us() -> int:
    """Return the time of the clock that all processes share, in microseconds."""
    return (time.monotonic_ns() // 1000) & 0xFFFFFFFFFF


def draw(image: BgrImage, number: int) -> None:
    """Draw number and current time into the top left corner of an image at least 600 pixels wide."""
    value = (number & 0xFFFFFF) << 40 | now_us()
    value = value << 8 | _check(value)
    bits = np.array([value >> (_BITS - 1 - place) & 1 for place in range(_BITS)], np.uint8).reshape(
        ROWS, _COLUMNS
    )
    cells = np.kron(bits * (_WHITE - _BLACK) + _BLACK, np.ones((CELL, CELL), np.uint8))
    image[: ROWS * CELL, : _COLUMNS * CELL] = cells[..., None]


def read(image: BgrImage) -> tuple[int, float] | None:
    """Return (number, age in milliseconds); None if no mark is readable."""
    corner = image[: ROWS * CELL, : _COLUMNS * CELL, 1].reshape(ROWS, CELL, _COLUMNS, CELL)
    bits = corner[:, 5:11, :, 5:11].mean((1, 3)).ravel() > (_BLACK + _WHITE) / 2
    return decode("".join("1" if bit else "0" for bit in bits), now_us())


def decode(bits: str, now: int) -> tuple[int, float] | None:
    """Return (number, age in milliseconds) of the bits of a mark at `now`, see `now_us`; None if
    they are wrong.
    """
    value = int(bits, 2)
    value, check = value >> 8, value & 255
    if check != _check(value):
        return None
    return value >> 40, ((now - (value & 0xFFFFFFFFFF)) & 0xFFFFFFFFFF) / 1000


def _check(value: int) -> int:
    return (sum(value >> shift & 255 for shift in range(0, 64, 8)) + 85) & 255
