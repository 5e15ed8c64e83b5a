"""Calls to the portals of the desktop (Linux, D-Bus), and the one that lets sandboxed programs
use cameras.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Mapping
from contextlib import closing
from enum import Enum
from typing import Any

from jeepney import (
    DBusAddress,
    DBusErrorResponse,
    MatchRule,
    Message,
    MessageType,
    Properties,
    new_method_call,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection
from jeepney.wrappers import unwrap_msg

from app.core.errors import t

DESKTOP_PATH = "/org/freedesktop/portal/desktop"
DESKTOP_NAME = "org.freedesktop.portal.Desktop"
ANSWER_S = 5.0
_REQUEST = "org.freedesktop.portal.Request"
_CAMERAS = DBusAddress(DESKTOP_PATH, DESKTOP_NAME, "org.freedesktop.portal.Camera")
_STORE = DBusAddress(
    "/org/freedesktop/impl/portal/PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
)
_GRANTED = 0
_REFUSED = 1
# Each request of a process needs a token of its own.
_tokens = itertools.count(1)


class PortalFault(Enum):
    """Why a portal gives nothing."""

    NO_PORTAL = t(
        "The desktop has no camera portal; install xdg-desktop-portal with the backend of the "
        "desktop, or choose another source."
    )
    REFUSED = t(
        "The desktop refused access to its cameras; allow it in the privacy settings, or choose "
        "another source.",
    )
    NO_ANSWER = t(
        "The question of the desktop about the camera was not answered; answer it, or choose "
        "another source.",
    )


class PortalError(Exception):
    """A portal gives nothing."""

    def __init__(self, fault: PortalFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def connect() -> DBusConnection:
    """Return a connection to the session bus; the caller closes it. Raises PortalError."""
    try:
        return open_dbus_connection(enable_fds=True, auth_timeout=ANSWER_S)
    # RuntimeError: an address without a path.
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise PortalError(PortalFault.NO_PORTAL) from error


def call(bus: DBusConnection, message: Message, fault: PortalFault) -> tuple[Any, ...]:
    """Return the body of the answer; raise PortalError with `fault` for an error."""
    try:
        answer = bus.send_and_get_reply(message, timeout=ANSWER_S)
    except (TimeoutError, OSError) as error:
        raise PortalError(PortalFault.NO_ANSWER) from error
    if answer.header.message_type is MessageType.error:
        raise PortalError(fault) from DBusErrorResponse(answer)
    body: tuple[Any, ...] = unwrap_msg(answer)
    return body


def _request(bus: DBusConnection, member: str, question_s: float) -> None:
    """Make a call to the portal for cameras that the user may have `question_s` to answer.

    Raises PortalError.
    """
    token = f"mattecam{os.getpid()}_{next(_tokens)}"
    message = new_method_call(_CAMERAS, member, "a{sv}", ({"handle_token": ("s", token)},))
    sender = bus.unique_name.removeprefix(":").replace(".", "_")
    path = f"{DESKTOP_PATH}/request/{sender}/{token}"
    rule = MatchRule(type="signal", interface=_REQUEST, member="Response", path=path)
    answers: deque[Message] = deque()
    # The path follows from our name and token, so that the answer is waited for before the call:
    # one that comes at once is not missed.
    try:
        Proxy(message_bus, bus, timeout=ANSWER_S).AddMatch(rule)
        with bus.filter(rule, queue=answers):
            call(bus, message, PortalFault.NO_PORTAL)
            code, _results = bus.recv_until_filtered(answers, timeout=question_s).body
    except (TimeoutError, OSError, DBusErrorResponse) as error:
        raise PortalError(PortalFault.NO_ANSWER) from error
    if code == _REFUSED:
        raise PortalError(PortalFault.REFUSED)
    # The question was closed without an answer.
    if code != _GRANTED:
        raise PortalError(PortalFault.NO_ANSWER)


def read_permissions() -> Mapping[str, str]:
    """Return the stored answers (`yes`, `no`, `ask`) by the program's id.

    The user is not asked anything.

    The id of programs outside a sandbox is empty. Raises PortalError where there is no portal.
    """
    with closing(connect()) as bus:
        call(bus, Properties(_CAMERAS).get("IsCameraPresent"), PortalFault.NO_PORTAL)
        lookup = new_method_call(_STORE, "Lookup", "ss", ("devices", "camera"))
        try:
            stored, _ = call(bus, lookup, PortalFault.NO_PORTAL)
        except PortalError:  # nothing was ever asked
            return {}
        return {program: answer[0] for program, answer in stored.items() if answer}


def open_cameras(question_s: float) -> int:
    """Ask for access to the cameras and return a socket to a PipeWire that shows these alone.

    The caller closes it.

    The desktop may ask the user, who has `question_s` to answer. Raises PortalError.
    """
    with closing(connect()) as bus:
        _request(bus, "AccessCamera", question_s)
        message = new_method_call(_CAMERAS, "OpenPipeWireRemote", "a{sv}", ({},))
        (remote,) = call(bus, message, PortalFault.REFUSED)
        return int(remote.to_raw_fd())
