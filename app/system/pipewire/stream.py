"""Streams of PipeWire, and the reader of the frames of a node, such as a camera."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage
from app.system.pipewire.connection import (
    BufferFunction,
    Connection,
    Hook,
    ParamFunction,
    ProcessFunction,
    StateFunction,
    StreamEvents,
    last_error,
    pod_array,
)
from app.system.pipewire.video_format import (
    PARAM_FORMAT,
    PIXEL_BYTES,
    SUBSAMPLED,
    Layout,
    VideoFormat,
    any_format,
    parse_format,
    pod_bytes,
    read_frame,
    readable_memory,
)

ANY_NODE = 0xFFFFFFFF
INPUT, OUTPUT = 0, 1
_EVENTS_VERSION = 2


class StreamState(Enum):
    """What a stream is doing."""

    ERROR = -1
    """A negotiation failed; the next one may succeed."""
    UNCONNECTED = 0
    """The connection to the daemon is lost for good."""
    CONNECTING = 1
    PAUSED = 2
    """No frames flow: nobody reads, or the source stands still."""
    STREAMING = 3


class StreamFlags:
    """Flags of `Stream.connect`."""

    AUTOCONNECT = 1 << 0
    MAP_BUFFERS = 1 << 2
    DRIVER = 1 << 3
    DONT_RECONNECT = 1 << 7


class StreamListener:
    """Receives the events of a stream on the thread of the connection, which holds its lock; ignores them by itself."""

    def state_changed(self, state: StreamState, error: str) -> None:
        """The state has changed; `error` is empty unless it failed."""

    def format_changed(self, pod: bytes | None) -> None:
        """A format was negotiated, or has ended (None)."""

    def add_buffer(self, address: int) -> None:
        """A buffer may be used from now on."""

    def remove_buffer(self, address: int) -> None:
        """A buffer may no longer be used."""

    def process(self) -> None:
        """A buffer can be dequeued."""


class Stream:
    """One stream over its own connection. Thread-safe under `locked`, except `close`: nothing may use it meanwhile."""

    def __init__(
        self, properties: Mapping[str, str], listener: StreamListener, connection: Connection | None = None
    ) -> None:
        """properties: `node.name` and others. connection: where the stream lives; it is closed with the stream. None:
        the daemon of the user's session. Raises OSError if the library is missing or no daemon answers.
        """
        self._connection = connection or Connection()
        self._library = self._connection.library
        self._listener = listener
        self._events = self._event_table()  # the library keeps its address
        self._hook = Hook()
        self._stream: int | None = None
        self.locked = self._connection.locked
        try:
            self._create(properties)
        except OSError:
            self.close()
            raise

    def connect(self, direction: int, flags: int, formats: Sequence[bytes], node: int = ANY_NODE) -> None:
        """Connect the stream with the formats that it offers (OUTPUT) or accepts (INPUT). node: to connect to.

        Raises OSError.
        """
        with self.locked():
            result = self._library.pw_stream_connect(
                self._stream, direction, node, flags, pod_array(formats), len(formats)
            )
        if result < 0:
            raise OSError(-result, os.strerror(-result))

    def update(self, parameters: Sequence[bytes]) -> None:
        """Answer a format with parameters, unless the stream is closed (locked)."""
        if self._stream is not None:
            self._library.pw_stream_update_params(self._stream, pod_array(parameters), len(parameters))

    def dequeue(self) -> int | None:
        """Return the address of a free buffer; None if there is none, or while the stream is closed (locked)."""
        if self._stream is None:
            return None
        address: int | None = self._library.pw_stream_dequeue_buffer(self._stream)
        return address

    def queue(self, address: int) -> None:
        """Give a buffer back: send it, or allow it to be filled again (locked)."""
        self._library.pw_stream_queue_buffer(self._stream, address)

    def trigger(self) -> None:
        """Run one cycle of the graph that this stream drives (locked)."""
        self._library.pw_stream_trigger_process(self._stream)

    def close(self) -> None:
        """Close stream and connection. Idempotent."""
        if self._stream is not None:
            # The thread must run until the end: without it, PipeWire delivers events on its data thread meanwhile.
            with self.locked():
                stream, self._stream = self._stream, None  # not before: the thread may have taken a buffer
                self._library.pw_stream_disconnect(stream)
                self._connection.flush()  # events that the data thread has queued refer to the stream
                self._library.pw_stream_destroy(stream)
        self._connection.close()

    def _create(self, properties: Mapping[str, str]) -> None:
        pipewire = self._library
        with self.locked():
            values = pipewire.pw_properties_new_string(b"")
            for key, value in properties.items():
                pipewire.pw_properties_set(values, key.encode(), value.encode())
            name = properties.get("node.name", "stream").encode()
            self._stream = pipewire.pw_stream_new(self._connection.core, name, values) or None
            if self._stream is None:
                raise last_error()
            pipewire.pw_stream_add_listener(self._stream, ctypes.byref(self._hook), ctypes.byref(self._events), None)

    def _event_table(self) -> StreamEvents:
        listener = self._listener

        def state_changed(_data: int, _old: int, new: int, error: bytes | None) -> None:
            listener.state_changed(StreamState(new), (error or b"").decode("utf-8", "replace"))

        def param_changed(_data: int, identity: int, address: int | None) -> None:
            if identity == PARAM_FORMAT:
                size = pod_bytes(ctypes.string_at(address, 8)) if address else 0
                listener.format_changed(ctypes.string_at(address, size) if address else None)

        return StreamEvents(
            version=_EVENTS_VERSION,
            state_changed=StateFunction(state_changed),
            param_changed=ParamFunction(param_changed),
            add_buffer=BufferFunction(lambda _data, address: listener.add_buffer(address)),
            remove_buffer=BufferFunction(lambda _data, address: listener.remove_buffer(address)),
            process=ProcessFunction(lambda _data: listener.process()),
        )


RAW_LAYOUTS: tuple[Layout, ...] = ("YUY2", "UYVY", "NV12", "I420", "BGRx", "BGRA", "RGBx", "RGBA", "RGB", "BGR")


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
        layouts: Sequence[Sequence[Layout]] = (RAW_LAYOUTS,),
        follows: bool = False,
        connection: Connection | None = None,
        name: str = "mattecam-reader",
    ) -> None:
        """target: the name or serial number of the node, the number that a portal gives, None for the default camera.

        size, fps: preferred. layouts: groups that are offered together, the best first. follows: wait for the node if
        it is absent, and read on when it is replaced; otherwise the reader is lost. connection: see `Stream`.
        Raises OSError.
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
