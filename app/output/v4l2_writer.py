"""Send frames to a loopback camera of Linux without pyvirtualcam."""

from __future__ import annotations

import errno
import os

import numpy as np
from numpy.typing import NDArray

from app.media.yuv import Layout
from app.system import v4l2
from app.system.v4l2 import PixelSize

_FOURCC: dict[Layout, str] = {"I420": "YU12", "YUYV": "YUYV", "UYVY": "UYVY"}


class LoopbackWriter:
    """Writes frames of one format to a node. It has the part of pyvirtualcam's interface that the sink uses.

    v4l2loopback takes frames by write(). The frame rate is only declared: the driver shows each frame as it arrives.
    """

    def __init__(self, width: int, height: int, fps: float, *, device: str, layout: Layout) -> None:
        """width, height: even, in pixels. The driver may give another size or format, which the caller reads back with
        `current_format`. Raises OSError.
        """
        self.width, self.height = width, height
        self._frame_bytes = width * height * 3 // 2 if layout == "I420" else width * height * 2
        stride = width if layout == "I420" else width * 2
        self._node = os.open(device, os.O_WRONLY | os.O_CLOEXEC)  # write-only: readers are told apart by it
        try:
            if not v4l2.capability(self._node).flags & v4l2.CAN_OUTPUT:
                raise OSError(errno.ENOTTY, "not a video output device", device)
            wanted = PixelSize(width, height, _FOURCC[layout])
            v4l2.set_output_format(self._node, wanted, stride, self._frame_bytes)
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
        node, self._node = self._node, -1
        if node >= 0:
            os.close(node)

    def _declare_rate(self, fps: float) -> None:
        try:
            v4l2.set_output_rate(self._node, fps)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTTY):  # drivers without frame rates
                raise
