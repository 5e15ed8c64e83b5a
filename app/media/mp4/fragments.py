"""Fragments of MP4 and MOV files: what a damaged one contains, and a view of it from a later fragment on."""

from __future__ import annotations

import io
import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

TOP_LEVEL = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"sidx", b"mfra", b"uuid")
)
LARGE_HEADER_BYTES = 16


class Fragments:
    """The fragments of a file, read without FFmpeg. Close it after use."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, also for an empty file."""
        with path.open("rb") as file:
            try:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise OSError(str(error)) from error
        self.first = self._first()
        """Offset of the first fragment; None in a file that consists of none."""

    def __enter__(self) -> Fragments:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._data.close()

    def after(self, offset: int) -> int | None:
        """Return the offset of the first fragment at or after `offset`, also behind damage; None if there is none."""
        at = self._data.find(b"moof", offset + 4)
        while at >= 0:
            if self._box(at - 4) is not None and self._data[at + 8 : at + 12] == b"mfhd":
                return at - 4
            at = self._data.find(b"moof", at + 1)
        return None

    def media_bytes(self) -> tuple[int, int] | None:
        """Return the bytes of media data, without and with a last box that is cut off; None where boxes are damaged."""
        boxes = list(self._boxes())
        sizes = [end - start for kind, start, end in boxes if kind == b"mdat" and end <= len(self._data)]
        kind, start, end = boxes[-1]
        if end < len(self._data) - 7:
            return None
        cut_off = len(self._data) - start if kind == b"mdat" and end > len(self._data) else 0
        return sum(sizes), sum(sizes) + cut_off

    def complete_bytes(self) -> int:
        """Return where the last fragment ends whose media data is not cut off."""
        return max((end for kind, _, end in self._boxes() if kind == b"mdat" and end <= len(self._data)), default=0)

    def view(self, offset: int) -> BinaryIO:
        """Return the file without the fragments before `offset`, which are in one box that is skipped."""
        assert self.first is not None
        if offset - self.first < LARGE_HEADER_BYTES:
            return cast("BinaryIO", _View(self._data, 0, b""))
        return cast("BinaryIO", _View(self._data, self.first, struct.pack(">I4sQ", 1, b"free", offset - self.first)))

    def _first(self) -> int | None:
        at = 0
        while (box := self._box(at)) is not None and box[0] not in (b"moof", b"mdat"):
            at = box[2]
        return at if box is not None and box[0] == b"moof" else None

    def _boxes(self) -> Iterator[tuple[bytes, int, int]]:
        """Yield the boxes at the top level up to a damaged one; the last may end beyond the file."""
        at = 0
        while (box := self._box(at)) is not None:
            yield box
            at = box[2]

    def _box(self, at: int) -> tuple[bytes, int, int] | None:
        """Return type, start of the content and end of a box at the top level; None if there is none."""
        if at < 0 or at + 8 > len(self._data):
            return None
        size, kind = struct.unpack_from(">I4s", self._data, at)
        start = at + 8
        if size == 1 and at + LARGE_HEADER_BYTES <= len(self._data):
            (size,) = struct.unpack_from(">Q", self._data, start)
            start += 8
        end = len(self._data) if size == 0 else at + size
        return (kind, start, end) if kind in TOP_LEVEL and end >= start else None


def cut_incomplete_fragment(path: Path) -> None:
    """Shorten a file that could not be finished to its last complete fragment. Raises OSError."""
    if path.stat().st_size == 0:
        return
    with Fragments(path) as fragments:
        complete_bytes = None if fragments.first is None else fragments.complete_bytes()
    if complete_bytes:
        os.truncate(path, complete_bytes)


class _View(io.BufferedIOBase):
    """Reads a file with some bytes replaced; the methods are those of `io.BufferedIOBase`."""

    def __init__(self, data: mmap.mmap, offset: int, replacement: bytes) -> None:
        self._data = data
        self._offset = offset
        self._replacement = replacement
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        end = len(self._data) if size is None or size < 0 else self._at + size
        chunk = bytearray(self._data[self._at : end])
        for number, value in enumerate(self._replacement):
            place = self._offset + number - self._at
            if 0 <= place < len(chunk):
                chunk[place] = value
        self._at += len(chunk)
        return bytes(chunk)
