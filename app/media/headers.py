"""Headers of MP4, MOV, Matroska and AVI files, read without FFmpeg, which replaces them by what the frames say."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.media.mp4 import MAX_BOXES, boxes

TOP_LEVEL = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"sidx", b"mfra", b"uuid", b"udta")
)
EBML, SEGMENT, CLUSTER, TRACKS = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B
TRACK_TYPE, VIDEO, PIXEL_WIDTH, PIXEL_HEIGHT = 0x83, 0xE0, 0xB0, 0xBA
"""Elements of Matroska."""
VIDEO_TRACK = 1
MAX_TRACKS_BYTES = 1 << 20
ENTRY_SIZE_AT = 40
"""Offset of width and height in the content of an `stsd` box."""


def is_short(path: Path) -> bool:
    """Return whether a file lacks bytes that its outermost parts declare, as after an interrupted download.

    False for a file of another kind. Raises OSError.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(12)
        if head[:4] == b"RIFF":
            return head[8:] == b"AVI " and any(end > size for end in _movie_ends(file, size))
        if head[:4] == EBML.to_bytes(4, "big"):
            return any(name == SEGMENT and end > size for name, _, end in _elements(file, 0, size))
        at = 0
        for _ in range(MAX_BOXES):
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            if length < 8 or kind not in TOP_LEVEL:  # at the end of the file, or to it, or no such file
                break
            at += length
        return at > size


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


def named_size(path: Path, number: int) -> tuple[int, int] | None:
    """Return (width, height) of the frames of a video track as its header names them; None if it is not read.

    number: of the track among those of video, from 0. Raises OSError.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        found = _matroska_sizes if file.read(4) == EBML.to_bytes(4, "big") else _mp4_sizes
        sizes = list(found(file, size))
    return sizes[number] if number < len(sizes) else None


def _mp4_sizes(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    is_video = False
    for _, (kind, start, end) in zip(range(MAX_BOXES), boxes(file, 0, size, 0), strict=False):
        if kind == b"hdlr":
            file.seek(start + 8)
            is_video = is_video or file.read(4) == b"vide"  # a second one may tell of the data's place
        elif kind == b"trak":
            is_video = False
        elif kind == b"moof":
            return
        elif kind == b"stsd" and is_video and end - start >= ENTRY_SIZE_AT + 4:
            file.seek(start + ENTRY_SIZE_AT)
            width, height = struct.unpack(">HH", file.read(4).ljust(4, b"\0"))
            yield width, height


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
