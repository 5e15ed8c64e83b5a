"""Formats of raw video, as values and as parameters of PipeWire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from app.system.pipewire.pods import (
    Value,
    between,
    build_object,
    fraction,
    identifier,
    one_of,
    parse_integers,
    parse_object,
    rectangle,
)

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
