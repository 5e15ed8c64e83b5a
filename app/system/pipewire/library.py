"""The functions and structures of libpipewire that the program uses.

The layouts have not changed from version 0.3.40 to 1.4. Only fields that are read here are declared; newer versions
append further ones.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Sequence
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import TypeVar

LIBRARY = "libpipewire-0.3.so.0"

StateFunction = CFUNCTYPE(None, c_void_p, c_int, c_int, c_char_p)
ParamFunction = CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)
BufferFunction = CFUNCTYPE(None, c_void_p, c_void_p)
ProcessFunction = CFUNCTYPE(None, c_void_p)


class Chunk(Structure):
    """struct spa_chunk: the part of a memory block that is filled."""

    _fields_ = (("offset", c_uint32), ("size", c_uint32), ("stride", c_int32), ("flags", c_int32))


class Data(Structure):
    """struct spa_data: a memory block of a buffer."""

    _fields_ = (
        ("type", c_uint32),
        ("flags", c_uint32),
        ("fd", c_int64),
        ("mapoffset", c_uint32),
        ("maxsize", c_uint32),
        ("data", c_void_p),
        ("chunk", POINTER(Chunk)),
    )


class Meta(Structure):
    """struct spa_meta: data about a frame."""

    _fields_ = (("type", c_uint32), ("size", c_uint32), ("data", c_void_p))


class MetaHeader(Structure):
    """struct spa_meta_header: the time of a frame in nanoseconds, and its number."""

    _fields_ = (
        ("flags", c_uint32),
        ("offset", c_uint32),
        ("pts", c_int64),
        ("dts_offset", c_int64),
        ("seq", c_uint64),
    )


class SpaBuffer(Structure):
    """struct spa_buffer: the memory blocks and metadata of one frame."""

    _fields_ = (("n_metas", c_uint32), ("n_datas", c_uint32), ("metas", POINTER(Meta)), ("datas", POINTER(Data)))


class Buffer(Structure):
    """struct pw_buffer."""

    _fields_ = (("buffer", POINTER(SpaBuffer)),)


class StreamEvents(Structure):
    """struct pw_stream_events, version 2."""

    _fields_ = (
        ("version", c_uint32),
        ("destroy", c_void_p),
        ("state_changed", StateFunction),
        ("control_info", c_void_p),
        ("io_changed", c_void_p),
        ("param_changed", ParamFunction),
        ("add_buffer", BufferFunction),
        ("remove_buffer", BufferFunction),
        ("process", ProcessFunction),
        ("drained", c_void_p),
        ("command", c_void_p),
        ("trigger_done", c_void_p),
    )


class Interface(Structure):
    """struct spa_interface: an object with a table of methods, which are inline functions in C."""

    _fields_ = (("type", c_char_p), ("version", c_uint32), ("methods", c_void_p), ("data", c_void_p))


class Loop(Structure):
    """struct pw_loop."""

    _fields_ = (("system", c_void_p), ("loop", c_void_p))


Invoke = CFUNCTYPE(c_int, c_void_p, c_void_p, c_uint32, c_void_p, c_size_t, c_bool, c_void_p)


class LoopMethods(Structure):
    """struct spa_loop_methods."""

    _fields_ = (
        ("version", c_uint32),
        ("add_source", c_void_p),
        ("update_source", c_void_p),
        ("remove_source", c_void_p),
        ("invoke", Invoke),
    )


class Hook(Structure):
    """struct spa_hook: a registered listener. Its content belongs to the library."""

    _fields_ = (("words", c_void_p * 6),)


_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "pw_init": (None, (c_void_p, c_void_p)),
    "pw_log_set_level": (None, (c_int,)),
    "pw_get_library_version": (c_char_p, ()),
    "pw_thread_loop_new": (c_void_p, (c_char_p, c_void_p)),
    "pw_thread_loop_get_loop": (c_void_p, (c_void_p,)),
    "pw_thread_loop_start": (c_int, (c_void_p,)),
    "pw_thread_loop_stop": (None, (c_void_p,)),
    "pw_thread_loop_lock": (None, (c_void_p,)),
    "pw_thread_loop_unlock": (None, (c_void_p,)),
    "pw_thread_loop_destroy": (None, (c_void_p,)),
    "pw_context_new": (c_void_p, (c_void_p, c_void_p, c_size_t)),
    "pw_context_connect": (c_void_p, (c_void_p, c_void_p, c_size_t)),
    "pw_context_connect_fd": (c_void_p, (c_void_p, c_int, c_void_p, c_size_t)),
    "pw_context_destroy": (None, (c_void_p,)),
    "pw_properties_new_string": (c_void_p, (c_char_p,)),
    "pw_properties_set": (c_int, (c_void_p, c_char_p, c_char_p)),
    "pw_stream_new": (c_void_p, (c_void_p, c_char_p, c_void_p)),
    "pw_stream_add_listener": (None, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "pw_stream_connect": (c_int, (c_void_p, c_int, c_uint32, c_int, c_void_p, c_uint32)),
    "pw_stream_update_params": (c_int, (c_void_p, c_void_p, c_uint32)),
    "pw_stream_dequeue_buffer": (c_void_p, (c_void_p,)),
    "pw_stream_queue_buffer": (c_int, (c_void_p, c_void_p)),
    "pw_stream_trigger_process": (c_int, (c_void_p,)),
    "pw_stream_disconnect": (c_int, (c_void_p,)),
    "pw_stream_destroy": (None, (c_void_p,)),
}


S = TypeVar("S", bound=Structure)


def methods_of(address: int, kind: type[S]) -> tuple[int, S]:
    """Return the object's first argument and its table of methods."""
    interface = Interface.from_address(address)
    return interface.data, kind.from_address(interface.methods)


@functools.cache
def load() -> ctypes.CDLL:
    """Load and initialize the library. Raises OSError if it is missing or too old."""
    library = ctypes.CDLL(LIBRARY, use_errno=True)
    for name, (result, arguments) in _SIGNATURES.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise OSError(f"{LIBRARY} has no {name}") from error
        function.restype, function.argtypes = result, arguments
    library.pw_init(None, None)
    if "PIPEWIRE_DEBUG" not in os.environ:
        library.pw_log_set_level(0)  # it would print to standard error
    return library


def parameters(pods: Sequence[bytes]) -> ctypes.Array[c_char_p]:
    """Return an array of pointers to `pods`, which keeps them in memory."""
    return (c_char_p * len(pods))(*pods)
