"""A connection to the PipeWire daemon, the functions and structures of libpipewire, and the
cameras that it lists.

The layouts have not changed from version 0.3.40 to 1.4. Only fields that are read here are
declared; newer versions append further ones.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import CFUNCTYPE, Structure, c_bool, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from dataclasses import dataclass
from typing import Any

LIBRARY = "libpipewire-0.3.so.0"

# struct spa_hook: a registered listener. Its content belongs to the library.
Hook = c_void_p * 6


class _Interface(Structure):
    """struct spa_interface: an object with a table of methods, which are inline functions in C."""

    _fields_ = (
        ("type", c_char_p),
        ("version", c_uint32),
        ("methods", c_void_p),
        ("data", c_void_p),
    )


def _call(address: int, method: tuple[int, Any], *arguments: object) -> Any:
    """Call a method of an object.

    method: its number in the table, which begins with the version, and its prototype.
    """
    number, prototype = method
    interface = _Interface.from_address(address)
    entry = c_void_p.from_address(interface.methods + number * ctypes.sizeof(c_void_p))
    return prototype(entry.value)(interface.data, *arguments)


_LOOP_INVOKE = (
    4,
    CFUNCTYPE(c_int, c_void_p, c_void_p, c_uint32, c_void_p, c_size_t, c_bool, c_void_p),
)
# Of the core and of the registry.
_ADD_LISTENER = 1, CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_void_p)
_CORE_SYNC = 3, CFUNCTYPE(c_int, c_void_p, c_uint32, c_int)
_CORE_GET_REGISTRY = 6, CFUNCTYPE(c_void_p, c_void_p, c_uint32, c_size_t)
_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "pw_init": (None, (c_void_p, c_void_p)),
    "pw_log_set_level": (None, (c_int,)),
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


@functools.cache
def load() -> ctypes.CDLL:
    """Load and initialize the library. Raises OSError if it is missing or too old."""
    library = ctypes.CDLL(LIBRARY, use_errno=True)
    for name, (result, arguments) in _SIGNATURES.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise OSError(f"{LIBRARY} has no {name}") from error
        function.restype = result
        function.argtypes = arguments
    library.pw_init(None, None)
    if "PIPEWIRE_DEBUG" not in os.environ:
        library.pw_log_set_level(0)  # it would print to standard error
    return library


class Connection:
    """Thread-safe under `locked`."""

    def __init__(self, remote_fd: int | None = None) -> None:
        """remote_fd: a socket that leads to a daemon, which is consumed; None: the daemon of the
        user's session.
        Raises OSError if the library is missing or no daemon answers.
        """
        # What must stay in memory as long as events arrive.
        self.listeners: list[object] = []
        # The portal hides every node; the session manager, another process, then grants
        # the cameras.
        self.is_granted_later = remote_fd is not None
        self._context: int | None = None
        try:
            self.library = load()
            self._loop: int | None = self.library.pw_thread_loop_new(b"pipewire", None)
            if not self._loop:
                raise OSError(errno.ENOMEM, "no PipeWire thread")
        except OSError:
            if remote_fd is not None:
                os.close(remote_fd)
            raise
        try:
            # Address of the daemon's object.
            self.core = self._connect(remote_fd)
        except OSError:
            self.close()
            raise

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock: no event is delivered meanwhile. Do not take another lock inside."""
        self.library.pw_thread_loop_lock(self._loop)
        try:
            yield
        finally:
            self.library.pw_thread_loop_unlock(self._loop)

    def flush(self) -> None:
        """Wait until the thread has delivered the events that are queued (locked; the lock is
        released meanwhile).
        """
        # struct pw_loop has the addresses of two objects. A call that blocks is done after all
        # events that were queued before it.
        address = self.library.pw_thread_loop_get_loop(self._loop)
        _system, loop = (c_size_t * 2).from_address(address)
        _call(loop, _LOOP_INVOKE, None, 0, None, 0, True, None)

    def close(self) -> None:
        """Disconnect and end the thread. Idempotent."""
        loop = self._loop
        self._loop = None
        if loop is None:
            return
        self.library.pw_thread_loop_stop(loop)
        if self._context is not None:
            self.library.pw_context_destroy(self._context)  # and its connection
        self.library.pw_thread_loop_destroy(loop)

    def _connect(self, remote_fd: int | None) -> int:
        pipewire = self.library
        with self.locked():
            loop = pipewire.pw_thread_loop_get_loop(self._loop)
            self._context = pipewire.pw_context_new(loop, None, 0) or None
            if self._context is None:
                raise last_error()
            if remote_fd is None:
                core: int | None = pipewire.pw_context_connect(self._context, None, 0)
            else:
                core = pipewire.pw_context_connect_fd(self._context, remote_fd, None, 0)
            if not core:
                raise last_error()
            pipewire.pw_thread_loop_start(self._loop)
            return core


def daemon_answers() -> bool:
    """Return whether the library is installed and the daemon of the user's session answers."""
    try:
        Connection().close()
    except OSError:
        return False
    return True


def last_error() -> OSError:
    """Return the error of the last call of the library."""
    number = ctypes.get_errno() or errno.ECONNREFUSED
    return OSError(number, os.strerror(number))


# Name of this program's own camera, which is never a source.
OWN_NODE = "mattecam"
_REGISTRY_VERSION = 3
_LISTING_S = 2.0
# How long a camera is waited for that the session manager may still grant.
GRANT_S = 2.0
_NODE_TYPE = b"PipeWire:Interface:Node"
_CAMERA_CLASS = "Video/Source"
# Captured screens are of another role; some cameras name none.
_CAMERA_ROLES = ("Camera", None)


@dataclass(frozen=True, slots=True)
class ListedCamera:
    """A camera of PipeWire."""

    # Identifies the node for `NodeReader` while it exists.
    serial: str
    # Stable across restarts.
    name: str
    title: str
    # The V4L2 device that the frames come from; empty for another kind of camera.
    device: str = ""


class _Dict(Structure):
    """struct spa_dict: pairs of strings, a key and its value."""

    _fields_ = (("flags", c_uint32), ("n_items", c_uint32), ("items", c_void_p))


_Done = CFUNCTYPE(None, c_void_p, c_uint32, c_int)
_Global = CFUNCTYPE(None, c_void_p, c_uint32, c_uint32, c_char_p, c_uint32, c_void_p)


class _CoreEvents(Structure):
    _fields_ = (
        ("version", c_uint32),
        ("info", c_void_p),
        ("done", _Done),
        ("others", c_void_p * 8),
    )


class _RegistryEvents(Structure):
    _fields_ = (("version", c_uint32), ("global_added", _Global), ("global_removed", c_void_p))


def list_cameras(
    connection: Connection,
    has_needed: Callable[[Sequence[ListedCamera]], bool] = bool,
) -> tuple[ListedCamera, ...]:
    """Return the cameras of other programs and devices, in the order in which they were added.

    has_needed: whether these are enough; a connection of the portal waits for further ones. Raises
    OSError.
    """
    listed = threading.Event()
    changed = threading.Condition()
    cameras: list[ListedCamera] = []

    def added(
        _data: int,
        _id: int,
        _permissions: int,
        kind: bytes,
        _version: int,
        properties: int | None,
    ) -> None:
        if kind != _NODE_TYPE or not properties:
            return
        known = _texts(_Dict.from_address(properties))
        name = known.get("node.name", "")
        if known.get("media.class") != _CAMERA_CLASS or name == OWN_NODE:
            return
        if known.get("media.role") not in _CAMERA_ROLES:
            return
        title = known.get("node.description") or known.get("node.nick") or name
        api, _, device = known.get("object.path", "").partition(":")
        if api != "v4l2":
            device = ""
        serial = known.get("object.serial", name)
        with changed:
            cameras.append(ListedCamera(serial, name, title, device))
            changed.notify()

    core_hook = Hook()
    registry_hook = Hook()
    core_events = _CoreEvents(done=_Done(lambda _data, _id, _seq: listed.set()))
    registry_events = _RegistryEvents(global_added=_Global(added))
    connection.listeners += [core_hook, registry_hook, core_events, registry_events]
    with connection.locked():
        _call(
            connection.core,
            _ADD_LISTENER,
            ctypes.addressof(core_hook),
            ctypes.addressof(core_events),
            None,
        )
        registry = _call(connection.core, _CORE_GET_REGISTRY, _REGISTRY_VERSION, 0)
        if not registry:
            raise last_error()
        _call(
            registry,
            _ADD_LISTENER,
            ctypes.addressof(registry_hook),
            ctypes.addressof(registry_events),
            None,
        )
        # The daemon answers in order: after all that it has listed.
        _call(connection.core, _CORE_SYNC, 0, 0)
    listed.wait(_LISTING_S)
    with changed:
        if connection.is_granted_later:
            changed.wait_for(lambda: has_needed(cameras), GRANT_S)
        return tuple(cameras)


def _texts(pairs: _Dict) -> dict[str, str]:
    if not pairs.n_items:
        return {}
    words = (c_char_p * (2 * pairs.n_items)).from_address(pairs.items)
    texts = [(word or b"").decode("utf-8", "replace") for word in words]
    return dict(zip(texts[::2], texts[1::2], strict=True))
