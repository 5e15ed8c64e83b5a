"""Loopback cameras of Linux, through sysfs and ioctls. Device nodes are opened only briefly.

Supports v4l2loopback 0.12 and later. Needs no privileges beyond access to cameras.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys/class/video4linux")
DRIVER = "v4l2 loopback"

_POINTER_BYTES = ctypes.sizeof(ctypes.c_void_p)
_FORMAT_BYTES = 208 if _POINTER_BYTES == 8 else 204
_FORMAT_OFFSET = _POINTER_BYTES
"""struct v4l2_format: the type, then a union with the alignment of a pointer."""
_QUERYCAP = 0x80685600
_G_FMT = 0xC0005604 | _FORMAT_BYTES << 16
_STREAMON = 0x40045612
_OUTPUT, _DEVICE_CAPS = 0x2, 0x80000000
_BUF_TYPE_OUTPUT = 2
_LOOK_AGAIN_S = 0.05
_MOST_BUFFERS = 32
"""Largest ring buffer of the driver."""


@dataclass(frozen=True, slots=True)
class LoopbackNode:
    """A loopback camera."""

    path: str
    """Such as `/dev/video10`."""
    label: str
    """The name that programs show."""
    number: int


@dataclass(frozen=True, slots=True)
class PixelSize:
    """The current format of a node."""

    width: int
    height: int
    fourcc: str
    """FOURCC, such as `YU12` or `YUYV`."""


def loopback_nodes() -> tuple[LoopbackNode, ...]:
    """Return all loopback cameras, by number."""
    nodes = []
    for entry in SYSFS.glob("video*"):
        with suppress(OSError, ValueError):
            if _is_loopback(entry):
                label = (entry / "name").read_text().strip()
                nodes.append(LoopbackNode(f"/dev/{entry.name}", label, int(entry.name[5:])))
    return tuple(sorted(nodes, key=lambda node: node.number))


def _is_loopback(entry: Path) -> bool:
    # hardware devices are below their bus in sysfs; they are not opened, because that could activate them
    if "/virtual/" not in str(entry.resolve()):
        return False
    try:
        return _driver_and_caps(f"/dev/{entry.name}")[0] == DRIVER
    except PermissionError:
        return (entry / "buffers").exists()  # an attribute of this driver only


def takes_output(path: str) -> bool:
    """Return whether a producer may open the node. Raises OSError if the node cannot be opened.

    With `exclusive_caps=1` this is False while a producer sends, and with old drivers also after it has closed.
    """
    return bool(_driver_and_caps(path)[1] & _OUTPUT)


def current_format(path: str) -> PixelSize | None:
    """Return the actual size and pixel format of the node; None if unknown."""
    request = bytearray(_FORMAT_BYTES)
    struct.pack_into("I", request, 0, _BUF_TYPE_OUTPUT)
    try:
        with _opened(path) as node:
            fcntl.ioctl(node, _G_FMT, request)
    except OSError:
        return None
    width, height = struct.unpack_from("II", request, _FORMAT_OFFSET)
    return PixelSize(width, height, request[_FORMAT_OFFSET + 8 : _FORMAT_OFFSET + 12].decode("ascii", "replace"))


def frames_arrive(path: str, within_s: float = 0.4) -> bool:
    """Return whether a producer sends frames to the node, by reading from it for a moment. Disturbs no other reader."""
    try:
        with _opened(path) as node:
            if all(_read_one(node) for _ in range(_MOST_BUFFERS + 1)):  # old frames in the ring buffer
                return True
            # the driver's poll() does not wait for users of read()
            for _ in range(round(within_s / _LOOK_AGAIN_S)):
                time.sleep(_LOOK_AGAIN_S)
                if _read_one(node):
                    return True
    except OSError:
        return False
    return False


def revive(path: str) -> None:
    """Make a node accept a producer again after the last one has closed (v4l2loopback 0.12 with `exclusive_caps=1`).

    Starting the output stream on any handle and closing it is enough and needs no root privileges. The driver may
    return an error although it succeeds.
    """
    with _opened(path) as node, suppress(OSError):
        fcntl.ioctl(node, _STREAMON, struct.pack("i", _BUF_TYPE_OUTPUT))


def _driver_and_caps(path: str) -> tuple[str, int]:
    answer = bytearray(104)
    with _opened(path) as node:
        fcntl.ioctl(node, _QUERYCAP, answer)
    capabilities, device_capabilities = struct.unpack_from("II", answer, 84)
    driver = bytes(answer[:16]).split(b"\0")[0].decode("utf-8", "replace")
    return driver, device_capabilities if capabilities & _DEVICE_CAPS else capabilities


@contextmanager
def _opened(path: str) -> Iterator[int]:
    node = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield node
    finally:
        os.close(node)


def _read_one(node: int) -> bool:
    try:
        return bool(os.read(node, 4096))  # the first bytes of the frame are enough
    except BlockingIOError:
        return False
