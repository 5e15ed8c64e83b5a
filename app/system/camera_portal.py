"""The camera portal of the desktop, which lets sandboxed programs use cameras (Linux, D-Bus)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from jeepney import DBusAddress, Properties, new_method_call
from jeepney.io.blocking import DBusConnection

from app.system.portal import QUESTION_S, Portal, PortalError, PortalFault, call, connect

_INTERFACE = "org.freedesktop.portal.Camera"
_STORE = DBusAddress(
    "/org/freedesktop/impl/portal/PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
)


def read_permissions() -> Mapping[str, str]:
    """Return the stored answers (`yes`, `no`, `ask`) by the program's id; the user is not asked anything.

    The id of programs outside a sandbox is empty. Raises PortalError where there is no portal.
    """
    with closing(connect()) as bus:
        camera = Properties(Portal(bus, _INTERFACE).address)
        call(bus, camera.get("IsCameraPresent"), PortalFault.NO_PORTAL)
        return _permissions(bus)


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
