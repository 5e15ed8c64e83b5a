"""List the cameras that PipeWire offers."""

from __future__ import annotations

import ctypes
import threading
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from dataclasses import dataclass

from app.system.pipewire.connection import Connection, last_error
from app.system.pipewire.library import Hook, methods_of

OWN_NODE = "mattecam"
"""Name of this program's own camera, which is never a source."""
_REGISTRY_VERSION = 3
_LISTING_S = 2.0
_NODE_TYPE = b"PipeWire:Interface:Node"
_CAMERA_CLASS = "Video/Source"
_CAMERA_ROLES = ("Camera", None)
"""Captured screens are of another role; some cameras name none."""


@dataclass(frozen=True, slots=True)
class ListedCamera:
    """A camera of PipeWire."""

    serial: str
    """Identifies the node for `NodeReader` while it exists."""
    name: str
    """Stable across restarts."""
    title: str
    device: str = ""
    """The V4L2 device that the frames come from; empty for another kind of camera."""


class _DictItem(Structure):
    _fields_ = (("key", c_char_p), ("value", c_char_p))


class _Dict(Structure):
    _fields_ = (("flags", c_uint32), ("n_items", c_uint32), ("items", POINTER(_DictItem)))


_AddListener = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_void_p)
_Sync = CFUNCTYPE(c_int, c_void_p, c_uint32, c_int)
_GetRegistry = CFUNCTYPE(c_void_p, c_void_p, c_uint32, c_size_t)
_Done = CFUNCTYPE(None, c_void_p, c_uint32, c_int)
_Global = CFUNCTYPE(None, c_void_p, c_uint32, c_uint32, c_char_p, c_uint32, POINTER(_Dict))


class _CoreMethods(Structure):
    _fields_ = (
        ("version", c_uint32),
        ("add_listener", _AddListener),
        ("hello", c_void_p),
        ("sync", _Sync),
        ("pong", c_void_p),
        ("error", c_void_p),
        ("get_registry", _GetRegistry),
    )


class _CoreEvents(Structure):
    _fields_ = (("version", c_uint32), ("info", c_void_p), ("done", _Done), ("others", c_void_p * 8))


class _RegistryMethods(Structure):
    _fields_ = (("version", c_uint32), ("add_listener", _AddListener))


class _RegistryEvents(Structure):
    _fields_ = (("version", c_uint32), ("global_added", _Global), ("global_removed", c_void_p))


def list_cameras(connection: Connection) -> tuple[ListedCamera, ...]:
    """Return the cameras of other programs and devices, in the order in which they were added. Raises OSError."""
    listed = threading.Event()
    cameras: list[ListedCamera] = []

    def added(
        _data: int, _id: int, _permissions: int, kind: bytes, _version: int, properties: ctypes._Pointer[_Dict]
    ) -> None:
        if kind != _NODE_TYPE or not properties:
            return
        items = properties.contents
        known = {_text(items.items[n].key): _text(items.items[n].value) for n in range(items.n_items)}
        name = known.get("node.name", "")
        is_camera = known.get("media.class") == _CAMERA_CLASS and known.get("media.role") in _CAMERA_ROLES
        if is_camera and name != OWN_NODE:
            title = known.get("node.description") or known.get("node.nick") or name
            api, _, device = known.get("object.path", "").partition(":")
            cameras.append(ListedCamera(known.get("object.serial", name), name, title, device if api == "v4l2" else ""))

    hooks = Hook(), Hook()
    core_events = _CoreEvents(done=_Done(lambda _data, _id, _seq: listed.set()))
    registry_events = _RegistryEvents(global_added=_Global(added))
    connection.listeners += [hooks, core_events, registry_events]
    with connection.locked():
        core, methods = methods_of(connection.core, _CoreMethods)
        methods.add_listener(core, ctypes.addressof(hooks[0]), ctypes.addressof(core_events), None)
        registry = methods.get_registry(core, _REGISTRY_VERSION, 0)
        if not registry:
            raise last_error()
        target, listing = methods_of(registry, _RegistryMethods)
        listing.add_listener(target, ctypes.addressof(hooks[1]), ctypes.addressof(registry_events), None)
        methods.sync(core, 0, 0)
    listed.wait(_LISTING_S)
    with connection.locked():
        return tuple(cameras)


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")
