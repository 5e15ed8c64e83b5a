"""What the headers of MP4 and MOV files declare, read without FFmpeg.

The tables are run-length coded: a file of 4 KB can declare a hundred million samples, for which FFmpeg takes 5 GB. They
are counted before FFmpeg makes an index of them.
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

    @property
    def entries(self) -> int:
        """Upper bound of the entries of its index."""
        if not (self.is_sound and self.is_pcm):
            return self.samples * self.edits
        ends = [first for first, _ in self.runs[1:]] + [self.chunks + 1]
        chunks = zip(self.runs, ends, strict=False)
        return self.edits * sum(max(end - first, 0) * -(-count // PCM_SAMPLES) for (first, count), end in chunks)


def declares_too_much(path: Path) -> bool:
    """Return whether `path` is an MP4 or MOV file that declares an index of more than MAX_ENTRIES. Raises OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        track, total = _Track(), 0
        for number, (kind, start, end) in enumerate(boxes(file, 0, size, 0)):
            if kind == b"cmov" or number >= MAX_BOXES:  # compressed headers cannot be counted
                return True
            if kind in (b"trak", b"traf"):
                total, track = total + track.entries, _Track()
            elif kind in TABLES:
                _read(file, kind, start, end, track)
        return total + track.entries > MAX_ENTRIES


DOLBY_VISION = re.compile(rb"dv[cvw]C(?:\x41\xed.)?(.{5})", re.DOTALL)
"""The record of its configuration: in the box of its name in MP4, in Matroska after the tag of extra data."""
HEADER_BYTES = 1 << 20


def needs_dolby_vision(path: Path) -> bool:
    """Return whether the picture has colours of Dolby Vision alone, as profile 5; others have those of HDR or SDR too.

    Raises OSError.
    """
    with path.open("rb") as file:
        if file.read(4) == b"\x1aE\xdf\xa3":
            heads = [file.read(HEADER_BYTES)]
        else:
            size = os.fstat(file.fileno()).st_size
            tables = [
                (start, end)
                for kind, start, end in itertools.islice(boxes(file, 0, size, 0), MAX_BOXES)
                if kind == b"stsd"
            ]
            heads = []
            for start, end in tables:
                file.seek(start)
                heads.append(file.read(min(end - start, HEADER_BYTES)))
    records = [match[1] for head in heads for match in DOLBY_VISION.finditer(head)]
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


def _read(file: BinaryIO, kind: bytes, start: int, end: int, track: _Track) -> None:
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
    elif kind == b"stts":
        track.is_pcm = first == 1 and third == 1
    elif kind == b"stsc":
        count = max(0, min(first, (end - start - 8) // 12, MAX_ENTRIES))
        file.seek(start + 8)
        table = struct.iter_unpack(">III", file.read(12 * count)[: 12 * count])
        track.runs += [(first_chunk, samples) for first_chunk, samples, _ in table]
