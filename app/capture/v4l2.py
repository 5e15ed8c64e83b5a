"""Video devices of Linux: enumeration, capabilities, and the reason why one cannot be opened."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.messages.capture import CameraText
from app.core.messages.system import ProgramName
from app.core.text import Text
from app.system.device_holders import CAMERA_SERVICES, holders

SYS_CLASS = Path("/sys/class/video4linux")
LINK_FOLDERS = (Path("/dev/v4l/by-id"), Path("/dev/v4l/by-path"))

# linux/videodev2.h
QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES = 0x80685600, 0xC0405602, 0xC02C564A
CAPTURE_TYPE, CAPTURE_MPLANE_TYPE = 1, 9
CAN_CAPTURE, CAN_CAPTURE_MPLANE = 0x1, 0x1000
HAS_DEVICE_CAPS = 0x80000000
DISCRETE = 1
MAX_ENTRIES = 256
"""Limit for drivers that never end an enumeration."""

COMMON_SIZES = ((320, 240), (640, 360), (640, 480), (800, 600), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
"""Listed for drivers that offer any size within limits."""
VIDEO_MAJOR = 81
"""Major device number of video devices."""
LOOPBACK_DRIVER = "v4l2 loopback"


@dataclass(frozen=True, slots=True)
class Capability:
    """Capabilities of a video device."""

    driver: str
    card: str
    bus: str
    is_camera: bool
    sizes: tuple[tuple[int, int], ...]
    formats: tuple[str, ...]


def nodes() -> list[tuple[int, str]]:
    """Return (number, name) of the video devices, ascending; further nodes of a camera (metadata) are omitted."""
    found = []
    for folder in SYS_CLASS.glob("video*"):
        number = re.fullmatch(r"video(\d+)", folder.name)
        if number and _text(folder / "index") in ("", "0"):
            found.append((int(number[1]), _text(folder / "name") or folder.name))
    return sorted(found)


def links(path: str) -> list[str]:
    """Return udev's names of the device, the most stable first."""
    found = []
    for folder in LINK_FOLDERS:
        if folder.is_dir():
            found += sorted(link.name for link in folder.iterdir() if os.path.realpath(link) == path)
    return found


def query(path: str) -> Capability:
    """Query a device. Raises OSError if it cannot be opened or is not a video device."""
    with _opened(path) as handle:
        answer = _ioctl(handle, QUERYCAP, bytearray(104))
        driver, card, bus, _, capabilities, device = struct.unpack_from("16s32s32sIII", answer)
        own = device if capabilities & HAS_DEVICE_CAPS else capabilities
        planes = CAPTURE_MPLANE_TYPE if own & CAN_CAPTURE_MPLANE else CAPTURE_TYPE
        is_camera = bool(own & (CAN_CAPTURE | CAN_CAPTURE_MPLANE))
        codes = list(_formats(handle, planes)) if is_camera else []
        sizes = {size for code in codes for size in _sizes(handle, code)}
        formats = tuple(dict.fromkeys(_fourcc(code) for code in codes))
        return Capability(_name(driver), _name(card), _name(bus), is_camera, tuple(sorted(sizes)), formats)


def why_not(path: str) -> Text:
    """Return why this device delivers no frames and what to do: the second half of a sentence."""
    try:
        capability = query(path)
    except FileNotFoundError:
        return CameraText.REASON_ABSENT()
    except PermissionError:
        return CameraText.REASON_NOT_PERMITTED()
    except OSError as error:
        if error.errno == errno.EBUSY:
            return _in_use(path)
        if error.errno in (errno.ENODEV, errno.ENXIO):
            return CameraText.REASON_DISCONNECTED()
        return CameraText.REASON_NOT_A_CAMERA()
    if users(path):
        return _in_use(path)
    if not capability.is_camera and capability.driver != LOOPBACK_DRIVER:
        return CameraText.REASON_NOT_A_CAMERA()
    if capability.driver == LOOPBACK_DRIVER:
        return CameraText.REASON_NO_SENDER()
    return CameraText.REASON_NO_FRAMES()


def users(path: str) -> list[Text]:
    """Return the programs that use the camera, as far as this user may see them."""
    return [
        ProgramName.THIS() if holder.pid == os.getpid() else holder.text
        for holder in holders(path) or ()
        if holder.name not in CAMERA_SERVICES
    ]


def _in_use(path: str) -> Text:
    return CameraText.REASON_IN_USE(programs=users(path) or [ProgramName.OTHER()])


def _formats(handle: int, planes: int) -> Iterator[int]:
    for index in range(MAX_ENTRIES):
        request = bytearray(64)
        struct.pack_into("II", request, 0, index, planes)
        try:
            yield struct.unpack_from("I", _ioctl(handle, ENUM_FMT, request), 44)[0]
        except OSError:  # end of the enumeration
            return


def _sizes(handle: int, code: int) -> Iterator[tuple[int, int]]:
    for index in range(MAX_ENTRIES):
        request = bytearray(44)
        struct.pack_into("II", request, 0, index, code)
        try:
            answer = _ioctl(handle, ENUM_FRAMESIZES, request)
        except OSError:  # end of the enumeration
            return
        kind, *numbers = struct.unpack_from("7I", answer, 8)
        if kind == DISCRETE:
            yield numbers[0], numbers[1]
            continue
        min_width, max_width, _, min_height, max_height, _ = numbers
        yield from ((w, h) for w, h in COMMON_SIZES if min_width <= w <= max_width and min_height <= h <= max_height)
        return


@contextmanager
def _opened(path: str) -> Iterator[int]:
    if os.major(Path(path).stat().st_rdev) != VIDEO_MAJOR:  # opening other devices may have side effects
        raise OSError(errno.ENOTTY, "not a video device", path)
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def _ioctl(handle: int, request: int, buffer: bytearray) -> bytearray:
    fcntl.ioctl(handle, request, buffer, True)
    return buffer


def _fourcc(code: int) -> str:
    letters = (code & 0x7FFFFFFF).to_bytes(4, "little").decode("ascii", "replace").rstrip()
    return f"{letters}-BE" if code >> 31 else letters


def _name(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace").strip()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
