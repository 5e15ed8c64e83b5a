"""Remove the bytes of a JPEG frame that do not belong to it, and prove that nothing else is wrong.

Some webcams (Logitech C270 and C910) send 1 to 9 surplus bytes before restart markers.
libjpeg-turbo skips them, but it reports only the first fault of a frame: behind surplus bytes, lost
data would pass unseen. Therefore each restart interval is decoded alone, which tells exactly what
is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray

# What libjpeg-turbo says of surplus bytes: how many, and the marker that follows them.
SURPLUS = re.compile(r"(\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
START = b"\xff\xd8"
END = b"\xff\xd9"
# A start marker and the first segment: surplus bytes can be the one, but not both.
_BEGINNING = re.compile(rb"\xff\xd8(?=\xff+[\xc0-\xcf\xdb-\xfe])", re.DOTALL)
# More bytes between a marker and the expected one are not surplus: intervals are missing.
LARGEST_GAP_BYTES = 64

_APP0 = 0xE0
_APP2 = 0xE2
_APP14 = 0xEE
_APPLICATION = range(0xE0, 0xF0)
_COMMENT = 0xFE
# Baseline and extended sequential JPEG: one scan, which is what cameras send.
_FRAME_HEADERS = (0xC0, 0xC1)
# Huffman and quantization tables.
_TABLES = (0xC4, 0xDB)
_RESTART_INTERVAL = 0xDD
_SCAN = 0xDA
_FIRST_RESTART = 0xD0
# Restart markers are numbered from 0 to 7, again and again.
_RESTARTS = 8
_END_CODE = END[1]
_BLOCK = 8
# The decoder refuses wider images.
_MAX_WIDTH = 65500
# The decoder reads at most 8 bytes ahead.
_PADDING = bytes(16)
# A stuffed byte counts once among surplus bytes, but occupies two: a first count may be too small.
_MAX_CORRECTIONS = 3


@dataclass(frozen=True, slots=True)
class TidyJpeg:
    """A JPEG file without surplus bytes."""

    file: NDArray[np.uint8]
    """(n,) uint8. Still to be decoded strictly: header and blocks were not checked."""
    # The most that were removed in one place; 0 if only the header was corrected.
    surplus_bytes: int


def without_leading_bytes(file: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a JPEG file, (n,) uint8, from its start marker on; unchanged if it has none."""
    if file[:2].tobytes() == START and file[2:4].tobytes() != START:
        return file
    beginning = _BEGINNING.search(file.tobytes())
    if beginning is None:
        return file
    return file[beginning.start() :]


def has_restart_markers(file: NDArray[np.uint8]) -> bool:
    """Return whether the header of a JPEG file, (n,) uint8, announces restart markers.

    Where one is missing, the decoder reports the bytes before the next marker, although data is
    lost.
    """
    header, _, _ = file.tobytes().partition(bytes((0xFF, _SCAN)))
    return bytes((0xFF, _RESTART_INTERVAL, 0, 4)) in header


def tidy(file: NDArray[np.uint8]) -> TidyJpeg | None:
    """Return a JPEG file without its surplus bytes, or None if parts are missing or it is no
    baseline JPEG.

    file: (n,) uint8, which begins with the start marker. Corrects also what decoders complain about
    in headers although the image is intact: versions of JFIF, unknown colour codes, colour
    profiles, and scans that name progressive parameters.
    """
    data = file.tobytes()
    header = _read_header(data)
    if header is None:
        return None
    scan = data[header.scan_start :]
    if not header.restart_interval:
        whole = header.as_bytes() + scan
        return TidyJpeg(np.frombuffer(whole, np.uint8), header.surplus_bytes)
    surplus_bytes = header.surplus_bytes
    parts = [header.as_bytes()]
    for interval in _intervals(scan, header):
        exact_bytes = _exact_length(interval, header)
        if exact_bytes is None:
            return None
        gap = len(interval.data) - exact_bytes + interval.gap_bytes
        surplus_bytes = max(surplus_bytes, gap)
        parts += [interval.data[:exact_bytes], bytes((0xFF, interval.marker))]
    if len(parts) != 1 + 2 * header.intervals:
        return None
    return TidyJpeg(np.frombuffer(b"".join(parts), np.uint8), surplus_bytes)


@dataclass(frozen=True, slots=True)
class _Header:
    """The segments before the data of the only scan."""

    segments: tuple[tuple[int, bytes], ...]
    """(marker, content)"""
    scan_start: int
    surplus_bytes: int  # the most before one of the segments

    def content(self, *markers: int) -> bytes:
        """Return the content of the last segment with one of these markers; empty without one."""
        for marker, content in reversed(self.segments):
            if marker in markers:
                return content
        return b""

    def as_bytes(self) -> bytes:
        """Return the start marker and the segments."""
        return START + b"".join(_segment(marker, content) for marker, content in self.segments)

    @property
    def restart_interval(self) -> int:
        """MCUs (minimum coded units) between two restart markers; 0 without such markers."""
        return int.from_bytes(self.content(_RESTART_INTERVAL)[:2], "big")

    @property
    def mcu_size(self) -> tuple[int, int]:
        """(width, height) of an MCU in pixels."""
        components = self.content(*_FRAME_HEADERS)[6:]
        if len(components) == 3:
            # A single component is never interleaved.
            return _BLOCK, _BLOCK
        sampling = components[1::3]
        across = max(each >> 4 for each in sampling)
        down = max(each & 15 for each in sampling)
        return _BLOCK * across, _BLOCK * down

    @property
    def mcu_columns(self) -> int:
        """Number of MCUs in a row of the image."""
        width = int.from_bytes(self.content(*_FRAME_HEADERS)[3:5], "big")
        return -(-width // self.mcu_size[0])

    @property
    def mcus(self) -> int:
        """Number of MCUs of the image."""
        height = int.from_bytes(self.content(*_FRAME_HEADERS)[1:3], "big")
        return self.mcu_columns * -(-height // self.mcu_size[1])

    @property
    def intervals(self) -> int:
        """Number of restart intervals."""
        return -(-self.mcus // self.restart_interval)


def _read_header(data: bytes) -> _Header | None:
    """Return the corrected header; None if it is incomplete or that of another kind of JPEG."""
    segments: list[tuple[int, bytes]] = []
    surplus_bytes = 0
    at = len(START)
    while True:
        found = _next_marker(data, at)
        if found is None:
            return None
        marker, surplus, after = found
        length = int.from_bytes(data[after : after + 2], "big")
        content = data[after + 2 : after + length]
        if length < 2 or len(content) != length - 2:
            return None
        surplus_bytes = max(surplus_bytes, surplus)
        at = after + length
        if marker == _SCAN:
            break
        if not _is_known(marker):
            return None
        if not _is_refused(marker, content):
            segments.append((marker, _corrected(marker, content)))
    frames = [content for marker, content in segments if marker in _FRAME_HEADERS]
    if len(frames) != 1 or not _is_single_scan(frames[0], content):
        return None
    # All coefficients: some webcams name none.
    sequential = content[:-3] + b"\x00\x3f\x00"
    return _Header((*segments, (_SCAN, sequential)), at, surplus_bytes)


def _is_known(marker: int) -> bool:
    known = (*_FRAME_HEADERS, *_TABLES, _RESTART_INTERVAL, _COMMENT)
    return marker in known or marker in _APPLICATION


def _is_refused(marker: int, content: bytes) -> bool:
    """Return whether a segment says nothing about the image, and decoders may warn of it."""
    if marker == _APP14 and content.startswith(b"Adobe"):
        return content[11:12] not in (b"\x00", b"\x01", b"\x02")  # how colours are transformed
    return marker == _APP2


def _corrected(marker: int, content: bytes) -> bytes:
    """Return the content of a segment; that of JFIF with a version that decoders know."""
    if marker == _APP0 and content.startswith(b"JFIF\x00"):
        return content[:5] + b"\x01" + content[6:]
    return content


def _is_single_scan(frame: bytes, scan: bytes) -> bool:
    """Return whether a frame header and a scan header are complete, and the scan holds all
    components.
    """
    if len(frame) < 6 or frame[5] == 0:
        return False
    components = frame[5]
    if len(frame) != 6 + 3 * components or len(scan) != 4 + 2 * components:
        return False
    # A factor of 0 would make an MCU of no pixels.
    sampling = frame[7::3]
    return scan[0] == components and all(each >> 4 and each & 15 for each in sampling)


def _next_marker(data: bytes, start: int) -> tuple[int, int, int] | None:
    """Return the next marker, the number of surplus bytes before it, and the place behind it."""
    at = start
    while (at := data.find(b"\xff", at)) >= 0:
        code_at = at + 1
        while data[code_at : code_at + 1] == b"\xff":  # any number of them may precede a marker
            code_at += 1
        if code_at >= len(data):
            return None
        if data[code_at]:
            return data[code_at], at - start, code_at + 1
        at = code_at + 1
    return None


class _Interval(NamedTuple):
    """The data of a restart interval."""

    data: bytes  # up to the next marker of any kind
    mcus: int
    marker: int  # the one that ends the interval
    gap_bytes: int  # between `data` and that marker


def _intervals(scan: bytes, header: _Header) -> Iterator[_Interval]:
    """Yield the restart intervals in order, as far as each ends with its own marker."""
    values = np.frombuffer(scan, np.uint8)
    is_marker = (values[:-1] == 0xFF) & (values[1:] != 0) & (values[1:] != 0xFF)
    places = np.flatnonzero(is_marker).tolist()
    start = 0
    next_place = 0
    for number in range(header.intervals):
        is_last = number == header.intervals - 1
        marker = _FIRST_RESTART + number % _RESTARTS
        mcus = header.restart_interval
        if is_last:
            marker = _END_CODE
            mcus = header.mcus - number * header.restart_interval
        data_end = places[next_place] if next_place < len(places) else len(scan)
        while next_place < len(places) and scan[places[next_place] + 1] != marker:
            next_place += 1
        if next_place < len(places):
            end = places[next_place]
        elif is_last:
            # Some drivers leave out the end marker.
            end = len(scan)
        else:
            return
        if end - data_end > LARGEST_GAP_BYTES and not is_last:
            return
        yield _Interval(scan[start:data_end], mcus, marker, end - data_end)
        start = end + 2
        next_place += 1


def _exact_length(interval: _Interval, header: _Header) -> int | None:
    """Return the number of bytes that the MCUs of an interval occupy; None if they are damaged
    or cut off.
    """
    length = len(interval.data)
    for _ in range(_MAX_CORRECTIONS):
        surplus = _surplus_of(interval.data[:length], interval.mcus, header)
        if surplus is None:
            return None
        if surplus == 0:
            # Without the fill bytes before the marker.
            return len(interval.data[:length].rstrip(b"\xff"))
        length -= surplus
    return None


def _surplus_of(data: bytes, mcus: int, header: _Header) -> int | None:
    """Return how many bytes follow the MCUs of an interval; None if these are damaged.

    The interval is decoded as an image of its own, which needs one further MCU: the decoder counts
    what precedes a restart marker when it goes on behind it. The padding makes it look for the
    marker: as long as it has read ahead as far as that, it counts the bytes, but reports them much
    later.
    """
    image = _alone(mcus, header) + data + _PADDING + bytes((0xFF, _FIRST_RESTART)) + data + END
    try:
        # At an eighth of the size, which is enough: all blocks are read.
        simplejpeg.decode_jpeg(
            image,
            colorspace="GRAY",
            min_height=1,
            min_width=1,
            min_factor=_BLOCK,
        )
    except ValueError as error:
        found = SURPLUS.search(str(error))
        if found is None or int(found[2], 16) != _FIRST_RESTART:
            return None  # a fault of the blocks
        surplus_bytes = int(found[1]) - len(_PADDING)
        if surplus_bytes < 0:
            # It took padding for data: the end is missing.
            return None
        return surplus_bytes
    return None


def _alone(mcus: int, header: _Header) -> bytes:
    """Return the header of an image of one interval and at least one further MCU."""
    mcu_width, mcu_height = header.mcu_size
    columns = mcus + 1
    rows = 1
    if columns * mcu_width > _MAX_WIDTH:
        columns = header.mcu_columns
        rows = -(-(mcus + 1) // columns)
    height = (rows * mcu_height).to_bytes(2, "big")
    width = (columns * mcu_width).to_bytes(2, "big")
    parts = [START]
    for marker, content in header.segments:
        if marker in _FRAME_HEADERS:
            parts.append(_segment(marker, content[:1] + height + width + content[5:]))
        elif marker in _TABLES:
            parts.append(_segment(marker, content))
    parts.append(_segment(_RESTART_INTERVAL, mcus.to_bytes(2, "big")))
    parts.append(_segment(_SCAN, header.content(_SCAN)))
    return b"".join(parts)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content
