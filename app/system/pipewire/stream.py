"""A stream of PipeWire with a thread of its own."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Protocol

from app.system.pipewire import library
from app.system.pipewire.pods import pod_bytes
from app.system.pipewire.video_format import PARAM_FORMAT

_ANY_NODE = 0xFFFFFFFF
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


class Direction(Enum):
    """Whether a stream receives or sends frames."""

    INPUT = 0
    OUTPUT = 1


class StreamFlags:
    """Flags of `Stream.connect`."""

    AUTOCONNECT = 1 << 0
    MAP_BUFFERS = 1 << 2
    DRIVER = 1 << 3
    DONT_RECONNECT = 1 << 7


class StreamListener(Protocol):
    """Receives the events of a stream on its thread, which holds the lock of the stream."""

    def state_changed(self, state: StreamState, error: str) -> None:
        """The state has changed; `error` is empty unless it failed."""
        ...

    def format_changed(self, pod: bytes | None) -> None:
        """A format was negotiated, or has ended (None)."""
        ...

    def add_buffer(self, address: int) -> None:
        """A buffer may be used from now on."""
        ...

    def remove_buffer(self, address: int) -> None:
        """A buffer may no longer be used."""
        ...

    def process(self) -> None:
        """A buffer can be dequeued."""
        ...


class Stream:
    """One stream over its own connection. Thread-safe under `locked`."""

    def __init__(self, properties: Mapping[str, str], listener: StreamListener, remote_fd: int | None = None) -> None:
        """properties: `node.name` and others. remote_fd: a socket that leads to a daemon, which is consumed; None: the
        daemon of the user's session. Raises OSError if the library is missing or no daemon answers.
        """
        self._library = library.load()
        self._listener = listener
        self._events = self._event_table()  # the library keeps its address
        self._hook = library.Hook()
        self._stream: int | None = None
        self._context: int | None = None
        self._loop: int | None = self._library.pw_thread_loop_new(b"pipewire", None)
        if not self._loop:
            raise OSError(errno.ENOMEM, "no PipeWire thread")
        try:
            self._open(properties, remote_fd)
        except OSError:
            self.close()
            raise

    def connect(self, direction: Direction, flags: int, formats: Sequence[bytes]) -> None:
        """Connect the stream with the formats that it offers or accepts. Raises OSError."""
        array, memory = library.parameters(list(formats))
        with self.locked():
            result = self._library.pw_stream_connect(
                self._stream, direction.value, _ANY_NODE, flags, array, len(formats)
            )
        del memory
        if result < 0:
            raise OSError(-result, os.strerror(-result))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the stream: no event is delivered meanwhile. Do not take another lock inside."""
        self._library.pw_thread_loop_lock(self._loop)
        try:
            yield
        finally:
            self._library.pw_thread_loop_unlock(self._loop)

    def update(self, parameters: Sequence[bytes]) -> None:
        """Answer a format with parameters (locked)."""
        array, memory = library.parameters(list(parameters))
        self._library.pw_stream_update_params(self._stream, array, len(parameters))
        del memory

    def dequeue(self) -> int | None:
        """Return the address of a free buffer; None if there is none (locked)."""
        address: int | None = self._library.pw_stream_dequeue_buffer(self._stream)
        return address

    def queue(self, address: int) -> None:
        """Give a buffer back: send it, or allow it to be filled again (locked)."""
        self._library.pw_stream_queue_buffer(self._stream, address)

    def trigger(self) -> None:
        """Run one cycle of the graph that this stream drives (locked)."""
        self._library.pw_stream_trigger_process(self._stream)

    def close(self) -> None:
        """Close stream, connection and thread. Idempotent."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        self._library.pw_thread_loop_stop(loop)
        if self._stream is not None:
            self._library.pw_stream_destroy(self._stream)
        if self._context is not None:
            self._library.pw_context_destroy(self._context)  # and its connection
        self._library.pw_thread_loop_destroy(loop)

    def _open(self, properties: Mapping[str, str], remote_fd: int | None) -> None:
        pipewire = self._library
        with self.locked():
            self._context = pipewire.pw_context_new(pipewire.pw_thread_loop_get_loop(self._loop), None, 0) or None
            if self._context is None:
                raise _last_error()
            if remote_fd is None:
                core = pipewire.pw_context_connect(self._context, None, 0)
            else:
                core = pipewire.pw_context_connect_fd(self._context, remote_fd, None, 0)
            if not core:
                raise _last_error()
            values = pipewire.pw_properties_new_string(b"")
            for key, value in properties.items():
                pipewire.pw_properties_set(values, key.encode(), value.encode())
            name = properties.get("node.name", "stream").encode()
            self._stream = pipewire.pw_stream_new(core, name, values) or None
            if self._stream is None:
                raise _last_error()
            pipewire.pw_stream_add_listener(self._stream, ctypes.byref(self._hook), ctypes.byref(self._events), None)
            pipewire.pw_thread_loop_start(self._loop)

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


def daemon_answers() -> bool:
    """Return whether the library is installed and the daemon of the user's session answers."""
    try:
        Stream({"node.name": "mattecam-probe"}, _Deaf()).close()
    except OSError:
        return False
    return True


class _Deaf:
    """Ignores every event."""

    def state_changed(self, state: StreamState, error: str) -> None: ...

    def format_changed(self, pod: bytes | None) -> None: ...

    def add_buffer(self, address: int) -> None: ...

    def remove_buffer(self, address: int) -> None: ...

    def process(self) -> None: ...


def _pod_at(address: int) -> bytes:
    return ctypes.string_at(address, pod_bytes(ctypes.string_at(address, 8)))


def _last_error() -> OSError:
    number = ctypes.get_errno() or errno.ECONNREFUSED
    return OSError(number, os.strerror(number))
