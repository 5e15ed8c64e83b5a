"""Sources of the sound server and their samples, by ctypes on libpulse (Linux).

PulseAudio and PipeWire answer its protocol. The structures have not changed since version 1.0 of
the library; only fields that are read here, and those before them, are declared.

The simple API of the library (libpulse-simple) does not serve: its streams may be moved. With one
of them, the server records another source without a word where the wanted one is missing or goes.
"""

from __future__ import annotations

import ctypes
import functools
import time
from collections.abc import Callable
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_size_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from dataclasses import dataclass
from typing import Any

LIBRARY = "libpulse.so.0"

_READY = 2
# States of a stream; later ones are those of an end as well.
_FAILED = 3
# Of a connection; later states are those of an end.
_CONTEXT_READY = 4
_UNSET = 0xFFFFFFFF
_S16LE = 3
_EVENTS_OF_SOURCES = 0x0002
# Among them that another source is the default.
_EVENTS_OF_SERVER = 0x0080
_INTERPOLATE_TIMING = 0x0002
_AUTO_TIMING_UPDATE = 0x0008
# Without it, PipeWire records another source where the
# wanted one is missing, and both servers where it goes.
_DONT_MOVE = 0x0200
_ADJUST_LATENCY = 0x2000

_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "pa_mainloop_new": (c_void_p, ()),
    "pa_mainloop_get_api": (c_void_p, (c_void_p,)),
    "pa_mainloop_prepare": (c_int, (c_void_p, c_int)),
    "pa_mainloop_poll": (c_int, (c_void_p,)),
    "pa_mainloop_dispatch": (c_int, (c_void_p,)),
    "pa_mainloop_free": (None, (c_void_p,)),
    "pa_context_new": (c_void_p, (c_void_p, c_char_p)),
    "pa_context_connect": (c_int, (c_void_p, c_char_p, c_int, c_void_p)),
    "pa_context_get_state": (c_int, (c_void_p,)),
    "pa_context_set_subscribe_callback": (None, (c_void_p, c_void_p, c_void_p)),
    "pa_context_subscribe": (c_void_p, (c_void_p, c_int, c_void_p, c_void_p)),
    "pa_context_get_server_info": (c_void_p, (c_void_p, c_void_p, c_void_p)),
    "pa_context_get_source_info_list": (c_void_p, (c_void_p, c_void_p, c_void_p)),
    "pa_context_disconnect": (None, (c_void_p,)),
    "pa_context_unref": (None, (c_void_p,)),
    "pa_operation_unref": (None, (c_void_p,)),
    "pa_stream_new": (c_void_p, (c_void_p, c_char_p, c_void_p, c_void_p)),
    "pa_stream_connect_record": (c_int, (c_void_p, c_char_p, c_void_p, c_int)),
    "pa_stream_get_state": (c_int, (c_void_p,)),
    "pa_stream_get_device_name": (c_char_p, (c_void_p,)),
    "pa_stream_peek": (c_int, (c_void_p, c_void_p, c_void_p)),
    "pa_stream_drop": (c_int, (c_void_p,)),
    "pa_stream_get_latency": (c_int, (c_void_p, c_void_p, c_void_p)),
    "pa_stream_disconnect": (c_int, (c_void_p,)),
    "pa_stream_unref": (None, (c_void_p,)),
}


class _SampleSpec(Structure):
    _fields_ = (("format", c_int), ("rate", c_uint32), ("channels", c_uint8))


class _ChannelMap(Structure):
    _fields_ = (("channels", c_uint8), ("map", c_int * 32))


class _Volume(Structure):
    _fields_ = (("channels", c_uint8), ("values", c_uint32 * 32))


class _BufferAttributes(Structure):
    _fields_ = (
        ("maxlength", c_uint32),
        ("tlength", c_uint32),
        ("prebuf", c_uint32),
        ("minreq", c_uint32),
        ("fragsize", c_uint32),
    )


class _SourceInfo(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("index", c_uint32),
        ("description", c_char_p),
        ("sample_spec", _SampleSpec),
        ("channel_map", _ChannelMap),
        ("owner_module", c_uint32),
        ("volume", _Volume),
        ("mute", c_int),
        ("monitor_of_sink", c_uint32),
    )


class _ServerInfo(Structure):
    _fields_ = (
        ("user_name", c_char_p),
        ("host_name", c_char_p),
        ("server_version", c_char_p),
        ("server_name", c_char_p),
        ("sample_spec", _SampleSpec),
        ("default_sink_name", c_char_p),
        ("default_source_name", c_char_p),
    )


_Changed = CFUNCTYPE(None, c_void_p, c_int, c_uint32, c_void_p)
_ServerAnswer = CFUNCTYPE(None, c_void_p, POINTER(_ServerInfo), c_void_p)
_SourceAnswer = CFUNCTYPE(None, c_void_p, POINTER(_SourceInfo), c_int, c_void_p)


@functools.cache
def load() -> ctypes.CDLL:
    """Load the library. Raises OSError if it is missing or too old."""
    library = ctypes.CDLL(LIBRARY)
    for name, (result, arguments) in _SIGNATURES.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise OSError(f"{LIBRARY} has no {name}") from error
        function.restype = result
        function.argtypes = arguments
    return library


@dataclass(frozen=True, slots=True)
class Source:
    """What can be recorded."""

    # Stable across restarts.
    name: str
    # What the system shows.
    title: str
    # Whether it is what a loudspeaker plays, such as the other people in a call.
    is_monitor: bool


class SoundServer:
    """A connection to the sound server of the user's session.

    Used on one thread, which also runs its events.
    """

    def __init__(self, timeout_s: float = 3.0) -> None:
        """Connect and list the sources.

        Raises OSError: the library is missing, or no server answers in this time.
        """
        self._pulse = load()
        self._loop: int | None = self._pulse.pa_mainloop_new()
        self._context: int | None = self._pulse.pa_context_new(
            self._pulse.pa_mainloop_get_api(self._loop),
            b"Mattecam",
        )
        # Those that there are now, by name.
        self.sources: dict[str, Source] = {}
        # The name of the one that the user has chosen in the system; `sources` may lack it.
        self.default_source = ""
        self._lists_are_outdated = True
        self._unanswered_questions = 0
        # The library keeps the addresses of these functions.
        self._on_change = _Changed(self._changed)
        self._on_server = _ServerAnswer(self._take_server)
        self._on_source = _SourceAnswer(self._take_source)
        # Part of the list that is arriving.
        self._listed: dict[str, Source] = {}
        try:
            self._connect(time.monotonic() + timeout_s)
        except OSError:
            self.close()
            raise

    @property
    def is_connected(self) -> bool:
        """Whether the server still answers."""
        return bool(self._pulse.pa_context_get_state(self._context) == _CONTEXT_READY)

    def wait(self, timeout_s: float) -> None:
        """Return once something has happened, or after so many seconds.

        Lists and streams change only here.
        """
        if self._lists_are_outdated and self._unanswered_questions == 0 and self.is_connected:
            self._ask()
        self._pulse.pa_mainloop_prepare(self._loop, round(timeout_s * 1e6))
        self._pulse.pa_mainloop_poll(self._loop)
        self._pulse.pa_mainloop_dispatch(self._loop)

    def record(self, source: str, rate: int, block_bytes: int) -> SourceStream:
        """Begin to record a source in mono, 16 bits. block_bytes: wanted length of a block."""
        return SourceStream(self._pulse, self._context, source, rate, block_bytes)

    def close(self) -> None:
        """Disconnect; streams must be closed before. Idempotent."""
        context = self._context
        loop = self._loop
        self._context = None
        self._loop = None
        if context is not None:
            self._pulse.pa_context_disconnect(context)
            self._pulse.pa_context_unref(context)
        if loop is not None:
            self._pulse.pa_mainloop_free(loop)

    def _connect(self, deadline_s: float) -> None:
        pulse = self._pulse
        if pulse.pa_context_connect(self._context, None, 0, None) < 0:
            raise ConnectionError("no sound server")
        self._wait_until(lambda: self.is_connected, deadline_s)
        # Before the first list, so that no change is missed.
        pulse.pa_context_set_subscribe_callback(self._context, self._on_change, None)
        events = _EVENTS_OF_SOURCES | _EVENTS_OF_SERVER
        self._release(pulse.pa_context_subscribe(self._context, events, None, None))
        self._wait_until(
            lambda: not self._lists_are_outdated and self._unanswered_questions == 0,
            deadline_s,
        )

    def _wait_until(self, condition: Callable[[], bool], deadline_s: float) -> None:
        while not condition():
            remaining_s = deadline_s - time.monotonic()
            if remaining_s <= 0 or self._pulse.pa_context_get_state(self._context) > _CONTEXT_READY:
                raise ConnectionError("the sound server does not answer")
            self.wait(min(remaining_s, 0.1))

    def _ask(self) -> None:
        pulse = self._pulse
        self._lists_are_outdated = False
        self._listed = {}
        self._unanswered_questions = 2
        self._release(pulse.pa_context_get_server_info(self._context, self._on_server, None))
        self._release(pulse.pa_context_get_source_info_list(self._context, self._on_source, None))

    def _release(self, operation: int | None) -> None:
        if operation:
            self._pulse.pa_operation_unref(operation)

    def _changed(self, _context: int, _event: int, _index: int, _data: int) -> None:
        self._lists_are_outdated = True

    def _take_server(self, _context: int, info: Any, _data: int) -> None:
        self._unanswered_questions -= 1
        if info:
            self.default_source = _text(info.contents.default_source_name)

    def _take_source(self, _context: int, info: Any, end: int, _data: int) -> None:
        if end:  # of the list, or an error
            self._unanswered_questions -= 1
            self.sources = self._listed
            return
        found = info.contents
        name = _text(found.name)
        title = _text(found.description) or name
        self._listed[name] = Source(name, title, found.monitor_of_sink != _UNSET)


class SourceStream:
    """Samples of one source, which the server may not replace. Used on the thread of its server."""

    def __init__(
        self,
        pulse: ctypes.CDLL,
        context: int | None,
        source: str,
        rate: int,
        block_bytes: int,
    ) -> None:
        """rate: samples per second. block_bytes: wanted length of a block."""
        self._pulse = pulse
        sample_spec = _SampleSpec(_S16LE, rate, 1)
        attributes = _BufferAttributes(_UNSET, _UNSET, _UNSET, _UNSET, block_bytes)
        flags = _DONT_MOVE | _INTERPOLATE_TIMING | _AUTO_TIMING_UPDATE | _ADJUST_LATENCY
        self._stream: int | None = pulse.pa_stream_new(
            context,
            b"Recording",
            byref(sample_spec),
            None,
        )
        if not self._stream:
            return
        device = source.encode()
        if pulse.pa_stream_connect_record(self._stream, device, byref(attributes), flags) < 0:
            self.close()

    @property
    def is_lost(self) -> bool:
        """Whether no further sound will come: the source is missing, or has gone."""
        return self._state > _READY

    @property
    def source(self) -> str:
        """Name of the source that the server connects the stream to.

        Empty while it connects to none.
        """
        if self._state != _READY:
            return ""
        return _text(self._pulse.pa_stream_get_device_name(self._stream))

    def read(self) -> tuple[bytes, float]:
        """Return the samples that have arrived, and the age in seconds of the last one.

        No bytes if none have.
        """
        parts: list[bytes] = []
        if self._state != _READY:
            return b"", 0.0
        peek = self._pulse.pa_stream_peek
        address = c_void_p()
        length = c_size_t()
        while peek(self._stream, byref(address), byref(length)) >= 0 and length.value > 0:
            if address:
                parts.append(ctypes.string_at(address, length.value))
            else:
                # A hole, which the server leaves when this program was too slow: silence.
                parts.append(bytes(length.value))
            self._pulse.pa_stream_drop(self._stream)
        return b"".join(parts), self._age_s()

    def close(self) -> None:
        """End the stream. Idempotent."""
        stream = self._stream
        self._stream = None
        if stream is not None:
            self._pulse.pa_stream_disconnect(stream)
            self._pulse.pa_stream_unref(stream)

    @property
    def _state(self) -> int:
        # The library ends the process where it is given no stream.
        if not self._stream:
            return _FAILED
        return int(self._pulse.pa_stream_get_state(self._stream))

    def _age_s(self) -> float:
        """Return the age of the sample that is read next; 0 while the server has not told it."""
        latency_us = c_uint64()
        is_negative = c_int()
        get_latency = self._pulse.pa_stream_get_latency
        if get_latency(self._stream, byref(latency_us), byref(is_negative)) < 0:
            return 0.0
        # What a loudspeaker plays is recorded before it is heard. How long before is known too
        # badly to be used: on a busy machine, the value wanders by 130 ms.
        if is_negative.value:
            return 0.0
        return latency_us.value / 1e6


def _text(name: bytes | None) -> str:
    return (name or b"").decode("utf-8", "replace")
