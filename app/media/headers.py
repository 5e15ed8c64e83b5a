"""What headers of MP4, MOV, Matroska and AVI files declare, read without FFmpeg, which prefers what
the frames say.

The tables of MP4 are run-length coded: a file of 4 KB can declare a hundred million samples, for
which FFmpeg takes 5 GB. They are counted before FFmpeg makes an index of them.
"""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

# Entries of the index: 46 hours of video at 30 fps, for which FFmpeg takes 0.4 GB.
MAX_ENTRIES = 5_000_000
# Only whether there is more than one edit matters.
MAX_EDITS = 1000
# FFmpeg takes so many samples of uncompressed sound for one entry.
PCM_SAMPLES = 1024
# Boxes nest eight deep at most in real files; damaged ones could nest without end.
MAX_DEPTH = 8
# A reserved file of empty parts is not read to its end: 10 GB of them take ten minutes.
MAX_PARTS = 1_000_000
HEADER_BYTES = 1 << 20

Name = TypeVar("Name", bytes, int)
# Takes the first 16 bytes of a part of a file, filled with zeros, and returns its name, the length
# of its head and that of its content, None where this goes to the end; None for what is no part.
Head = Callable[[bytes], tuple[Name, int, int | None] | None]


@dataclass(frozen=True, slots=True)
class Crop:
    """Pixels at the edges of coded frames that are not shown."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) of what is shown of coded frames; below 1 for an impossible
        crop.
        """
        return width - self.left - self.right, height - self.top - self.bottom


NO_CROP = Crop()


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """What a header declares of the frames of a video track; zeros where it does not."""

    width: int = 0
    height: int = 0
    crop: Crop = NO_CROP


@dataclass(slots=True)
class Header:
    """What the header of a file declares; nothing for a file of another kind."""

    declares_too_much: bool = False
    # The file lacks bytes that its outermost parts declare, as after an interrupted download.
    is_short: bool = False
    # Profile 5 has colours of Dolby Vision alone; the other profiles have those of HDR or SDR too.
    needs_dolby_vision: bool = False
    videos: list[VideoTrack] = field(default_factory=list)
    # Number of parts that the edit list of each sound track of an MP4 or MOV file shows, pauses
    # left out.
    sound_edits_by_track: list[int] = field(default_factory=list)
    # Number of parts of the film in the index of an AVI file, by the number of the stream; those
    # without content, which repeat the frame before, count as well.
    avi_video_parts: dict[int, int] = field(default_factory=dict)

    def video(self, number: int) -> VideoTrack:
        """Return what is declared of a video track, by its place among them."""
        if number >= len(self.videos):
            return VideoTrack()
        return self.videos[number]

    def sound_edits(self, number: int) -> int:
        """Return the number of parts that a sound track shows, by its place among them."""
        if number >= len(self.sound_edits_by_track):
            return 1
        return self.sound_edits_by_track[number]

    def video_parts(self, number: int) -> int:
        """Return the number of parts of a video track of an AVI file by its place among them; 0
        if unknown.
        """
        streams = sorted(self.avi_video_parts)
        if number >= len(streams):
            return 0
        return self.avi_video_parts[streams[number]]


def read_header(path: Path) -> Header:
    """Return what an MP4, MOV, Matroska or AVI file declares. Raises OSError."""
    header = Header()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(HEADER_BYTES)
        # Of any file, whatever its start says: FFmpeg decides by itself what it is.
        _count_entries(file, size, header)
        if start[:4] == EBML:
            header.needs_dolby_vision = _needs_dolby_vision(start)
            _read_matroska(file, size, header)
        elif start[:4] == b"RIFF":
            if start[8:12] == b"AVI ":
                _read_avi(file, size, header)
        else:
            header.is_short = _is_mp4_short(file, size)
    return header


def _parts(
    file: BinaryIO,
    at: int,
    end: int,
    head: Head[Name],
    containers: Collection[Name] = (),
    depth: int = 0,
) -> Iterator[tuple[Name, int, int]]:
    """Yield (name, start of the content, end) of every part of a file, parents before their
    children.

    The end may lie beyond that of the file. containers: names of parts that hold parts.
    """
    while at < end:
        file.seek(at)
        found = head(file.read(min(16, end - at)).ljust(16, b"\0"))
        if found is None:
            return
        name, head_bytes, length = found
        start = at + head_bytes
        at = end if length is None else start + length
        yield name, start, at
        if name in containers and depth < MAX_DEPTH:
            yield from _parts(file, start, min(at, end), head, containers, depth + 1)


# Boxes that contain boxes. FFmpeg looks for a lost `moov` in `free` and `hoov`.
CONTAINERS = b"moov trak mdia minf stbl edts moof traf mvex free hoov".split()
TOP_LEVEL = b"ftyp styp moov moof mdat free skip wide sidx mfra uuid udta".split()
# Offset of width and height in the content of an `stsd` box.
ENTRY_SIZE_AT = 40
# Offset of the boxes in it that describe the frames further.
ENTRY_BOXES_AT = 94
# The record of its configuration: in the box of its name in MP4, in Matroska after the tag of extra
# data.
DOLBY_VISION = re.compile(rb"dv[cvw]C(?:\x41\xed.)?(.{5})", re.DOTALL)


def _box_head(head: bytes) -> tuple[bytes, int, int | None] | None:
    size, name, large_size = struct.unpack(">I4sQ", head)
    if size == 0:
        if name == bytes(4):
            # Zeros after the last box are padding.
            return None
        return name, 8, None
    head_bytes = 8
    if size == 1:
        # The size, of more than 32 bits, follows the name.
        size = large_size
        head_bytes = 16
    if size < head_bytes:
        return None
    return name, head_bytes, size - head_bytes


@dataclass(slots=True)
class _Track:
    """What the boxes of one track, or of one fragment, declare."""

    samples: int = 0
    chunks: int = 0
    runs: list[tuple[int, int]] = field(default_factory=list)
    """(first chunk from 1, samples per chunk)"""
    edits: int = 1
    shown_edits: int = 1  # those that are no pauses
    is_pcm: bool = False
    # `vide` or `soun`; a second one may tell of the data's place.
    kinds: set[bytes] = field(default_factory=set)

    @property
    def entries(self) -> int:
        """Upper bound of the entries of its index."""
        if not (self.is_pcm and b"soun" in self.kinds):
            return self.samples * self.edits
        # A run lasts until the next one begins, the last one until the chunks end.
        ends = [first_chunk for first_chunk, _ in self.runs[1:]] + [self.chunks + 1]
        entries = 0
        for (first_chunk, samples), end in zip(self.runs, ends, strict=False):
            chunks = max(end - first_chunk, 0)
            entries_of_chunk = math.ceil(samples / PCM_SAMPLES)
            entries += chunks * entries_of_chunk
        return self.edits * entries


def _count_entries(file: BinaryIO, size: int, header: Header) -> None:
    """Take what the boxes of an MP4 or MOV file declare."""
    track = _Track()
    entries = 0
    for number, (kind, start, end) in enumerate(_parts(file, 0, size, _box_head, CONTAINERS)):
        if kind == b"cmov" or number >= MAX_PARTS:
            # Compressed headers cannot be counted.
            header.declares_too_much = True
            return
        if kind in (b"trak", b"traf"):
            # The tables that follow are of another track.
            _end_track(track, header)
            entries += track.entries
            track = _Track()
        elif kind == b"stsd":
            file.seek(start)
            description = file.read(min(end - start, HEADER_BYTES))
            _read_description(description, track, header)
        else:
            end_in_file = max(start, min(end, size))
            _read_table(file, kind, start, end_in_file, track)
    _end_track(track, header)
    entries += track.entries
    header.declares_too_much = entries > MAX_ENTRIES


def _end_track(track: _Track, header: Header) -> None:
    if b"soun" in track.kinds:
        header.sound_edits_by_track.append(track.shown_edits)


def _read_description(description: bytes, track: _Track, header: Header) -> None:
    """Take what the sample description of a track declares. description: content of `stsd`."""
    header.needs_dolby_vision |= _needs_dolby_vision(description)
    if b"vide" in track.kinds and len(description) >= ENTRY_SIZE_AT + 4:
        width, height = struct.unpack_from(">HH", description, ENTRY_SIZE_AT)
        crop = _clean_aperture(description, width, height)
        header.videos.append(VideoTrack(width, height, crop))


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
        track.shown_edits = _shown_edits(file, start, end, first, is_long=head[0] == 1)
    elif kind == b"hdlr":
        track.kinds.add(head[8:12])
    elif kind == b"stts":
        track.is_pcm = first == 1 and third == 1
    elif kind == b"stsc":
        count = max(0, min(first, (end - start - 8) // 12, MAX_ENTRIES))
        file.seek(start + 8)
        for first_chunk, samples, _ in struct.iter_unpack(">III", file.read(12 * count)):
            track.runs.append((first_chunk, samples))


def _shown_edits(file: BinaryIO, start: int, end: int, count: int, *, is_long: bool) -> int:
    """Return the number of edits that show a part of the track; the others are pauses."""
    entry = struct.Struct(">QqI" if is_long else ">IiI")
    entries_in_box = max(0, end - start - 8) // entry.size
    file.seek(start + 8)
    table = file.read(entry.size * min(count, entries_in_box, MAX_EDITS))
    # A truncated file ends within an entry.
    whole_bytes = len(table) // entry.size * entry.size
    shown = 0
    for _, media_time, _ in entry.iter_unpack(table[:whole_bytes]):
        if media_time >= 0:
            shown += 1
    return shown


def _clean_aperture(content: bytes, width: int, height: int) -> Crop:
    """Return what the box `clap` of a sample description leaves out; nothing without one, or for
    an impossible one.
    """
    at = content.find(b"clap", ENTRY_BOXES_AT)
    if at < 0 or len(content) < at + 36:
        return NO_CROP
    numbers = struct.unpack_from(">IIIIiIiI", content, at + 4)
    numerators = numbers[::2]
    denominators = numbers[1::2]
    if not all(denominators):
        return NO_CROP
    shown_width, shown_height, right_by, down_by = map(Fraction, numerators, denominators)
    # The offsets are those of the centre (ISO/IEC 14496-12).
    left = round((width - shown_width) / 2 + right_by)
    top = round((height - shown_height) / 2 + down_by)
    right = width - left - round(shown_width)
    bottom = height - top - round(shown_height)
    if min(left, top, right, bottom) < 0 or shown_width < 1 or shown_height < 1:
        return NO_CROP
    return Crop(left, top, right, bottom)


def _needs_dolby_vision(content: bytes) -> bool:
    for match in DOLBY_VISION.finditer(content):
        record = match[1]
        profile = record[2] >> 1
        compatibility = record[4] >> 4  # 0: with no other standard
        if profile in (5, 10) and compatibility == 0:
            return True
    return False


def _is_mp4_short(file: BinaryIO, size: int) -> bool:
    for kind, _, end in islice(_parts(file, 0, size, _box_head), MAX_PARTS):
        if kind not in TOP_LEVEL:
            # No file of this kind, or not from here on: its sizes say nothing.
            return False
        if end > size:
            return True
    return False


def _riff_head(head: bytes) -> tuple[bytes, int, int]:
    name, length, list_kind = struct.unpack("<4sI4s4x", head)
    if name == b"LIST":
        name = list_kind
    # Parts begin at even places.
    return name, 8, length + length % 2


# Last letters of the names of parts of an AVI film; before them stands the number of the stream.
VIDEO_PARTS = (b"dc", b"db")


def _read_avi(file: BinaryIO, size: int, header: Header) -> None:
    for kind, start, end in islice(_parts(file, 12, size, _riff_head), MAX_PARTS):
        if kind == b"movi" and end > size:
            header.is_short = True
            return
        if kind == b"idx1" and end - start <= MAX_ENTRIES * 16:
            file.seek(start)
            _count_avi_parts(file.read(end - start), header)


def _count_avi_parts(index: bytes, header: Header) -> None:
    whole_bytes = len(index) // 16 * 16
    for (name,) in struct.iter_unpack("<4s12x", index[:whole_bytes]):
        if name[2:] in VIDEO_PARTS and name[:2].isdigit():
            number = int(name[:2])
            header.avi_video_parts[number] = header.avi_video_parts.get(number, 0) + 1


EBML = b"\x1a\x45\xdf\xa3"
SEGMENT = 0x18538067
CLUSTER = 0x1F43B675
TRACKS = 0x1654AE6B
TRACK = 0xAE
VIDEO = 0xE0
PIXEL_WIDTH = 0xB0
PIXEL_HEIGHT = 0xBA
# Numbers in the element VIDEO: of coded pixels, and of those at its edges that are not shown.
CROPS = {0x54CC: "left", 0x54BB: "top", 0x54DD: "right", 0x54AA: "bottom"}


def _element_head(head: bytes) -> tuple[int, int, int | None] | None:
    name_bytes = 9 - head[0].bit_length()
    length_bytes = 9 - head[min(name_bytes, 15)].bit_length()
    if name_bytes > 4 or length_bytes > 8:
        return None
    head_bytes = name_bytes + length_bytes
    name = int.from_bytes(head[:name_bytes], "big")
    # The first bit that is set tells the number of bytes; seven bits of each byte are left.
    mask = (1 << 7 * length_bytes) - 1
    length = int.from_bytes(head[name_bytes:head_bytes], "big") & mask
    if length == mask:
        # Unknown, as in what browsers record.
        return name, head_bytes, None
    return name, head_bytes, length


def _read_matroska(file: BinaryIO, size: int, header: Header) -> None:
    """Take what the elements of a Matroska file before the first frames declare."""
    elements = _parts(file, 0, size, _element_head, (SEGMENT, TRACKS, TRACK, VIDEO))
    for name, start, end in islice(elements, MAX_PARTS):
        if name == SEGMENT:
            header.is_short |= end > size
        elif name == CLUSTER:
            return
        elif name == VIDEO:
            header.videos.append(VideoTrack())
        elif name in (PIXEL_WIDTH, PIXEL_HEIGHT, *CROPS) and header.videos and end - start <= 8:
            file.seek(start)
            value = int.from_bytes(file.read(end - start), "big")
            track = header.videos[-1]
            if name == PIXEL_WIDTH:
                header.videos[-1] = replace(track, width=value)
            elif name == PIXEL_HEIGHT:
                header.videos[-1] = replace(track, height=value)
            else:
                header.videos[-1] = replace(track, crop=replace(track.crop, **{CROPS[name]: value}))
