"""The camera portal of the desktop, which lets sandboxed programs use cameras (Linux, D-Bus)."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from typing import Any

from jeepney import DBusAddress, DBusErrorResponse, MatchRule, Message, MessageType, Properties, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection
from jeepney.wrappers import unwrap_msg

_DESKTOP = DBusAddress(
    "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Desktop", "org.freedesktop.portal.Camera"
)
_STORE = DBusAddress(
    "/org/freedesktop/impl/portal/PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
)
_REQUEST = "org.freedesktop.portal.Request"
_ANSWER_S = 5.0
_QUESTION_S = 120.0
"""Limit for the user's answer to the question of the desktop."""
_GRANTED, _REFUSED = 0, 1
_tokens = itertools.count(1)


class PortalFault(Enum):
    """Why the portal gives no camera."""

    NO_BUS = "there is no session bus"
    NO_PORTAL = "there is no camera portal"
    REFUSED = "the user or the desktop refused"
    NO_ANSWER = "the portal did not answer"


class PortalError(Exception):
    """The portal gives no camera."""

    def __init__(self, fault: PortalFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class PortalState:
    """What the portal says without being asked for a camera."""

    camera_present: bool
    permissions: Mapping[str, str]
    """Stored answers (`yes`, `no`, `ask`) by the program's id; the id of programs outside a sandbox is empty."""


def read_portal() -> PortalState:
    """Return the state of the portal; the user is not asked anything. Raises PortalError."""
    with closing(_connect()) as bus:
        (present,) = _call(bus, Properties(_DESKTOP).get("IsCameraPresent"), PortalFault.NO_PORTAL)
        return PortalState(bool(present[1]), _permissions(bus))


def open_cameras(question_s: float = _QUESTION_S) -> int:
    """Ask for access to the cameras and return a socket to a PipeWire that shows these alone; the caller closes it.

    The desktop may ask the user, who has `question_s` to answer. Raises PortalError.
    """
    with closing(_connect()) as bus:
        _request_access(bus, question_s)
        call = new_method_call(_DESKTOP, "OpenPipeWireRemote", "a{sv}", ({},))
        (remote,) = _call(bus, call, PortalFault.REFUSED)
        return int(remote.to_raw_fd())


def _request_access(bus: DBusConnection, question_s: float) -> None:
    token = f"mattecam{os.getpid()}_{next(_tokens)}"
    sender = bus.unique_name.removeprefix(":").replace(".", "_")
    rule = MatchRule(
        type="signal",
        interface=_REQUEST,
        member="Response",
        path=f"/org/freedesktop/portal/desktop/request/{sender}/{token}",
    )
    Proxy(message_bus, bus, timeout=_ANSWER_S).AddMatch(rule)
    answers: deque[Message] = deque()
    with bus.filter(rule, queue=answers):
        options = {"handle_token": ("s", token)}
        _call(bus, new_method_call(_DESKTOP, "AccessCamera", "a{sv}", (options,)), PortalFault.NO_PORTAL)
        try:
            answer = bus.recv_until_filtered(answers, timeout=question_s)
        except (TimeoutError, OSError) as error:
            raise PortalError(PortalFault.NO_ANSWER) from error
    if answer.body[0] != _GRANTED:
        raise PortalError(PortalFault.REFUSED if answer.body[0] == _REFUSED else PortalFault.NO_ANSWER)


def _permissions(bus: DBusConnection) -> Mapping[str, str]:
    call = new_method_call(_STORE, "Lookup", "ss", ("devices", "camera"))
    try:
        stored, _ = _call(bus, call, PortalFault.NO_PORTAL)
    except PortalError:  # nothing was ever asked
        return {}
    return {program: answer[0] for program, answer in stored.items() if answer}


def _connect() -> DBusConnection:
    try:
        return open_dbus_connection(enable_fds=True)
    except (OSError, KeyError, ValueError) as error:
        raise PortalError(PortalFault.NO_BUS) from error


def _call(bus: DBusConnection, call: Message, fault: PortalFault) -> tuple[Any, ...]:
    """Return the body of the answer; raise `fault` for an error."""
    try:
        answer = bus.send_and_get_reply(call, timeout=_ANSWER_S)
    except (TimeoutError, OSError) as error:
        raise PortalError(PortalFault.NO_ANSWER) from error
    if answer.header.message_type is MessageType.error:
        raise PortalError(fault) from DBusErrorResponse(answer)
    body: tuple[Any, ...] = unwrap_msg(answer)
    return body
