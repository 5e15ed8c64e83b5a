"""MP4 and MOV files read without FFmpeg: what their headers declare, and their fragments.

The tables are run-length coded: a file of 4 KB can declare a hundred million samples, for which FFmpeg takes 5 GB. They
are counted before FFmpeg makes an index of them. Of a damaged file, there is a view from a later fragment on.
"""

from __future__ import annotations

import itertools
import mmap
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
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


TOP_LEVEL = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"sidx", b"mfra", b"uuid")
)
LARGE_HEADER_BYTES = 16


@contextmanager
def fragments_of(path: Path) -> Iterator[Fragments | None]:
    """Give the fragments of an MP4 or MOV file; None of a file that consists of none. Raises OSError."""
    if path.suffix.lower() == ".mkv" or path.stat().st_size == 0:
        yield None
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = 0
        while (box := _box(data, at)) is not None and box[0] not in (b"moof", b"mdat"):
            at = box[2]
        yield Fragments(path, data, at) if box is not None and box[0] == b"moof" else None


@dataclass(frozen=True, slots=True)
class Fragments:
    """The fragments of a file, read without FFmpeg."""

    path: Path
    data: mmap.mmap
    first: int
    """Offset of the first fragment."""

    def after(self, offset: int) -> int | None:
        """Return the offset of the first fragment at or after `offset`, also behind damage; None if there is none."""
        at = self.data.find(b"moof", offset + 4)
        while at >= 0:
            if _box(self.data, at - 4) is not None and self.data[at + 8 : at + 12] == b"mfhd":
                return at - 4
            at = self.data.find(b"moof", at + 1)
        return None

    def media_bytes(self) -> tuple[int, int] | None:
        """Return the bytes of media data, without and with a last box that is cut off; None where boxes are damaged."""
        boxes = list(self.boxes())
        sizes = [end - start for kind, start, end in boxes if kind == b"mdat" and end <= len(self.data)]
        kind, start, end = boxes[-1]
        if end < len(self.data) - 7:
            return None
        cut_off = len(self.data) - start if kind == b"mdat" and end > len(self.data) else 0
        return sum(sizes), sum(sizes) + cut_off

    def complete_bytes(self) -> int:
        """Return where the last fragment ends whose media data is not cut off."""
        return max((end for kind, _, end in self.boxes() if kind == b"mdat" and end <= len(self.data)), default=0)

    @contextmanager
    def view(self, offset: int) -> Iterator[mmap.mmap]:
        """Give the file without the fragments before `offset`, which are in one box that is skipped. Raises OSError."""
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as changed:
            if offset - self.first >= LARGE_HEADER_BYTES:
                header = struct.pack(">I4sQ", 1, b"free", offset - self.first)
                changed[self.first : self.first + LARGE_HEADER_BYTES] = header
            yield changed

    def boxes(self) -> Iterator[tuple[bytes, int, int]]:
        """Yield the boxes at the top level up to a damaged one; the last may end beyond the file."""
        at = 0
        while (box := _box(self.data, at)) is not None:
            yield box
            at = box[2]


def _box(data: mmap.mmap, at: int) -> tuple[bytes, int, int] | None:
    """Return type, start of the content and end of a box at the top level; None if there is none."""
    if at < 0 or at + 8 > len(data):
        return None
    size, kind = struct.unpack_from(">I4s", data, at)
    start = at + 8
    if size == 1 and at + LARGE_HEADER_BYTES <= len(data):
        (size,) = struct.unpack_from(">Q", data, start)
        start += 8
    end = len(data) if size == 0 else at + size
    return (kind, start, end) if kind in TOP_LEVEL and end >= start else None


def cut_incomplete_fragment(path: Path) -> None:
    """Shorten a file that could not be finished to its last complete fragment. Raises OSError."""
    with fragments_of(path) as fragments:
        complete_bytes = 0 if fragments is None else fragments.complete_bytes()
    if complete_bytes:
        os.truncate(path, complete_bytes)
