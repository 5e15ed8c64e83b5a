"""The camera portal of the desktop, which lets sandboxed programs use cameras (Linux, D-Bus)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from jeepney import DBusAddress, Properties, new_method_call
from jeepney.io.blocking import DBusConnection

from app.system.portal import QUESTION_S, Portal, PortalError, PortalFault, call, connect

_INTERFACE = "org.freedesktop.portal.Camera"
_STORE = DBusAddress(
    "/org/freedesktop/impl/portal/PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
)


@dataclass(frozen=True, slots=True)
class PortalState:
    """What the portal says without being asked for a camera."""

    camera_present: bool
    permissions: Mapping[str, str]
    """Stored answers (`yes`, `no`, `ask`) by the program's id; the id of programs outside a sandbox is empty."""


def read_portal() -> PortalState:
    """Return the state of the portal; the user is not asked anything. Raises PortalError."""
    with closing(connect()) as bus:
        camera = Properties(Portal(bus, _INTERFACE).address)
        (present,) = call(bus, camera.get("IsCameraPresent"), PortalFault.NO_PORTAL)
        return PortalState(bool(present[1]), _permissions(bus))


def open_cameras(question_s: float = QUESTION_S) -> int:
    """Ask for access to the cameras and return a socket to a PipeWire that shows these alone; the caller closes it.

    The desktop may ask the user, who has `question_s` to answer. Raises PortalError.
    """
    with closing(connect()) as bus:
        portal = Portal(bus, _INTERFACE, question_s)
        portal.request("AccessCamera")
        return portal.open_remote()


def _permissions(bus: DBusConnection) -> Mapping[str, str]:
    try:
        stored, _ = call(bus, new_method_call(_STORE, "Lookup", "ss", ("devices", "camera")), PortalFault.NO_PORTAL)
    except PortalError:  # nothing was ever asked
        return {}
    return {program: answer[0] for program, answer in stored.items() if answer}
