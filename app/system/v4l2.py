"""The ioctls of Video4Linux: every V4L2 call of the program (Linux only).

Structures and numbers are those of linux/videodev2.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

if sys.platform != "win32":
    import fcntl

LOOPBACK_DRIVER = "v4l2 loopback"
COMMON_SIZES = (
    (320, 240),
    (640, 360),
    (640, 480),
    (800, 600),
    (1280, 720),
    (1920, 1080),
    (2560, 1440),
    (3840, 2160),
)

CAN_CAPTURE = 0x1
CAN_OUTPUT = 0x2
CAN_CAPTURE_MPLANE = 0x1000
# Types of a buffer queue.
CAPTURE = 1
OUTPUT = 2
CAPTURE_MPLANE = 9

_HAS_DEVICE_CAPS = 0x80000000
_POINTER_BYTES = ctypes.sizeof(ctypes.c_void_p)
_FORMAT_BYTES = 208 if _POINTER_BYTES == 8 else 204
_PARM_BYTES = 204
# Offset of struct v4l2_pix_format: after the type, with the alignment of a pointer.
_PIX = _POINTER_BYTES
_QUERYCAP = 0x80685600
_ENUM_FMT = 0xC0405602
_ENUM_FRAMESIZES = 0xC02C564A
_G_FMT = 0xC0005604 | _FORMAT_BYTES << 16
_S_FMT = 0xC0005605 | _FORMAT_BYTES << 16
_S_PARM = 0xC0005616 | _PARM_BYTES << 16
_STREAMON = 0x40045612
_G_INPUT = 0x80045626
_ENUM_INPUT = 0xC050561A
# Of the status of an input: no power, no signal, no sync of a digital one. Without the lock of an
# analogue one there may still be a picture: tapes lose it for moments.
_WITHOUT_SIGNAL = 0x1 | 0x2 | 0x10000
# Of the capabilities of an input: it takes timings of a digital signal, or a television standard.
_TAKES_SIGNALS = 0x2 | 0x4
_INPUT_BYTES = 80
# Offset of its standards, status and capabilities.
_INPUT_STANDARDS = 48
_PROGRESSIVE = 1
_SMPTE170M = 1
# V4L2_FIELD_INTERLACED: in the order of the signal; the upper, or the lower field first.
_INTERLACED = (4, 8, 9)
# Of the descriptions of planes in struct v4l2_pix_format_mplane.
_PLANES_BYTES = 160
# Limit for drivers that never end an enumeration.
_MAX_ENTRIES = 256
_DISCRETE = 1


@dataclass(frozen=True, slots=True)
class NodeCapability:
    """The answer of a device to VIDIOC_QUERYCAP."""

    driver: str
    bus: str
    # Capabilities of this node.
    flags: int


@dataclass(frozen=True, slots=True)
class CapturedKind:
    """What a driver says of the frames that it captures, in the numbers of linux/videodev2.h."""

    # How the fields of interlaced video lie in a frame.
    field: int = 0
    colorspace: int = 0
    ycbcr_encoding: int = 0
    quantization: int = 0

    @property
    def is_interlaced(self) -> bool:
        """Whether the rows of two fields alternate."""
        return self.field in _INTERLACED


@dataclass(frozen=True, slots=True)
class PixelSize:
    """The format of a node."""

    width: int
    height: int
    # FOURCC, such as `YU12` or `YUYV`.
    fourcc: str


def is_loopback(folder: Path) -> bool:
    """Return whether a device is of v4l2loopback, by its folder in sysfs.

    Opening the device could wake a camera.
    """
    return (folder / "max_openers").exists()  # an attribute of that driver only


def device_number(path: str) -> tuple[int, int]:
    """Return major and minor number of a device file. Raises OSError."""
    if sys.platform != "win32":
        number = os.stat(path).st_rdev  # noqa: PTH116 - of a str
        return os.major(number), os.minor(number)
    raise OSError(errno.ENOTTY, "not a device", path)


@contextmanager
def opened(path: str) -> Iterator[int]:
    """Open a node for a moment. Raises OSError."""
    node = os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    try:
        yield node
    finally:
        os.close(node)


def capability(node: int) -> NodeCapability:
    """Return what the node is. Raises OSError."""
    answer = _call(node, _QUERYCAP, bytearray(104))
    driver, _, bus, _, flags, flags_of_node = struct.unpack_from("16s32s32sIII", answer)
    # A device may have several nodes, such as the metadata of a camera, and tells all capabilities.
    if flags & _HAS_DEVICE_CAPS:
        flags = flags_of_node
    return NodeCapability(_name(driver), _name(bus), flags)


def pixel_formats(node: int, queue: int) -> Iterator[int]:
    """Yield the codes of the pixel formats of a queue."""
    for index in range(_MAX_ENTRIES):
        request = bytearray(64)
        struct.pack_into("II", request, 0, index, queue)
        try:
            yield struct.unpack_from("I", _call(node, _ENUM_FMT, request), 44)[0]
        except OSError:  # end of the enumeration
            return


def frame_sizes(node: int, code: int) -> Iterator[tuple[int, int]]:
    """Yield the sizes (width, height) of a pixel format.

    Those of `COMMON_SIZES` if it has all within limits.
    """
    for index in range(_MAX_ENTRIES):
        request = bytearray(44)
        struct.pack_into("II", request, 0, index, code)
        try:
            answer = _call(node, _ENUM_FRAMESIZES, request)
        except OSError:  # end of the enumeration
            return
        kind, *numbers = struct.unpack_from("7I", answer, 8)
        if kind != _DISCRETE:
            min_width, max_width, _, min_height, max_height, _ = numbers
            for width, height in COMMON_SIZES:
                if min_width <= width <= max_width and min_height <= height <= max_height:
                    yield width, height
            return
        yield numbers[0], numbers[1]


def fourcc(code: int) -> str:
    """Return the letters of a pixel format."""
    # The highest bit marks a format whose bytes are in the other order.
    letters = (code & 0x7FFFFFFF).to_bytes(4, "little").decode("ascii", "replace").rstrip()
    if code >> 31:
        return f"{letters}-BE"
    return letters


def captured_kind(node: int) -> CapturedKind:
    """Return how the frames of a camera are to be understood, in the format in use.

    Raises OSError.
    """
    has_planes = bool(capability(node).flags & CAN_CAPTURE_MPLANE)
    request = bytearray(_FORMAT_BYTES)
    struct.pack_into("I", request, 0, CAPTURE_MPLANE if has_planes else CAPTURE)
    answer = _call(node, _G_FMT, request)
    if has_planes:
        field, colorspace = struct.unpack_from("II", answer, _PIX + 12)
        encoding, quantization = struct.unpack_from("BB", answer, _PIX + 20 + _PLANES_BYTES + 2)
    else:
        field, _, _, colorspace = struct.unpack_from("IIII", answer, _PIX + 12)
        encoding, quantization = struct.unpack_from("II", answer, _PIX + 36)
    return CapturedKind(field, colorspace, encoding, quantization)


def has_signal(node: int) -> bool | None:
    """Return whether the input in use has a signal; None where the driver does not say."""
    try:
        (number,) = struct.unpack("I", _call(node, _G_INPUT, bytearray(4)))
        request = bytearray(_INPUT_BYTES)
        struct.pack_into("I", request, 0, number)
        answer = _call(node, _ENUM_INPUT, request)
    except OSError:  # it has no inputs
        return None
    standards, status, capabilities = struct.unpack_from("QII", answer, _INPUT_STANDARDS)
    if status & _WITHOUT_SIGNAL:
        return False
    # That of a webcam has neither, and a status that is always good.
    if standards or capabilities & _TAKES_SIGNALS:
        return True
    return None


def output_format(node: int) -> PixelSize:
    """Return the format that a producer must send. Raises OSError."""
    request = bytearray(_FORMAT_BYTES)
    struct.pack_into("I", request, 0, OUTPUT)
    width, height, code = struct.unpack_from("II4s", _call(node, _G_FMT, request), _PIX)
    return PixelSize(width, height, code.decode("ascii", "replace"))


def set_output_format(node: int, wanted: PixelSize, stride: int, frame_bytes: int) -> None:
    """Ask for a format of BT.601, limited range; the driver may give another one.

    Raises OSError.
    """
    request = bytearray(_FORMAT_BYTES)
    struct.pack_into("I", request, 0, OUTPUT)
    struct.pack_into(
        "II4sIIII",
        request,
        _PIX,
        wanted.width,
        wanted.height,
        wanted.fourcc.encode(),
        _PROGRESSIVE,
        stride,
        frame_bytes,
        _SMPTE170M,
    )
    _call(node, _S_FMT, request)


def set_output_rate(node: int, fps: float) -> None:
    """Declare the frame rate. Raises OSError."""
    rate = Fraction(fps).limit_denominator(1001)
    request = bytearray(_PARM_BYTES)
    struct.pack_into("IIIII", request, 0, OUTPUT, 0, 0, rate.denominator, rate.numerator)
    _call(node, _S_PARM, request)


def start_output(node: int) -> None:
    """Start the output stream. Raises OSError."""
    _call(node, _STREAMON, bytearray(struct.pack("i", OUTPUT)))


def _call(node: int, request: int, buffer: bytearray) -> bytearray:
    if sys.platform != "win32":
        fcntl.ioctl(node, request, buffer)
    return buffer


def _name(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
