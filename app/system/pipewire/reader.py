"""Reading frames of a PipeWire node, such as a camera or a screen, and their conversion to BGR."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage
from app.system.pipewire.connection import Connection
from app.system.pipewire.stream import ANY_NODE, INPUT, Stream, StreamFlags, StreamListener, StreamState
from app.system.pipewire.video_format import (
    PIXEL_BYTES,
    SUBSAMPLED,
    Layout,
    VideoFormat,
    any_format,
    parse_format,
    read_frame,
    readable_memory,
)

RAW_LAYOUTS: tuple[Layout, ...] = ("YUY2", "UYVY", "NV12", "I420", "BGRx", "BGRA", "RGBx", "RGBA", "RGB", "BGR")
READABLE: tuple[tuple[Layout, ...], ...] = (RAW_LAYOUTS,)
"""Layouts that a reader accepts by default, in groups that are offered together, the best first."""


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame as it lay in the buffer."""

    video: VideoFormat
    data: bytes
    stride: int
    """Bytes of a row of the first plane."""


class NodeReader(StreamListener):
    """Keeps the newest frame of a node. `read` may be called on any thread."""

    def __init__(
        self,
        target: str | int | None,
        size: tuple[int, int],
        fps: Fraction,
        *,
        layouts: Sequence[Sequence[Layout]] = READABLE,
        follows: bool = False,
        connection: Connection | None = None,
        name: str = "mattecam-reader",
    ) -> None:
        """target: the name or serial number of the node, the number that a portal gives, None for the default
        camera. size, fps: preferred. follows: wait for the node if it is absent, and read on when it is replaced;
        otherwise the reader is lost. connection: see `Stream`. Raises OSError.
        """
        self._arrived = threading.Condition()
        self._newest: RawFrame | None = None
        self.video: VideoFormat | None = None
        """The negotiated format."""
        self._state = StreamState.CONNECTING
        self._follows = follows
        self.error = ""
        """What PipeWire says about the failure; empty while there is none."""
        self.received = 0
        """The number of frames that have arrived."""
        properties = {
            "media.type": "Video",
            "media.category": "Capture",
            "media.role": "Camera",
            "node.name": name,
        }
        if isinstance(target, str):
            properties["target.object"] = target
        self._stream = Stream(properties, self, connection)
        try:
            flags = StreamFlags.AUTOCONNECT | StreamFlags.MAP_BUFFERS
            flags |= 0 if follows else StreamFlags.DONT_RECONNECT
            formats = [any_format(group, *size, fps) for group in layouts]
            self._stream.connect(INPUT, flags, formats, target if isinstance(target, int) else ANY_NODE)
        except OSError:
            self._stream.close()
            raise

    @property
    def lost(self) -> bool:
        """Whether no further frame will arrive."""
        return self._state is StreamState.UNCONNECTED or (self._state is StreamState.ERROR and not self._follows)

    def read(self, timeout_s: float) -> RawFrame | None:
        """Return the next unread frame; None if none arrives within `timeout_s` or the node is lost."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._newest is not None or self.lost, timeout_s)
            frame, self._newest = self._newest, None
            return frame

    def close(self) -> None:
        """Disconnect. Idempotent."""
        self._stream.close()

    def state_changed(self, state: StreamState, error: str) -> None:
        """Note the state."""
        with self._arrived:
            self._state = state
            self.error = error or self.error
            self._arrived.notify_all()

    def format_changed(self, pod: bytes | None) -> None:
        """Note the format and ask for memory that can be mapped."""
        if pod is None:
            return
        try:
            self.video = parse_format(pod)
        except ValueError as error:
            self.error = str(error)
            return
        self._stream.update([readable_memory()])

    def process(self) -> None:
        """Copy the newest buffer and give all back."""
        newest: RawFrame | None = None
        while (address := self._stream.dequeue()) is not None:
            data, stride = read_frame(address)
            video = self.video
            if video is not None and data:
                newest = RawFrame(video, data, stride or video.stride)
                self.received += 1
            self._stream.queue(address)
        if newest is not None:
            with self._arrived:
                self._newest = newest
                self._arrived.notify_all()


_CODES: dict[Layout, int] = {
    "YUY2": cv2.COLOR_YUV2BGR_YUY2,
    "UYVY": cv2.COLOR_YUV2BGR_UYVY,
    "I420": cv2.COLOR_YUV2BGR_I420,
    "NV12": cv2.COLOR_YUV2BGR_NV12,
    "BGRx": cv2.COLOR_BGRA2BGR,
    "BGRA": cv2.COLOR_BGRA2BGR,
    "RGBx": cv2.COLOR_RGBA2BGR,
    "RGBA": cv2.COLOR_RGBA2BGR,
    "RGB": cv2.COLOR_RGB2BGR,
}


def to_bgr(frame: RawFrame) -> BgrImage | None:
    """Return a frame of any layout but MJPG as (height, width, 3) uint8 BGR; None if it is cut off or padded in a way
    that cannot be read.
    """
    video = frame.video
    planar = video.layout in SUBSAMPLED
    if planar and (video.width % 2 or video.height % 2 or (video.layout == "I420" and frame.stride != video.width)):
        return None
    rows = video.height * 3 // 2 if planar else video.height
    if frame.stride < video.stride or len(frame.data) < frame.stride * (rows - 1) + video.stride:
        return None
    packed = _rows(frame.data, rows, frame.stride)[:, : video.stride]
    shape = (rows, video.width) if planar else (rows, video.width, PIXEL_BYTES[video.layout])
    pixels = np.ascontiguousarray(packed).reshape(shape)
    if video.layout == "BGR":
        return pixels
    return np.asarray(cv2.cvtColor(pixels, _CODES[video.layout]), np.uint8)


def _rows(data: bytes, rows: int, stride: int) -> NDArray[np.uint8]:
    """Return (rows, stride) uint8; the padding of the last row may be missing."""
    flat = np.frombuffer(data, np.uint8)[: rows * stride]
    if flat.size < rows * stride:
        flat = np.concatenate([flat, np.zeros(rows * stride - flat.size, np.uint8)])
    return flat.reshape(rows, stride)
