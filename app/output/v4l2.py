"""Loopback cameras of Linux, through sysfs and V4L2; frames are sent without pyvirtualcam.

Device nodes are opened only briefly, but for the one that is written to. Supports v4l2loopback 0.12
and later. Needs no privileges beyond access to cameras.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.core.threads import poll_until
from app.media.yuv import YuvLayout
from app.system import v4l2
from app.system.v4l2 import PixelSize, is_loopback

SYSFS = Path("/sys/class/video4linux")
DEVICES = Path("/dev")
_LOOK_AGAIN_S = 0.05
# Largest ring buffer of the driver.
_MOST_BUFFERS = 32


def loopback_labels() -> dict[str, str]:
    """Return the labels of all loopback cameras by device file, in the order of their numbers."""
    labels_by_number = {}
    for entry in SYSFS.glob("video*"):
        if is_loopback(entry) and (DEVICES / entry.name).exists():
            # A device may be removed at this moment.
            with suppress(OSError, ValueError):
                label = (entry / "name").read_text("utf-8", "replace").strip()
                number = int(entry.name.removeprefix("video"))
                labels_by_number[number] = label
    return {f"/dev/video{number}": label for number, label in sorted(labels_by_number.items())}


def device_names() -> list[str]:
    """Return the names of all video devices, such as `video0`."""
    return [entry.name for entry in SYSFS.glob("video*")]


def takes_output(path: str) -> bool:
    """Return whether a producer may open the node. Raises OSError if the node cannot be opened.

    With `exclusive_caps=1` this is False while a producer sends, and with old drivers also after it
    has closed.
    """
    with v4l2.opened(path) as node:
        return bool(v4l2.capability(node).flags & v4l2.CAN_OUTPUT)


def current_format(path: str) -> PixelSize | None:
    """Return the actual size and pixel format of the node; None if unknown."""
    try:
        with v4l2.opened(path) as node:
            return v4l2.output_format(node)
    except OSError:
        return None


def frames_arrive(path: str, within_s: float = 0.4) -> bool:
    """Return whether a producer sends frames to the node, by reading from it for a moment.

    Disturbs no other reader.
    v4l2loopback 0.13 and later take one reader at a time, and only while there is a producer.
    """
    try:
        with v4l2.opened(path) as node:
            # The ring buffer may hold old frames: more than it can hold are new ones.
            if all(_read_one(node) for _ in range(_MOST_BUFFERS + 1)):
                return True
            # The driver's poll() does not wait for users of read().
            return poll_until(lambda: _read_one(node), within_s, _LOOK_AGAIN_S)
    except OSError as error:
        return error.errno == errno.EBUSY


def revive(path: str) -> None:
    """Make a node accept a producer again after the last one has closed (v4l2loopback 0.12 with
    `exclusive_caps=1`).

    Starting the output stream on any handle and closing it is enough and needs no root privileges.
    The driver may return an error although it succeeds.
    """
    with v4l2.opened(path) as node, suppress(OSError):
        v4l2.start_output(node)


def _read_one(node: int) -> bool:
    try:
        return bool(os.read(node, 4096))  # the first bytes of the frame are enough
    except BlockingIOError:
        return False


class LoopbackWriter:
    """Writes frames of one format to a node.

    It has the part of pyvirtualcam's interface that the sink uses. v4l2loopback takes frames by
    write(). The frame rate is only declared: the driver shows each frame as it arrives.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        *,
        device: str,
        layout: YuvLayout,
    ) -> None:
        """width, height: even, in pixels.

        The driver may give another size or format, which the caller reads back with
        `current_format`. Raises OSError.
        """
        self.width = width
        self.height = height
        if layout == "I420":
            fourcc = "YU12"
            stride = width
            self._frame_bytes = width * height * 3 // 2
        else:
            fourcc = layout
            stride = 2 * width
            self._frame_bytes = stride * height
        # Write-only, which tells this handle from those of readers.
        self._node = os.open(device, os.O_WRONLY)
        try:
            if not v4l2.capability(self._node).flags & v4l2.CAN_OUTPUT:
                raise OSError(errno.ENOTTY, "not a video output device", device)
            frames = PixelSize(width, height, fourcc)
            v4l2.set_output_format(self._node, frames, stride, self._frame_bytes)
            self._declare_rate(fps)
        except OSError:
            self.close()
            raise

    def send(self, frame: NDArray[np.uint8]) -> None:
        """Write a C-contiguous frame. Raises OSError."""
        if frame.nbytes != self._frame_bytes:
            raise ValueError(f"a frame has {frame.nbytes} bytes, not {self._frame_bytes}")
        written = os.write(self._node, frame.data)
        if written != self._frame_bytes:
            raise OSError(errno.EIO, "the driver took a part of a frame")

    def close(self) -> None:
        """Release the node. Idempotent."""
        node = self._node
        self._node = -1
        if node >= 0:
            os.close(node)

    def _declare_rate(self, fps: float) -> None:
        try:
            v4l2.set_output_rate(self._node, fps)
        except OSError as error:
            # What drivers without frame rates answer.
            if error.errno not in (errno.EINVAL, errno.ENOTTY):
                raise
