"""Formats of raw video as values, as parameters of PipeWire, and their pixels.

Parameters are SPA pods: a body's size, its type, the body, and padding to eight bytes. The C
builders are inline functions, which the shared library does not export.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage

# Types of values in spa/utils/type.h: a member of an enumeration, a number, width and height,
# numerator and denominator.
ID = 3
INT = 4
RECTANGLE = 10
FRACTION = 11
_OBJECT = 15
_CHOICE = 19
# Kinds of choices: a default, a lowest and a highest
# value; a default, and all values; any of these flags.
RANGE = 1
ENUM = 3
FLAGS = 4


class Value(NamedTuple):
    """A value of one type, not yet wrapped in a pod."""

    kind: int
    body: bytes


def value(kind: int, *numbers: int) -> Value:
    """Return a value of unsigned 32-bit integers. kind: ID, INT, RECTANGLE or FRACTION."""
    return Value(kind, struct.pack(f"<{len(numbers)}I", *numbers))


def choice(how: int, *values: Value) -> Value:
    """Return a choice of values of one type. how: RANGE, ENUM or FLAGS."""
    header = struct.pack("<IIII", how, 0, len(values[0].body), values[0].kind)
    return Value(_CHOICE, header + b"".join(value.body for value in values))


def build_object(kind: int, identity: int, properties: Mapping[int, Value]) -> bytes:
    """Return the pod of an object.

    kind: its type; identity: the parameter that it is a value of.
    """
    parts = [struct.pack("<II", kind, identity)]
    parts += [struct.pack("<II", key, 0) + _pod(value) for key, value in properties.items()]
    return _pod(Value(_OBJECT, b"".join(parts)))


def pod_bytes(header: bytes) -> int:
    """Return the size of a whole pod whose first eight bytes are `header`."""
    return 8 + int(struct.unpack_from("<I", header)[0])


def parse_object(pod: bytes) -> dict[int, tuple[int, ...]]:
    """Return each property of an object as unsigned 32-bit integers.

    Of a choice its values, the default first.

    Raises ValueError for another pod.
    """
    try:
        size, kind = struct.unpack_from("<II", pod)
        if kind != _OBJECT:
            raise ValueError(f"a pod of the type {kind} is no object")
        at = 16
        found = {}
        while at + 16 <= 8 + size:
            key, _, length, value_kind = struct.unpack_from("<IIII", pod, at)
            numbers = struct.unpack_from(f"<{length // 4}I", pod, at + 16)
            found[key] = numbers[4:] if value_kind == _CHOICE else numbers
            at += 16 + length + -length % 8
    except struct.error as error:
        raise ValueError("a pod is cut off") from error
    return found


def _pod(value: Value) -> bytes:
    header = struct.pack("<II", len(value.body), value.kind)
    padding = b"\0" * (-len(value.body) % 8)
    return header + value.body + padding


# YUY2, UYVY: packed 4:2:2. I420: planes Y, U, V at half size. NV12: plane Y, then U and V
# interleaved. MJPG: a JPEG file.
PixelLayout = Literal[
    "YUY2",
    "UYVY",
    "I420",
    "NV12",
    "BGRx",
    "BGRA",
    "RGBx",
    "RGBA",
    "RGB",
    "BGR",
    "MJPG",
]


class _Packing(NamedTuple):
    """How the pixels of a layout lie in memory."""

    # In enum spa_video_format.
    code: int
    pixel_bytes: int
    """Of one pixel in a row of the first plane."""
    # Conversion of OpenCV.
    to_bgr: int = -1


_PACKINGS: dict[PixelLayout, _Packing] = {
    "YUY2": _Packing(4, 2, cv2.COLOR_YUV2BGR_YUY2),
    "UYVY": _Packing(5, 2, cv2.COLOR_YUV2BGR_UYVY),
    "NV12": _Packing(23, 1, cv2.COLOR_YUV2BGR_NV12),
    "I420": _Packing(2, 1, cv2.COLOR_YUV2BGR_I420),
    "BGRx": _Packing(8, 4, cv2.COLOR_BGRA2BGR),
    "BGRA": _Packing(12, 4, cv2.COLOR_BGRA2BGR),
    "RGBx": _Packing(7, 4, cv2.COLOR_RGBA2BGR),
    "RGBA": _Packing(11, 4, cv2.COLOR_RGBA2BGR),
    "RGB": _Packing(15, 3, cv2.COLOR_RGB2BGR),
    "BGR": _Packing(16, 3),
}
# The most that a file takes.
_MJPG_PIXEL_BYTES = 2
# The preferred ones first.
RAW_LAYOUTS: tuple[PixelLayout, ...] = tuple(_PACKINGS)
_LAYOUTS = {packing.code: layout for layout, packing in _PACKINGS.items()}
_PLANAR = ("I420", "NV12")

PARAM_ENUM_FORMAT = 3
PARAM_FORMAT = 4
_OBJECT_FORMAT = 0x40003
_MEDIA_TYPE = 1
_MEDIA_SUBTYPE = 2
_VIDEO = 2
_RAW = 1
_MJPG = 0x20002
_FORMAT = 0x20001
_SIZE = 0x20003
_RATE = 0x20004
_COLOUR_RANGE = 0x2000C
_COLOUR_MATRIX = 0x2000D
_TRANSFER = 0x2000E
_PRIMARIES = 0x2000F
_LIMITED_RANGE = 2
_BT601_MATRIX = 4
_BT709_TRANSFER = 5
_BT709_PRIMARIES = 1
_MAX_SIZE = (16384, 16384)


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """A format of video.

    Layouts of YUV are offered as BT.601, limited range, unless it says otherwise.
    """

    layout: PixelLayout
    width: int
    height: int
    # 0 if frames come at irregular times.
    fps: Fraction
    # Of YUV, in enum spa_video_color_matrix; 0 if the sender does not say it.
    colour_matrix: int = 0
    # In enum spa_video_color_range; 0 if the sender does not say it.
    colour_range: int = 0

    @property
    def stride(self) -> int:
        """Bytes of a row of the first plane."""
        if self.layout == "MJPG":
            return self.width * _MJPG_PIXEL_BYTES
        return self.width * _PACKINGS[self.layout].pixel_bytes

    @property
    def rows(self) -> int:
        """Rows of all planes."""
        if self.layout in _PLANAR:  # the planes of colours have half as many rows together
            return self.height * 3 // 2
        return self.height

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame."""
        return self.stride * self.rows

    def as_offer(self, *others: PixelLayout) -> bytes:
        """Return the parameter that offers this format, and the same size in `others`, which are
        less preferred.
        """
        properties = {
            **_video(self.layout, *others),
            _SIZE: value(RECTANGLE, self.width, self.height),
            _RATE: value(FRACTION, self.fps.numerator, self.fps.denominator),
        }
        if self.layout in ("YUY2", "UYVY", *_PLANAR):
            properties |= {
                _COLOUR_RANGE: value(ID, self.colour_range or _LIMITED_RANGE),
                _COLOUR_MATRIX: value(ID, self.colour_matrix or _BT601_MATRIX),
                _TRANSFER: value(ID, _BT709_TRANSFER),
                _PRIMARIES: value(ID, _BT709_PRIMARIES),
            }
        return build_object(_OBJECT_FORMAT, PARAM_ENUM_FORMAT, properties)


def any_format(layouts: Sequence[PixelLayout], width: int, height: int, fps: Fraction) -> bytes:
    """Return the parameter that accepts these layouts, the first preferred, in any size and
    rate, preferably these.

    MJPG cannot be offered together with others.
    """
    size = value(RECTANGLE, width, height)
    rate = value(FRACTION, fps.numerator, fps.denominator)
    properties = {
        **_video(*layouts),
        _SIZE: choice(RANGE, size, value(RECTANGLE, 1, 1), value(RECTANGLE, *_MAX_SIZE)),
        _RATE: choice(RANGE, rate, value(FRACTION, 0, 1), value(FRACTION, 1000, 1)),
    }
    return build_object(_OBJECT_FORMAT, PARAM_ENUM_FORMAT, properties)


def parse_format(pod: bytes) -> VideoFormat:
    """Return the format that was negotiated. Raises ValueError for one that is not supported."""
    found = parse_object(pod)
    code = _first(found, _FORMAT)
    layout = _LAYOUTS.get(code)
    if _MJPG in found.get(_MEDIA_SUBTYPE, ()):
        layout = "MJPG"
    if layout is None:
        raise ValueError(f"the pixel format {code} is not supported")
    width, height = found.get(_SIZE, ())[:2]
    numerator, denominator = found.get(_RATE, (0, 1))[:2]
    fps = Fraction(numerator, denominator or 1)
    matrix = _first(found, _COLOUR_MATRIX)
    return VideoFormat(layout, width, height, fps, matrix, _first(found, _COLOUR_RANGE))


def _first(found: Mapping[int, tuple[int, ...]], key: int) -> int:
    """Return the value of a property, of a choice its default; 0 where it is missing."""
    numbers = found.get(key, ())
    return numbers[0] if numbers else 0


def _video(*layouts: PixelLayout) -> dict[int, Value]:
    if "MJPG" in layouts:
        return {_MEDIA_TYPE: value(ID, _VIDEO), _MEDIA_SUBTYPE: value(ID, _MJPG)}
    codes = [value(ID, _PACKINGS[layout].code) for layout in layouts]
    layout = codes[0]
    if len(codes) > 1:
        layout = choice(ENUM, codes[0], *codes)
    return {_MEDIA_TYPE: value(ID, _VIDEO), _MEDIA_SUBTYPE: value(ID, _RAW), _FORMAT: layout}


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame as it lay in the buffer."""

    video: VideoFormat
    data: bytes
    # Bytes of a row of the first plane.
    stride: int


def to_pixels(frame: RawFrame) -> NDArray[np.uint8] | None:
    """Return a frame of any layout but MJPG without the padding of its rows.

    None if it is cut off or padded in a way that cannot be read.

    (height, width, bytes of a pixel), or all planes as (rows, width).
    """
    video = frame.video
    packing = _PACKINGS[frame.video.layout]
    is_planar = video.layout in _PLANAR
    rows = video.rows
    if is_planar and (video.width % 2 or video.height % 2):
        return None
    # Rows of its colours have half the stride: with padding, they would not be those of one array.
    if video.layout == "I420" and frame.stride != video.width:
        return None
    # The last row may lack its padding.
    if frame.stride < video.stride or len(frame.data) < frame.stride * (rows - 1) + video.stride:
        return None
    data = np.frombuffer(frame.data.ljust(rows * frame.stride, b"\0"), np.uint8)
    padded = data[: rows * frame.stride].reshape(rows, frame.stride)
    packed = np.ascontiguousarray(padded[:, : video.stride])
    if is_planar:
        return packed.reshape(rows, video.width)
    return packed.reshape(rows, video.width, packing.pixel_bytes)


def to_bgr(frame: RawFrame) -> BgrImage | None:
    """Return a frame of any layout but MJPG as (height, width, 3) uint8 BGR, YUV as BT.601 of
    limited range.

    None as in `to_pixels`.
    """
    pixels = to_pixels(frame)
    if pixels is None or frame.video.layout == "BGR":
        return pixels
    return np.asarray(cv2.cvtColor(pixels, _PACKINGS[frame.video.layout].to_bgr), np.uint8)
