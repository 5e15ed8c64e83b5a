"""What headers of MP4, MOV, Matroska and AVI files declare, read without FFmpeg, which prefers what the frames say.

The tables of MP4 are run-length coded: a file of 4 KB can declare a hundred million samples, for which FFmpeg takes
5 GB. They are counted before FFmpeg makes an index of them.
"""

from __future__ import annotations

import itertools
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

MAX_ENTRIES = 5_000_000
"""Entries of the index: 46 hours of video at 30 fps, for which FFmpeg takes 0.4 GB."""
PCM_SAMPLES = 1024
"""FFmpeg takes so many samples of uncompressed sound for one entry."""
CONTAINERS = frozenset(
    (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex", b"free", b"hoov")
)
"""Boxes that contain boxes. FFmpeg looks for a lost `moov` in `free` and `hoov`."""
TABLES = frozenset((b"hdlr", b"stsz", b"stz2", b"stsc", b"stco", b"co64", b"stts", b"elst", b"trun"))
MAX_DEPTH = 8
MAX_BOXES = 1_000_000


@dataclass(slots=True)
class _Track:
    """What the boxes of one track, or of one fragment, declare."""

    samples: int = 0
    chunks: int = 0
    runs: list[tuple[int, int]] = field(default_factory=list)
    """(first chunk from 1, samples per chunk)"""
    edits: int = 1
    is_pcm: bool = False
    is_sound: bool = False
    is_video: bool = False

    @property
    def entries(self) -> int:
        """Upper bound of the entries of its index."""
        if not (self.is_sound and self.is_pcm):
            return self.samples * self.edits
        ends = [first for first, _ in self.runs[1:]] + [self.chunks + 1]
        chunks = zip(self.runs, ends, strict=False)
        return self.edits * sum(max(end - first, 0) * -(-count // PCM_SAMPLES) for (first, count), end in chunks)


@dataclass(slots=True)
class Header:
    """What the header of a file declares; nothing for a file of another kind."""

    declares_too_much: bool = False
    """An index of more than MAX_ENTRIES."""
    is_short: bool = False
    """The file lacks bytes that its outermost parts declare, as after an interrupted download."""
    needs_dolby_vision: bool = False
    """The picture has colours of Dolby Vision alone, as profile 5; others have those of HDR or SDR too."""
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """(width, height) of the frames of each video track."""


def read_header(path: Path) -> Header:
    """Return what an MP4, MOV, Matroska or AVI file declares. Raises OSError."""
    header = Header()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        _read_boxes(file, size, header)  # of any file: FFmpeg decides by itself what it is
        file.seek(0)
        start = file.read(12)
        if start[:4] == EBML.to_bytes(4, "big"):
            header.is_short = any(name == SEGMENT and end > size for name, _, end in _elements(file, 0, size))
            header.sizes = list(_matroska_sizes(file, size))
            file.seek(0)
            header.needs_dolby_vision = _needs_dolby_vision(file.read(HEADER_BYTES))
        elif start[:4] == b"RIFF":
            header.is_short = start[8:] == b"AVI " and any(end > size for end in _movie_ends(file, size))
        else:
            header.is_short = _is_mp4_short(file, size)
    return header


def _read_boxes(file: BinaryIO, size: int, header: Header) -> None:
    """Take what the boxes of an MP4 or MOV file declare."""
    track, total = _Track(), 0
    for number, (kind, start, end) in enumerate(boxes(file, 0, size, 0)):
        if kind == b"cmov" or number >= MAX_BOXES:  # compressed headers cannot be counted
            header.declares_too_much = True
            return
        if kind in (b"trak", b"traf"):
            total, track = total + track.entries, _Track()
        elif kind == b"stsd":
            file.seek(start)
            content = file.read(min(end - start, HEADER_BYTES))
            header.needs_dolby_vision |= _needs_dolby_vision(content)
            if track.is_video and len(content) >= ENTRY_SIZE_AT + 4:
                header.sizes.append(struct.unpack_from(">HH", content, ENTRY_SIZE_AT))
        elif kind in TABLES:
            _read_table(file, kind, start, end, track)
    header.declares_too_much = total + track.entries > MAX_ENTRIES


DOLBY_VISION = re.compile(rb"dv[cvw]C(?:\x41\xed.)?(.{5})", re.DOTALL)
"""The record of its configuration: in the box of its name in MP4, in Matroska after the tag of extra data."""
HEADER_BYTES = 1 << 20


def _needs_dolby_vision(content: bytes) -> bool:
    records = [match[1] for match in DOLBY_VISION.finditer(content)]
    return any(record[2] >> 1 in (5, 10) and record[4] >> 4 == 0 for record in records)


def boxes(file: BinaryIO, at: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the content, end) of every box, parents before their children."""
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
        start = at + 8
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
            start += 8
        box_end = end if size == 0 else min(at + size, end)
        if box_end < start:
            return
        yield kind, start, box_end
        if kind in CONTAINERS and depth < MAX_DEPTH:
            yield from boxes(file, start, box_end, depth + 1)
        at = box_end


def _read_table(file: BinaryIO, kind: bytes, start: int, end: int, track: _Track) -> None:
    """Add the content of a table to `track`; a truncated one counts as far as it goes."""
    file.seek(start)
    head = file.read(min(end - start, 16)).ljust(16, b"\0")
    first, second, third = struct.unpack(">4xIII", head)
    if kind in (b"stsz", b"stz2"):
        track.samples += second
    elif kind == b"trun":
        track.samples += first
    elif kind in (b"stco", b"co64"):
        track.chunks += min(first, (end - start) // 4)
    elif kind == b"elst":
        track.edits = max(first, 1)
    elif kind == b"hdlr" and head[8:12] in (b"soun", b"vide"):
        track.is_sound = head[8:12] == b"soun"
        track.is_video |= head[8:12] == b"vide"  # a second one may tell of the data's place
    elif kind == b"stts":
        track.is_pcm = first == 1 and third == 1
    elif kind == b"stsc":
        count = max(0, min(first, (end - start - 8) // 12, MAX_ENTRIES))
        file.seek(start + 8)
        table = struct.iter_unpack(">III", file.read(12 * count)[: 12 * count])
        track.runs += [(first_chunk, samples) for first_chunk, samples, _ in table]


TOP_LEVEL = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"sidx", b"mfra", b"uuid", b"udta")
)
ENDLESS = 1 << 63
"""In place of the end of a file, so that a part may go beyond it."""
EBML, SEGMENT, CLUSTER, TRACKS = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B
TRACK_TYPE, VIDEO, PIXEL_WIDTH, PIXEL_HEIGHT = 0x83, 0xE0, 0xB0, 0xBA
"""Elements of Matroska."""
VIDEO_TRACK = 1
MAX_TRACKS_BYTES = 1 << 20
ENTRY_SIZE_AT = 40
"""Offset of width and height in the content of an `stsd` box."""


def _is_mp4_short(file: BinaryIO, size: int) -> bool:
    for kind, _, end in itertools.islice(boxes(file, 0, ENDLESS, MAX_DEPTH), MAX_BOXES):
        if kind not in TOP_LEVEL or end == ENDLESS:  # of another kind, or to the end of the file
            return False
        if end > size:
            return True
    return False


def _movie_ends(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield where the frames of an AVI file end; what follows is their index."""
    at = 12
    for _ in range(MAX_BOXES):
        if at + 12 > size:
            return
        file.seek(at)
        name, length, kind = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
        at += 8 + length + length % 2
        if (name, kind) == (b"LIST", b"movi"):
            yield at


def _matroska_sizes(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    segment = next((start for name, start, _ in _elements(file, 0, size) if name == SEGMENT), size)
    for name, start, end in _elements(file, segment, size):
        if name == CLUSTER:
            return
        if name == TRACKS:
            for _, track, track_end in _elements(file, start, min(end, size, start + MAX_TRACKS_BYTES)):
                fields = {field: (at, until) for field, at, until in _elements(file, track, track_end)}
                if _value(file, fields.get(TRACK_TYPE)) == VIDEO_TRACK and VIDEO in fields:
                    video = {field: (at, until) for field, at, until in _elements(file, *fields[VIDEO])}
                    yield _value(file, video.get(PIXEL_WIDTH)), _value(file, video.get(PIXEL_HEIGHT))


def _value(file: BinaryIO, place: tuple[int, int] | None) -> int:
    if place is None or not 0 < place[1] - place[0] <= 8:
        return 0
    file.seek(place[0])
    return int.from_bytes(file.read(place[1] - place[0]), "big")


def _elements(file: BinaryIO, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (name, start of the content, end) of the elements of Matroska in a part of the file.

    One of unknown length ends with that part.
    """
    for _ in range(MAX_BOXES):
        if at + 2 > end:
            return
        file.seek(at)
        head = file.read(12).ljust(12, b"\0")
        name_bytes = 9 - head[0].bit_length()
        length_bytes = 9 - head[min(name_bytes, 11)].bit_length()
        if name_bytes > 4 or length_bytes > 8:
            return
        start = at + name_bytes + length_bytes
        mask = (1 << 7 * length_bytes) - 1
        length = int.from_bytes(head[name_bytes : name_bytes + length_bytes], "big") & mask
        at = end if length == mask else start + length
        yield int.from_bytes(head[:name_bytes], "big"), start, at
