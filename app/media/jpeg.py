"""Finding damaged JPEG frames by walking their entropy-coded data.

A camera on a bad cable loses parts of its MJPG frames. Decoders fill the gap with whatever follows, so that blocks of
the background appear in the wrong place. A baseline scan has no checksum, but its structure is tight: every code must
be valid, every block ends at its 64th coefficient, the brightness of every block is in range, and the last block ends
at the end of the data.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.media.jpeg_tables import STANDARD_TABLES
from app.media.jpeg_walk import (
    CUT_OFF,
    END_OF_BLOCK,
    INVALID_CODE,
    MARGIN,
    MISPLACED_RESTART,
    OUT_OF_RANGE,
    PEEK,
    SURPLUS,
    unstuff,
    walk,
)

Bytes = NDArray[np.uint8]

SOI, SOS, DQT, DHT, DRI = 0xD8, 0xDA, 0xDB, 0xC4, 0xDD
BASELINE = (0xC0, 0xC1)
OTHER_FRAMES = (0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
REASONS = {
    INVALID_CODE: "an invalid code",
    CUT_OFF: "the data ends early",
    OUT_OF_RANGE: "a value out of range",
    SURPLUS: "data after the last block",
    MISPLACED_RESTART: "a restart marker in the wrong place",
}


SURPLUS_DATA = REASONS[SURPLUS]
"""Some cameras end every intact frame like this."""


@dataclass(frozen=True, slots=True)
class _Scan:
    """What the headers say about the scan."""

    start: int
    blocks: NDArray[np.int32]
    """(blocks per MCU, 4): component, DC table, AC table, DC quantizer."""
    mcus: int
    restart_interval: int
    quick: NDArray[np.int32]
    full: NDArray[np.int32]


class _HeaderError(Exception):
    """The headers are damaged."""


class _UnsupportedError(Exception):
    """A JPEG that cameras do not send, such as a progressive one."""


def damage(data: Bytes) -> str:
    """Return what is wrong with a JPEG, or an empty string if nothing is found.

    data: (n,) uint8, contiguous. What follows the end marker is ignored: drivers pad their buffers. A JPEG other than
    baseline is checked for its headers only.
    """
    if len(data) < 4 or data[0] != 0xFF or data[1] != SOI:
        return "no start marker"
    try:
        scan = _scan(data)
    except _UnsupportedError:
        return ""
    except (_HeaderError, IndexError, ValueError, KeyError):
        return "damaged headers"
    buffer = np.empty(len(data) - scan.start + MARGIN, np.uint8)
    if scan.mcus // scan.restart_interval > len(buffer):
        return REASONS[CUT_OFF]
    bounds = np.zeros(-(-scan.mcus // scan.restart_interval), np.int64)
    if unstuff(data, scan.start, buffer, bounds) != len(bounds):
        return REASONS[MISPLACED_RESTART]
    fault = walk(buffer, bounds, scan.blocks, scan.mcus, scan.restart_interval, scan.quick, scan.full)
    return REASONS.get(fault, "")


def _scan(data: Bytes) -> _Scan:
    quantizers: dict[int, int] = {}
    huffman = dict(STANDARD_TABLES)
    interval, frame, at = 0, None, 2
    while True:
        if data[at] != 0xFF:
            raise _HeaderError
        marker = int(data[at + 1])
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        length = int(data[at + 2]) << 8 | int(data[at + 3])
        if length < 2 or at + 2 + length > len(data):
            raise _HeaderError
        body = data[at + 4 : at + 2 + length].tobytes()
        at += 2 + length
        if marker == SOS:
            if frame is None:
                raise _HeaderError
            return _described(at, frame, body, quantizers, huffman, interval)
        if marker in BASELINE:
            frame = body
        elif marker in OTHER_FRAMES:
            raise _UnsupportedError
        elif marker == DQT:
            _read_quantizers(body, quantizers)
        elif marker == DHT:
            _read_huffman(body, huffman)
        elif marker == DRI:
            interval = int.from_bytes(body[:2], "big")


def _read_quantizers(body: bytes, quantizers: dict[int, int]) -> None:
    """Keep the DC quantizer of every table."""
    at = 0
    while at < len(body):
        wide, number = body[at] >> 4, body[at] & 15
        quantizers[number] = int.from_bytes(body[at + 1 : at + 2 + (wide > 0)], "big")
        at += 1 + 64 * (2 if wide else 1)
    if at != len(body):
        raise _HeaderError


def _read_huffman(body: bytes, huffman: dict[int, bytes]) -> None:
    """Keep (16 counts, symbols) of every table under its class and number."""
    at = 0
    while at < len(body):
        count = sum(body[at + 1 : at + 17])
        huffman[body[at]] = body[at + 1 : at + 17 + count]
        at += 17 + count
    if at != len(body):
        raise _HeaderError


def _described(
    start: int, frame: bytes, scan: bytes, quantizers: dict[int, int], huffman: dict[int, bytes], interval: int
) -> _Scan:
    height, width, components = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big"), frame[5]
    if frame[0] != 8 or not width or not height or components not in (1, 3) or scan[0] != components:
        raise _UnsupportedError
    blocks: list[tuple[int, int, int, int]] = []
    factors = [frame[7 + 3 * c] for c in range(components)]
    wide, high = max(f >> 4 for f in factors), max(f & 15 for f in factors)
    if wide > 4 or high > 4 or not all(f >> 4 and f & 15 for f in factors):
        raise _HeaderError
    if components == 1:  # a scan of one component has one block per MCU
        factors, wide, high = [0x11], 1, 1
    numbers: list[int] = []
    for c in range(components):
        if scan[1 + 2 * c] != frame[6 + 3 * c]:
            raise _HeaderError
        chosen = scan[2 + 2 * c]
        pair = chosen >> 4, 0x10 | (chosen & 15)
        for number in pair:
            if number not in numbers:
                numbers.append(number)
        quantizer = quantizers[frame[8 + 3 * c]]
        entry = (c, numbers.index(pair[0]), numbers.index(pair[1]), quantizer)
        blocks += [entry] * ((factors[c] >> 4) * (factors[c] & 15))
    mcus = -(-width // (8 * wide)) * -(-height // (8 * high))
    quick, full = _lookups(tuple((number >= 0x10, huffman[number]) for number in numbers))
    return _Scan(start, np.array(blocks, np.int32), mcus, interval or mcus, quick, full)


@functools.lru_cache(maxsize=8)
def _lookups(tables: tuple[tuple[bool, bytes], ...]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return what the next bits begin with, for `walk`: (tables, 1 << PEEK) and (tables, 65536); 0 for an invalid code.

    By 16 bits: bits 0-7 code and magnitude bits, 8-15 coefficients to advance, 16-23 magnitude bits. By PEEK bits the
    same for DC tables; for AC tables 8-15 the coefficients of the first of two codes, 0 where only one is known, 16-23
    and 24-31 bits and coefficients of all the codes that are known.
    """
    full = np.zeros((len(tables), 1 << 16), np.int32)
    for row, (is_ac, table) in zip(full, tables, strict=True):
        _fill(row, table, is_ac)
    quick = full[:, :: 1 << (16 - PEEK)].copy()
    quick[quick != full[:, (1 << (16 - PEEK)) - 1 :: 1 << (16 - PEEK)]] = 0  # a longer code
    for number, (is_ac, _) in enumerate(tables):
        if is_ac:
            quick[number] = _combined(quick[number], full[number])
    return quick, full


def _fill(row: NDArray[np.int32], table: bytes, is_ac: bool) -> None:
    """Fill the lookup by 16 bits of one table: 16 counts of codes by length, then the symbols."""
    code, at = 0, 16
    for length in range(1, 17):
        for symbol in table[at : at + table[length - 1]]:
            run, size = (symbol >> 4, symbol & 15) if is_ac else (0, symbol)
            if size > (10 if is_ac else 11) or (code + 1) << (16 - length) > 1 << 16:
                raise _HeaderError
            advance = END_OF_BLOCK if is_ac and symbol == 0 else run + 1
            if not is_ac or size or symbol in (0x00, 0xF0):
                first = code << (16 - length)
                row[first : first + (1 << (16 - length))] = length + size | advance << 8 | size << 16
            code += 1
        at += table[length - 1]
        code <<= 1


def _combined(row: NDArray[np.int32], full: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the lookup by PEEK bits of an AC table with up to two codes. row: the lookup with one."""
    used, advance = row & 0xFF, row >> 8 & 0xFF
    known = np.minimum(used, PEEK)
    rest = np.arange(1 << PEEK, dtype=np.int32) << (16 - PEEK) << known & 0xFFFF
    second, last = full[rest], full[rest | (1 << (16 - PEEK + known)) - 1]
    two = (used < PEEK) & (advance < END_OF_BLOCK) & (second == last) & (second != 0)
    all_used = used + np.where(two, second & 0xFF, 0)
    all_advance = advance + np.where(two, second >> 8 & 0xFF, 0)
    packed = used | np.where(two, advance, 0) << 8 | all_used << 16 | all_advance.astype(np.uint32) << 24
    return np.where(row == 0, 0, packed).astype(np.uint32).view(np.int32)
