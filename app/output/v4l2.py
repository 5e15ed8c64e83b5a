"""What Linux says about its loopback cameras: sysfs and a few ioctls. Opens nodes only for a moment.

Works with v4l2loopback 0.12 and later. No privileges are needed beyond those of an ordinary camera user.
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
"""struct v4l2_format: the type, then a union that is aligned like a pointer."""
_QUERYCAP = 0x80685600
_G_FMT = 0xC0005604 | _FORMAT_BYTES << 16
_STREAMON = 0x40045612
_OUTPUT, _DEVICE_CAPS = 0x2, 0x80000000
_BUF_TYPE_OUTPUT = 2
_LOOK_AGAIN_S = 0.05
_MOST_BUFFERS = 32
"""The longest ring that the driver can be loaded with."""


@dataclass(frozen=True, slots=True)
class LoopbackNode:
    """A loopback camera."""

    path: str
    """Such as `/dev/video10`."""
    label: str
    """The name that programs show for it."""
    number: int


@dataclass(frozen=True, slots=True)
class PixelSize:
    """The format that a node is set to."""

    width: int
    height: int
    fourcc: str
    """Linux's four letters, such as `YU12` or `YUYV`."""


def loopback_nodes() -> tuple[LoopbackNode, ...]:
    """All loopback cameras, by number."""
    nodes = []
    for entry in SYSFS.glob("video*"):
        with suppress(OSError, ValueError):
            if _is_loopback(entry):
                label = (entry / "name").read_text().strip()
                nodes.append(LoopbackNode(f"/dev/{entry.name}", label, int(entry.name[5:])))
    return tuple(sorted(nodes, key=lambda node: node.number))


def _is_loopback(entry: Path) -> bool:
    # hardware hangs below its bus, so it is not even opened (that could wake it)
    if "/virtual/" not in str(entry.resolve()):
        return False
    try:
        return _driver_and_caps(f"/dev/{entry.name}")[0] == DRIVER
    except PermissionError:
        return (entry / "buffers").exists()  # an attribute of this driver alone


def takes_output(path: str) -> bool:
    """Whether a producer may open the node now; OSError where the node cannot be opened.

    With `exclusive_caps=1` this is False while a producer sends, and with old drivers also after one has gone.
    """
    return bool(_driver_and_caps(path)[1] & _OUTPUT)


def current_format(path: str) -> PixelSize | None:
    """The size and pixel format that the node really has; None where it does not tell."""
    request = bytearray(_FORMAT_BYTES)
    struct.pack_into("I", request, 0, _BUF_TYPE_OUTPUT)
    try:
        with _opened(path) as node:
            fcntl.ioctl(node, _G_FMT, request)
    except OSError:
        return None
    width, height = struct.unpack_from("II", request, _FORMAT_OFFSET)
    return PixelSize(width, height, request[_FORMAT_OFFSET + 8 : _FORMAT_OFFSET + 12].decode("ascii", "replace"))


def pictures_arrive(path: str, within_s: float = 0.4) -> bool:
    """Whether some producer sends pictures to the node: reads along for a moment, which disturbs nobody."""
    try:
        with _opened(path) as node:
            if all(_read_one(node) for _ in range(_MOST_BUFFERS + 1)):  # what lies in the ring from before
                return True
            # the driver's poll() does not wait for those who use read()
            for _ in range(round(within_s / _LOOK_AGAIN_S)):
                time.sleep(_LOOK_AGAIN_S)
                if _read_one(node):
                    return True
    except OSError:
        return False
    return False


def revive(path: str) -> None:
    """Make a node take a producer again after the last one has gone (v4l2loopback 0.12 with `exclusive_caps=1`).

    Starting the output stream on any handle and closing it does it, without root; the driver may answer with an error
    and do it all the same.
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
        return bool(os.read(node, 4096))  # the beginning of the picture is enough
    except BlockingIOError:
        return False
