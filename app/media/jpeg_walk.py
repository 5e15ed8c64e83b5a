"""The inner loops of the JPEG check, compiled by Numba when this module is imported."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from app.core.compiling import Function, compiled

INTEGER, BYTES, INTEGERS, TABLE = numba.int64, numba.uint8[::1], numba.int64[::1], numba.int32[:, ::1]
READ_BYTES = numba.types.Array(numba.uint8, 1, "C", readonly=True)

INTACT, INVALID_CODE, CUT_OFF, OUT_OF_RANGE, SURPLUS, MISPLACED_RESTART = range(6)
END_OF_BLOCK = 128
"""Coefficients that the code for the end of a block advances, more than any other."""
PEEK = 12
"""Bits that the first lookup of a code sees; longer codes are rare and take a second one."""
DC_RANGE = 1024
"""A dequantized DC coefficient is 8 times the mean of a block, which is in -128..127."""
MARGIN = 256
"""Bytes that must follow the data: more than a block can have."""


def _jit(*signature: object) -> Callable[[Function], Function]:
    """Compile at import for the argument types of `signature`, or together with the callers if it is empty."""
    return lambda function: compiled(function, *signature, nogil=True)


@_jit(INTEGER(READ_BYTES, INTEGER, BYTES, INTEGERS))
def unstuff(data: NDArray[np.uint8], start: int, out: NDArray[np.uint8], bounds: NDArray[np.int64]) -> int:
    """Copy the scan without stuffed bytes; return the number of restart intervals, -1 for a misplaced marker.

    Stops at the end marker. data: the file. out: at least MARGIN bytes longer than the scan. bounds: filled in with
    where the intervals end in `out`.
    """
    count, intervals, at, end = np.uint64(0), 0, np.uint64(start), np.uint64(len(data))
    one = np.uint64(1)
    while at < end:
        value = data[at]
        at += one
        if value == 0xFF:
            if at >= end:
                break
            following = data[at]
            if following == 0xFF:  # a fill byte before a marker
                continue
            at += one
            if following == 0xD9:  # the end marker
                break
            if following != 0:
                if following != 0xD0 + intervals % 8 or intervals + 1 >= len(bounds):
                    return -1
                bounds[intervals] = count
                intervals += 1
                continue
        out[count] = value
        count += one
    out[count : count + np.uint64(MARGIN)] = 0xFF
    bounds[intervals] = count
    return intervals + 1


@_jit()
def _load(data: NDArray[np.uint8], at: np.uint64) -> np.uint64:
    """Return 8 bytes, the first at the top."""
    word = np.uint64(0)
    for byte in range(8):
        word = word << np.uint64(8) | np.uint64(data[at + np.uint64(byte)])
    return word


@_jit(INTEGER(BYTES, INTEGERS, TABLE, INTEGER, INTEGER, TABLE, TABLE))
def walk(
    data: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    blocks: NDArray[np.int32],
    mcus: int,
    interval: int,
    quick: NDArray[np.int32],
    full: NDArray[np.int32],
) -> int:
    """Walk the codes of a scan without decoding it; return the fault, or INTACT.

    data, bounds: from `unstuff`. blocks: (blocks per MCU, 4) component, DC table, AC table, DC quantizer. interval:
    MCUs per restart interval. quick (tables, 1 << PEEK), full (tables, 65536): see `app.media.jpeg`.
    """
    bits, count = np.uint64(0), np.uint64(0)  # the next bits at the top, and how many of them are valid
    at, end = np.uint64(0), np.uint64(0)
    eight, three, full_word = np.uint64(8), np.uint64(3), np.uint64(56)
    dc = np.zeros(4, np.int64)
    for mcu in range(mcus):
        if mcu % interval == 0:
            if mcu and at * eight - count + eight <= end * eight:
                return SURPLUS
            at, end = end, np.uint64(bounds[mcu // interval])
            bits, count = np.uint64(0), np.uint64(0)
            dc[:] = 0
        for block in range(blocks.shape[0]):
            bits |= _load(data, at) >> count
            at += (np.uint64(63) - count) >> three
            count |= full_word
            component, quantizer = blocks[block, 0], blocks[block, 3]
            entry = quick[blocks[block, 1], bits >> np.uint64(64 - PEEK)]
            if entry == 0:
                entry = full[blocks[block, 1], bits >> np.uint64(48)]
                if entry == 0:
                    return INVALID_CODE
            used, size = np.uint64(entry & 0xFF), np.uint64(entry >> 16)
            if size:
                value = np.int64((bits << (used - size)) >> (np.uint64(64) - size))
                if value >> np.int64(size - np.uint64(1)) == 0:
                    value += 1 - (1 << np.int64(size))
                dc[component] += value
                if abs(dc[component]) * quantizer > DC_RANGE + quantizer:
                    return OUT_OF_RANGE
            bits <<= used
            count -= used
            table = blocks[block, 2]
            k = 1
            while k < 64:
                if count < np.uint64(38):  # two codes with their magnitudes
                    bits |= _load(data, at) >> count
                    at += (np.uint64(63) - count) >> three
                    count |= full_word
                entry = quick[table, bits >> np.uint64(64 - PEEK)]
                advance, used = (entry >> 24) & 0xFF, np.uint64((entry >> 16) & 0xFF)
                if entry == 0 or k + ((entry >> 8) & 0xFF) >= 64:
                    # a long code, or the block may end with the first code of two
                    entry = full[table, bits >> np.uint64(48)]
                    if entry == 0:
                        return INVALID_CODE
                    advance, used = (entry >> 8) & 0xFF, np.uint64(entry & 0xFF)
                k += advance
                bits <<= used
                count -= used
            if 64 < k < END_OF_BLOCK:
                return INVALID_CODE
            if at * eight - count > end * eight:
                return CUT_OFF
    left = end * eight + count - at * eight
    if left >= eight:
        return SURPLUS
    if left:
        padding = bits >> (np.uint64(64) - left)
        if padding != 0 and padding != (np.uint64(1) << left) - np.uint64(1):
            return INVALID_CODE
    return INTACT
