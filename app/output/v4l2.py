"""Loopback cameras of Linux, through sysfs and V4L2. Device nodes are opened only briefly.

Supports v4l2loopback 0.12 and later. Needs no privileges beyond access to cameras.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.system import v4l2
from app.system.v4l2 import PixelSize

SYSFS = Path("/sys/class/video4linux")
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
        return _driver_and_caps(f"/dev/{entry.name}")[0] == v4l2.LOOPBACK_DRIVER
    except PermissionError:
        return (entry / "buffers").exists()  # an attribute of this driver only


def takes_output(path: str) -> bool:
    """Return whether a producer may open the node. Raises OSError if the node cannot be opened.

    With `exclusive_caps=1` this is False while a producer sends, and with old drivers also after it has closed.
    """
    return bool(_driver_and_caps(path)[1] & v4l2.CAN_OUTPUT)


def current_format(path: str) -> PixelSize | None:
    """Return the actual size and pixel format of the node; None if unknown."""
    try:
        with v4l2.opened(path) as node:
            return v4l2.output_format(node)
    except OSError:
        return None


def frames_arrive(path: str, within_s: float = 0.4) -> bool:
    """Return whether a producer sends frames to the node, by reading from it for a moment. Disturbs no other reader.

    v4l2loopback 0.13 and later take one reader at a time, and only while there is a producer.
    """
    try:
        with v4l2.opened(path) as node:
            if all(_read_one(node) for _ in range(_MOST_BUFFERS + 1)):  # old frames in the ring buffer
                return True
            # the driver's poll() does not wait for users of read()
            for _ in range(round(within_s / _LOOK_AGAIN_S)):
                time.sleep(_LOOK_AGAIN_S)
                if _read_one(node):
                    return True
    except OSError as error:
        return error.errno == errno.EBUSY
    return False


def revive(path: str) -> None:
    """Make a node accept a producer again after the last one has closed (v4l2loopback 0.12 with `exclusive_caps=1`).

    Starting the output stream on any handle and closing it is enough and needs no root privileges. The driver may
    return an error although it succeeds.
    """
    with v4l2.opened(path) as node, suppress(OSError):
        v4l2.start_output(node)


def _driver_and_caps(path: str) -> tuple[str, int]:
    with v4l2.opened(path) as node:
        answer = v4l2.capability(node)
    return answer.driver, answer.flags


def _read_one(node: int) -> bool:
    try:
        return bool(os.read(node, 4096))  # the first bytes of the frame are enough
    except BlockingIOError:
        return False
