"""Streams of PipeWire, the memory of their frames, and the reader of the frames of a node, such
as a camera.
"""

from __future__ import annotations

import ctypes
import logging
import os
import struct
import threading
from collections.abc import Mapping, Sequence
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_int,
    c_int32,
    c_int64,
    c_uint32,
    c_void_p,
)
from enum import Enum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from app.system.pipewire.connection import Connection, Hook, last_error
from app.system.pipewire.video_format import (
    FLAGS,
    ID,
    INT,
    PARAM_FORMAT,
    RANGE,
    RAW_LAYOUTS,
    PixelLayout,
    RawFrame,
    VideoFormat,
    any_format,
    build_object,
    choice,
    parse_format,
    pod_bytes,
    value,
)

log = logging.getLogger(__name__)


class _Chunk(Structure):
    """struct spa_chunk: the part of a memory block that is filled."""

    _fields_ = (("offset", c_uint32), ("size", c_uint32), ("stride", c_int32), ("flags", c_int32))


class _Data(Structure):
    """struct spa_data: a memory block of a buffer."""

    _fields_ = (
        ("type", c_uint32),
        ("flags", c_uint32),
        ("fd", c_int64),
        ("mapoffset", c_uint32),
        ("maxsize", c_uint32),
        ("data", c_void_p),
        ("chunk", POINTER(_Chunk)),
    )


class _Meta(Structure):
    """struct spa_meta: data about a frame."""

    _fields_ = (("type", c_uint32), ("size", c_uint32), ("data", c_void_p))


class _Buffer(Structure):
    """struct spa_buffer: the memory blocks and metadata of one frame."""

    _fields_ = (
        ("n_metas", c_uint32),
        ("n_datas", c_uint32),
        ("metas", POINTER(_Meta)),
        ("datas", POINTER(_Data)),
    )


# struct spa_meta_header: flags, offset, the time of a frame
# in nanoseconds, offset of that, number of the frame.
_META_HEADER = struct.Struct("=IIqqQ")
_OBJECT_BUFFERS = 0x40004
_OBJECT_META = 0x40005
_PARAM_BUFFERS = 5
_PARAM_META = 6
_COUNT = 1
_BLOCKS = 2
_BLOCK_BYTES = 3
_STRIDE = 4
_DATA_TYPE = 6
_META_TYPE = 1
_META_SIZE = 2
_HEADER = 1
# Types of memory that can be mapped: a plain pointer, or a file in memory.
_MAPPABLE = choice(FLAGS, value(INT, 1 << 1 | 1 << 2))
# Number of buffers: a few readers ask for 16, and two stall browsers.
_FEWEST = 2
_USUAL = 8
_MOST = 32
# What a reader asks of its buffers.
_TO_READ = build_object(_OBJECT_BUFFERS, _PARAM_BUFFERS, {_DATA_TYPE: _MAPPABLE})


def to_send(video: VideoFormat) -> tuple[bytes, bytes]:
    """Return what a sender asks of its buffers: their number, size and metadata."""
    buffers = {
        _COUNT: choice(RANGE, value(INT, _USUAL), value(INT, _FEWEST), value(INT, _MOST)),
        _BLOCKS: value(INT, 1),
        _BLOCK_BYTES: value(INT, video.frame_bytes),
        _STRIDE: value(INT, video.stride),
        _DATA_TYPE: _MAPPABLE,
    }
    meta = {_META_TYPE: value(ID, _HEADER), _META_SIZE: value(INT, _META_HEADER.size)}
    return (
        build_object(_OBJECT_BUFFERS, _PARAM_BUFFERS, buffers),
        build_object(_OBJECT_META, _PARAM_META, meta),
    )


def write_frame(
    address: int,
    frame: NDArray[np.uint8],
    stride: int,
    time_ns: int,
    number: int,
) -> None:
    """Write a C-contiguous frame and its time into a buffer.

    A buffer that does not hold it stays empty.
    """
    buffer = _buffer_at(address)
    block = buffer.datas[0]
    fits = bool(block.data) and block.maxsize >= frame.nbytes
    if fits:
        ctypes.memmove(block.data, frame.ctypes.data, frame.nbytes)
    chunk = block.chunk.contents
    chunk.offset = 0
    chunk.size = frame.nbytes if fits else 0
    chunk.stride = stride
    chunk.flags = 0
    for meta in buffer.metas[: buffer.n_metas]:
        if meta.type == _HEADER and meta.data and meta.size >= _META_HEADER.size:
            ctypes.memmove(
                meta.data,
                _META_HEADER.pack(0, 0, time_ns, 0, number),
                _META_HEADER.size,
            )


def _read_frame(address: int) -> tuple[bytes, int]:
    """Return the filled bytes of a buffer and the stride of a row.

    No bytes if it is empty or not mapped.
    """
    block = _buffer_at(address).datas[0]
    chunk = block.chunk.contents
    if not block.data or chunk.offset > block.maxsize:
        return b"", 0
    length = min(chunk.size, block.maxsize - chunk.offset)
    return ctypes.string_at(block.data + chunk.offset, length), chunk.stride


def _buffer_at(address: int) -> _Buffer:
    """Return what a struct pw_buffer begins with."""
    return POINTER(_Buffer).from_address(address).contents


_StateChanged = CFUNCTYPE(None, c_void_p, c_int, c_int, c_char_p)
_ParamChanged = CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)
_BufferEvent = CFUNCTYPE(None, c_void_p, c_void_p)
_Process = CFUNCTYPE(None, c_void_p)


class _Events(Structure):
    """struct pw_stream_events, version 2."""

    _fields_ = (
        ("version", c_uint32),
        ("destroy", c_void_p),
        ("state_changed", _StateChanged),
        ("control_info", c_void_p),
        ("io_changed", c_void_p),
        ("param_changed", _ParamChanged),
        ("add_buffer", _BufferEvent),
        ("remove_buffer", _BufferEvent),
        ("process", _Process),
        ("drained", c_void_p),
        ("command", c_void_p),
        ("trigger_done", c_void_p),
    )


class StreamState(Enum):
    """What a stream is doing."""

    # A negotiation failed; the next one may succeed.
    ERROR = -1
    # The connection to the daemon is lost for good.
    UNCONNECTED = 0
    CONNECTING = 1
    # No frames flow: nobody reads, or the source stands still.
    PAUSED = 2
    STREAMING = 3


_ANY_NODE = 0xFFFFFFFF
_AUTOCONNECT = 1 << 0
_MAP_BUFFERS = 1 << 2
_DRIVER = 1 << 3
_DONT_RECONNECT = 1 << 7


class Stream:
    """One stream over its own connection; subclasses say what its events do.

    They come on the thread of the connection, which holds its lock, and may do so before the
    constructor has ended. Thread-safe under `locked`, except `close`: nothing may use it meanwhile.
    """

    def __init__(
        self,
        properties: Mapping[str, str],
        formats: Sequence[bytes],
        *,
        sends: bool,
        follows: bool = True,
        connection: Connection | None = None,
    ) -> None:
        """properties: `node.name` and others. formats: those that it offers or accepts. sends:
        whether it drives the graph by its frames, or reads those of the node that the properties
        name. follows: whether it reads on when that node is replaced. connection: where the stream
        lives, which is closed with it; None: the daemon of the user's session. Raises OSError if
        the library is missing or no daemon answers.
        """
        self.state = StreamState.CONNECTING
        # Addresses of the buffers that there are.
        self.buffers: list[int] = []
        self._connection = connection or Connection()
        self._library = self._connection.library
        self.locked = self._connection.locked
        self._events = self._event_table()  # the library keeps its address
        self._hook = Hook()
        self._stream: int | None = None
        flags = _MAP_BUFFERS
        flags |= _DRIVER if sends else _AUTOCONNECT
        if not follows:
            flags |= _DONT_RECONNECT
        try:
            self._create(properties)
            with self.locked():
                result = self._library.pw_stream_connect(
                    self._stream, int(sends), _ANY_NODE, flags, _pod_array(formats), len(formats)
                )
            if result < 0:
                raise OSError(-result, os.strerror(-result))
        except OSError:
            self.close()
            raise

    def state_changed(self, state: StreamState) -> None:
        """Note the state."""
        self.state = state

    def format_changed(self, video: VideoFormat | None) -> None:
        """Handle that a format was negotiated; None: that it has ended, or is not supported."""

    def process(self) -> None:
        """Handle that a buffer can be dequeued."""

    def update(self, parameters: Sequence[bytes]) -> None:
        """Answer a format with parameters, unless the stream is closed (locked)."""
        if self._stream is not None:
            self._library.pw_stream_update_params(
                self._stream,
                _pod_array(parameters),
                len(parameters),
            )

    def dequeue(self) -> int | None:
        """Return the address of a free buffer.

        None if there is none, or while the stream is closed (locked).
        """
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
            # The thread must run until the end: without it,
            # PipeWire delivers events on its data thread meanwhile.
            with self.locked():
                stream = self._stream
                # Under the lock: the thread may have taken a buffer before.
                self._stream = None
                self._library.pw_stream_disconnect(stream)
                # Events that the data thread has queued refer to the stream.
                self._connection.flush()
                self._library.pw_stream_destroy(stream)
        self._connection.close()

    def _create(self, properties: Mapping[str, str]) -> None:
        pipewire = self._library
        with self.locked():
            values = pipewire.pw_properties_new_string(b"")
            for key, value in properties.items():
                pipewire.pw_properties_set(values, key.encode(), value.encode())
            name = properties["node.name"].encode()
            self._stream = pipewire.pw_stream_new(self._connection.core, name, values) or None
            if self._stream is None:
                raise last_error()
            pipewire.pw_stream_add_listener(
                self._stream,
                ctypes.byref(self._hook),
                ctypes.byref(self._events),
                None,
            )

    def _event_table(self) -> _Events:
        def param_changed(_data: int, identity: int, address: int | None) -> None:
            if identity != PARAM_FORMAT:
                return
            video = None
            if address:
                try:
                    length = pod_bytes(ctypes.string_at(address, 8))
                    video = parse_format(ctypes.string_at(address, length))
                except ValueError as error:
                    log.warning("PipeWire: %s", error)
            self.format_changed(video)

        def buffer_removed(_data: int, address: int) -> None:
            if address in self.buffers:
                self.buffers.remove(address)

        def state_changed(_data: int, _old: int, new: int, _error: bytes | None) -> None:
            self.state_changed(StreamState(new))

        return _Events(
            version=2,
            state_changed=_StateChanged(state_changed),
            param_changed=_ParamChanged(param_changed),
            add_buffer=_BufferEvent(lambda _data, address: self.buffers.append(address)),
            remove_buffer=_BufferEvent(buffer_removed),
            process=_Process(lambda _data: self.process()),
        )


def _pod_array(pods: Sequence[bytes]) -> ctypes.Array[c_char_p]:
    """Return an array of pointers to `pods`, which keeps them in memory."""
    return (c_char_p * len(pods))(*pods)


class NodeReader(Stream):
    """Keeps the newest frame of a node. `read` may be called on any thread."""

    def __init__(
        self,
        target: str,
        size: tuple[int, int],
        fps: Fraction,
        *,
        layouts: Sequence[Sequence[PixelLayout]] = (RAW_LAYOUTS,),
        follows: bool = False,
        connection: Connection | None = None,
        name: str = "mattecam-reader",
    ) -> None:
        """target: the name or serial number of the node.

        size, fps: preferred. layouts: groups that are offered together, the best first. follows:
        wait for the node if it is absent, and read on when it is replaced; otherwise the reader is
        lost. connection: see `Stream`. Raises OSError.
        """
        self._arrived = threading.Condition()
        self._newest: RawFrame | None = None
        self._video: VideoFormat | None = None
        self._follows = follows
        # The number of frames that have arrived.
        self.received = 0
        properties = {
            "media.type": "Video",
            "media.category": "Capture",
            "media.role": "Camera",
            "node.name": name,
            "target.object": target,
        }
        formats = [any_format(group, *size, fps) for group in layouts]
        super().__init__(properties, formats, sends=False, follows=follows, connection=connection)

    @property
    def lost(self) -> bool:
        """Whether no further frame will arrive."""
        if self.state is StreamState.ERROR:
            return not self._follows
        return self.state is StreamState.UNCONNECTED

    def read(self, timeout_s: float) -> RawFrame | None:
        """Return the next unread frame.

        None if none arrives within `timeout_s` or the node is lost.
        """
        with self._arrived:
            self._arrived.wait_for(lambda: self._newest is not None or self.lost, timeout_s)
            frame = self._newest
            self._newest = None
            return frame

    def state_changed(self, state: StreamState) -> None:
        """Note the state, which ends `read` if the node is lost."""
        with self._arrived:
            self.state = state
            self._arrived.notify_all()

    def format_changed(self, video: VideoFormat | None) -> None:
        """Note the format and ask for memory that can be mapped."""
        self._video = video
        if video is not None:
            self.update([_TO_READ])

    def process(self) -> None:
        """Copy the newest buffer and give all back."""
        newest: RawFrame | None = None
        while (address := self.dequeue()) is not None:
            data, stride = _read_frame(address)
            if self._video is not None and data:
                newest = RawFrame(self._video, data, stride or self._video.stride)
                self.received += 1
            self.queue(address)
        if newest is not None:
            with self._arrived:
                self._newest = newest
                self._arrived.notify_all()
