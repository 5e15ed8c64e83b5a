"""A stream of PipeWire."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from enum import Enum

from app.system.pipewire import library
from app.system.pipewire.connection import Connection, last_error
from app.system.pipewire.pods import pod_bytes
from app.system.pipewire.video_format import PARAM_FORMAT

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
        self._hook = library.Hook()
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
                self._stream, direction, node, flags, library.parameters(formats), len(formats)
            )
        if result < 0:
            raise OSError(-result, os.strerror(-result))

    def update(self, parameters: Sequence[bytes]) -> None:
        """Answer a format with parameters, unless the stream is closed (locked)."""
        if self._stream is not None:
            self._library.pw_stream_update_params(self._stream, library.parameters(parameters), len(parameters))

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

    def _event_table(self) -> library.StreamEvents:
        listener = self._listener

        def state_changed(_data: int, _old: int, new: int, error: bytes | None) -> None:
            listener.state_changed(StreamState(new), (error or b"").decode("utf-8", "replace"))

        def param_changed(_data: int, identity: int, address: int | None) -> None:
            if identity == PARAM_FORMAT:
                listener.format_changed(_pod_at(address) if address else None)

        return library.StreamEvents(
            version=_EVENTS_VERSION,
            state_changed=library.StateFunction(state_changed),
            param_changed=library.ParamFunction(param_changed),
            add_buffer=library.BufferFunction(lambda _data, address: listener.add_buffer(address)),
            remove_buffer=library.BufferFunction(lambda _data, address: listener.remove_buffer(address)),
            process=library.ProcessFunction(lambda _data: listener.process()),
        )


def _pod_at(address: int) -> bytes:
    return ctypes.string_at(address, pod_bytes(ctypes.string_at(address, 8)))
