"""Formats of raw video as values and as parameters of PipeWire, and the frames in its buffers.

Parameters are SPA pods: a body's size, its type, the body, and padding to eight bytes. The C builders are inline
functions, which the shared library does not export.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.system.pipewire.connection import Buffer, MetaHeader

# spa/utils/type.h
_ID, _INT, _RECTANGLE, _FRACTION, _OBJECT, _CHOICE = 3, 4, 10, 11, 15, 19
_CHOICE_RANGE, _CHOICE_ENUM, _CHOICE_FLAGS = 1, 3, 4
_HEADER_BYTES = 8
_CHOICE_HEADER_BYTES = 16


@dataclass(frozen=True, slots=True)
class Value:
    """A value of one type, not yet wrapped in a pod."""

    kind: int
    body: bytes


def identifier(value: int) -> Value:
    """Return a value of an enumeration."""
    return Value(_ID, struct.pack("<I", value))


def integer(value: int) -> Value:
    """Return an unsigned 32-bit integer."""
    return Value(_INT, struct.pack("<I", value))


def rectangle(width: int, height: int) -> Value:
    """Return a size in pixels."""
    return Value(_RECTANGLE, struct.pack("<II", width, height))


def fraction(numerator: int, denominator: int) -> Value:
    """Return a fraction, such as a frame rate in Hz."""
    return Value(_FRACTION, struct.pack("<II", numerator, denominator))


def one_of(default: Value, *others: Value) -> Value:
    """Return a choice of values of one type."""
    return _choice(_CHOICE_ENUM, default, default, *others)


def between(default: Value, low: Value, high: Value) -> Value:
    """Return a choice of the values from `low` to `high`."""
    return _choice(_CHOICE_RANGE, default, low, high)


def any_flag(flags: int) -> Value:
    """Return a choice of any of these flags."""
    return _choice(_CHOICE_FLAGS, integer(flags))


def build_object(kind: int, identity: int, properties: Mapping[int, Value]) -> bytes:
    """Return the pod of an object. kind: its type; identity: the parameter that it is a value of."""
    parts = [struct.pack("<II", kind, identity)]
    parts += [struct.pack("<II", key, 0) + _pod(value.kind, value.body) for key, value in properties.items()]
    return _pod(_OBJECT, b"".join(parts))


def pod_bytes(header: bytes) -> int:
    """Return the size of a whole pod whose first eight bytes are `header`."""
    return _HEADER_BYTES + int(struct.unpack_from("<I", header)[0])


def parse_object(pod: bytes) -> dict[int, bytes]:
    """Return the body of each property of an object; of a choice its default. Raises ValueError for another pod."""
    try:
        size, kind = struct.unpack_from("<II", pod)
        if kind != _OBJECT:
            raise ValueError(f"a pod of the type {kind} is no object")
        end = _HEADER_BYTES + size
        at = 2 * _HEADER_BYTES
        found = {}
        while at + 16 <= end:
            key, _, length, value_kind = struct.unpack_from("<IIII", pod, at)
            body = pod[at + 16 : at + 16 + length]
            found[key] = body[_CHOICE_HEADER_BYTES:] if value_kind == _CHOICE else body
            at += 16 + length + -length % 8
    except struct.error as error:
        raise ValueError("a pod is cut off") from error
    return found


def parse_integers(body: bytes, count: int) -> tuple[int, ...]:
    """Return `count` unsigned 32-bit integers. Raises ValueError if the body is shorter."""
    if len(body) < 4 * count:
        raise ValueError("a value of a pod is cut off")
    return struct.unpack_from(f"<{count}I", body)


def _choice(how: int, *values: Value) -> Value:
    first = values[0]
    header = struct.pack("<IIII", how, 0, len(first.body), first.kind)
    return Value(_CHOICE, header + b"".join(value.body for value in values))


def _pod(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", len(body), kind) + body + b"\0" * (-len(body) % 8)


Layout = Literal["YUY2", "UYVY", "I420", "NV12", "BGRx", "BGRA", "RGBx", "RGBA", "RGB", "BGR", "MJPG"]
"""YUY2, UYVY: packed 4:2:2. I420: planes Y, U, V at half size. NV12: plane Y, then U and V interleaved.
MJPG: a JPEG file.
"""

PARAM_ENUM_FORMAT, PARAM_FORMAT = 3, 4
_OBJECT_FORMAT = 0x40003
_MEDIA_TYPE, _MEDIA_SUBTYPE, _VIDEO, _RAW, _MJPG = 1, 2, 2, 1, 0x20002
_FORMAT, _SIZE, _RATE = 0x20001, 0x20003, 0x20004
_COLOUR_RANGE, _COLOUR_MATRIX, _TRANSFER, _PRIMARIES = 0x2000C, 0x2000D, 0x2000E, 0x2000F
_LIMITED_RANGE, _BT601_MATRIX, _BT709_TRANSFER, _BT709_PRIMARIES = 2, 4, 5, 1
_CODES: dict[Layout, int] = {
    "I420": 2,
    "YUY2": 4,
    "UYVY": 5,
    "RGBx": 7,
    "BGRx": 8,
    "RGBA": 11,
    "BGRA": 12,
    "RGB": 15,
    "BGR": 16,
    "NV12": 23,
}
_LAYOUTS = {code: layout for layout, code in _CODES.items()}
PIXEL_BYTES: dict[Layout, int] = {
    "I420": 1,
    "NV12": 1,
    "YUY2": 2,
    "UYVY": 2,
    "RGB": 3,
    "BGR": 3,
    "BGRx": 4,
    "BGRA": 4,
    "RGBx": 4,
    "RGBA": 4,
    "MJPG": 2,
}
"""Bytes of one pixel in a row of the first plane; of MJPG the most that a file takes."""
SUBSAMPLED = ("I420", "NV12")
_MAX_SIZE = (16384, 16384)


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """A format of video. Layouts of YUV are BT.601, limited range."""

    layout: Layout
    width: int
    height: int
    fps: Fraction
    """0 if frames come at irregular times."""

    @property
    def stride(self) -> int:
        """Bytes of a row of the first plane."""
        return self.width * PIXEL_BYTES[self.layout]

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame."""
        rows = self.height * 3 // 2 if self.layout in SUBSAMPLED else self.height
        return self.stride * rows

    def as_offer(self, *others: Layout) -> bytes:
        """Return the parameter that offers this format, and the same size in `others`, which are less preferred."""
        properties = {
            **_video(self.layout, *others),
            _SIZE: rectangle(self.width, self.height),
            _RATE: fraction(self.fps.numerator, self.fps.denominator),
        }
        if self.layout in ("YUY2", "UYVY", "I420", "NV12"):
            properties |= {
                _COLOUR_RANGE: identifier(_LIMITED_RANGE),
                _COLOUR_MATRIX: identifier(_BT601_MATRIX),
                _TRANSFER: identifier(_BT709_TRANSFER),
                _PRIMARIES: identifier(_BT709_PRIMARIES),
            }
        return build_object(_OBJECT_FORMAT, PARAM_ENUM_FORMAT, properties)


def any_format(layouts: Sequence[Layout], width: int, height: int, fps: Fraction) -> bytes:
    """Return the parameter that accepts these layouts, the first preferred, in any size and rate, preferably these.

    MJPG cannot be offered together with others.
    """
    properties = {
        **_video(*layouts),
        _SIZE: between(rectangle(width, height), rectangle(1, 1), rectangle(*_MAX_SIZE)),
        _RATE: between(fraction(fps.numerator, fps.denominator), fraction(0, 1), fraction(1000, 1)),
    }
    return build_object(_OBJECT_FORMAT, PARAM_ENUM_FORMAT, properties)


def parse_format(pod: bytes) -> VideoFormat:
    """Return the format that was negotiated. Raises ValueError for one that is not supported."""
    properties = parse_object(pod)
    layout: Layout = "MJPG"
    if parse_integers(properties.get(_MEDIA_SUBTYPE, b""), 1)[0] != _MJPG:
        code = parse_integers(properties.get(_FORMAT, b""), 1)[0]
        if code not in _LAYOUTS:
            raise ValueError(f"the pixel format {code} is not supported")
        layout = _LAYOUTS[code]
    width, height = parse_integers(properties.get(_SIZE, b""), 2)
    rate, per = parse_integers(properties.get(_RATE, bytes(8)), 2)
    return VideoFormat(layout, width, height, Fraction(rate, per or 1))


def _video(*layouts: Layout) -> dict[int, Value]:
    if "MJPG" in layouts:
        return {_MEDIA_TYPE: identifier(_VIDEO), _MEDIA_SUBTYPE: identifier(_MJPG)}
    codes = [identifier(_CODES[layout]) for layout in layouts]
    layout = codes[0] if len(codes) == 1 else one_of(*codes)
    return {_MEDIA_TYPE: identifier(_VIDEO), _MEDIA_SUBTYPE: identifier(_RAW), _FORMAT: layout}


_OBJECT_BUFFERS, _OBJECT_META = 0x40004, 0x40005
_PARAM_BUFFERS, _PARAM_META = 5, 6
_COUNT, _BLOCKS, _BLOCK_BYTES, _STRIDE, _DATA_TYPE = 1, 2, 3, 4, 6
_META_TYPE, _META_SIZE, _HEADER = 1, 2, 1
_MEMORY = 1 << 1 | 1 << 2
"""Types of memory that can be mapped: a plain pointer, or a file in memory."""
_FEWEST, _USUAL, _MOST = 2, 8, 32
"""Number of buffers: a few readers ask for 16, and two stall browsers."""


def buffer_parameters(video: VideoFormat) -> list[bytes]:
    """Return what a sender asks of its buffers: their number, size and metadata."""
    return [
        build_object(
            _OBJECT_BUFFERS,
            _PARAM_BUFFERS,
            {
                _COUNT: between(integer(_USUAL), integer(_FEWEST), integer(_MOST)),
                _BLOCKS: integer(1),
                _BLOCK_BYTES: integer(video.frame_bytes),
                _STRIDE: integer(video.stride),
                _DATA_TYPE: any_flag(_MEMORY),
            },
        ),
        build_object(
            _OBJECT_META,
            _PARAM_META,
            {_META_TYPE: identifier(_HEADER), _META_SIZE: integer(ctypes.sizeof(MetaHeader))},
        ),
    ]


def readable_memory() -> bytes:
    """Return what a reader asks of its buffers: memory that can be mapped."""
    return build_object(_OBJECT_BUFFERS, _PARAM_BUFFERS, {_DATA_TYPE: any_flag(_MEMORY)})


def write_frame(address: int, frame: NDArray[np.uint8], stride: int, time_ns: int, number: int) -> None:
    """Write a C-contiguous frame and its time into a buffer; a buffer that does not hold it stays empty."""
    buffer = Buffer.from_address(address).buffer.contents
    block = buffer.datas[0]
    fits = bool(block.data) and block.maxsize >= frame.nbytes
    if fits:
        ctypes.memmove(block.data, frame.ctypes.data, frame.nbytes)
    chunk = block.chunk.contents
    chunk.offset, chunk.size, chunk.stride, chunk.flags = 0, frame.nbytes if fits else 0, stride, 0
    for index in range(buffer.n_metas):
        meta = buffer.metas[index]
        if meta.type == _HEADER and meta.data and meta.size >= ctypes.sizeof(MetaHeader):
            header = MetaHeader.from_address(meta.data)
            header.flags, header.offset, header.pts, header.dts_offset, header.seq = 0, 0, time_ns, 0, number


def read_frame(address: int) -> tuple[bytes, int]:
    """Return the filled bytes of a buffer and the stride of a row; no bytes if it is empty or not mapped."""
    block = Buffer.from_address(address).buffer.contents.datas[0]
    chunk = block.chunk.contents
    if not block.data or chunk.offset > block.maxsize:
        return b"", 0
    length = min(chunk.size, block.maxsize - chunk.offset)
    return ctypes.string_at(block.data + chunk.offset, length), chunk.stride
