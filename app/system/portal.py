"""Calls to the portals of the desktop (Linux, D-Bus), and the one that lets sandboxed programs use cameras."""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from jeepney import DBusAddress, DBusErrorResponse, MatchRule, Message, MessageType, Properties, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection
from jeepney.wrappers import unwrap_msg

DESKTOP_PATH = "/org/freedesktop/portal/desktop"
DESKTOP_NAME = "org.freedesktop.portal.Desktop"
ANSWER_S = 5.0
QUESTION_S = 120.0
"""Limit for the user's answer to a question of the desktop."""
_POLL_S = 0.25
SESSION = "org.freedesktop.portal.Session"
_REQUEST = "org.freedesktop.portal.Request"
_CAMERA = "org.freedesktop.portal.Camera"
_STORE = DBusAddress(
    "/org/freedesktop/impl/portal/PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
    "org.freedesktop.impl.portal.PermissionStore",
)
_GRANTED, _REFUSED = 0, 1
_tokens = itertools.count(1)


class PortalFault(Enum):
    """Why a portal gives nothing."""

    NO_PORTAL = "there is no such portal"
    REFUSED = "the user or the desktop refused"
    NO_ANSWER = "the portal did not answer"


class PortalError(Exception):
    """A portal gives nothing."""

    def __init__(self, fault: PortalFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def connect() -> DBusConnection:
    """Return a connection to the session bus; the caller closes it. Raises PortalError."""
    try:
        return open_dbus_connection(enable_fds=True, auth_timeout=ANSWER_S)
    except (OSError, KeyError, ValueError, RuntimeError) as error:  # RuntimeError: an address without a path
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


def new_token() -> str:
    """Return a name for an object of this process at the portal, different at each call."""
    return f"mattecam{os.getpid()}_{next(_tokens)}"


def subscribe(bus: DBusConnection, rule: MatchRule) -> None:
    """Ask the bus for signals. Raises PortalError."""
    try:
        Proxy(message_bus, bus, timeout=ANSWER_S).AddMatch(rule)
    except (TimeoutError, OSError, DBusErrorResponse) as error:
        raise PortalError(PortalFault.NO_ANSWER) from error


@dataclass(frozen=True, slots=True)
class Portal:
    """One interface of the desktop's portals, for calls that the user may have to answer."""

    bus: DBusConnection
    interface: str
    question_s: float = QUESTION_S
    """Limit for the answer."""
    cancelled: Callable[[], bool] = lambda: False
    """Whether to stop waiting."""

    @property
    def address(self) -> DBusAddress:
        """The object of the interface, for other calls."""
        return DBusAddress(DESKTOP_PATH, DESKTOP_NAME, self.interface)

    def request(self, member: str, signature: str = "", arguments: tuple[Any, ...] = (), **options: Any) -> Any:
        """Make a call and return its results, by name. Raises PortalError.

        signature: of the arguments, without the options, which follow them.
        """
        token = new_token()
        body = (*arguments, {"handle_token": ("s", token), **options})
        message = new_method_call(self.address, member, f"{signature}a{{sv}}", body)
        sender = self.bus.unique_name.removeprefix(":").replace(".", "_")
        path = f"{DESKTOP_PATH}/request/{sender}/{token}"
        rule = MatchRule(type="signal", interface=_REQUEST, member="Response", path=path)
        subscribe(self.bus, rule)
        answers: deque[Message] = deque()
        with self.bus.filter(rule, queue=answers):
            call(self.bus, message, PortalFault.NO_PORTAL)
            code, results = self._answer(answers).body
        if code != _GRANTED:
            raise PortalError(PortalFault.REFUSED if code == _REFUSED else PortalFault.NO_ANSWER)
        return results

    def open_remote(self, signature: str = "", arguments: tuple[Any, ...] = ()) -> int:
        """Return a socket to a PipeWire that shows what the user allowed; the caller closes it. Raises PortalError."""
        message = new_method_call(self.address, "OpenPipeWireRemote", f"{signature}a{{sv}}", (*arguments, {}))
        (remote,) = call(self.bus, message, PortalFault.REFUSED)
        return int(remote.to_raw_fd())

    def open_session(self) -> str:
        """Return the path of a new session; `close_session` ends it. Raises PortalError."""
        return str(self.request("CreateSession", session_handle_token=("s", new_token()))["session_handle"][1])

    def close_session(self, session: str) -> None:
        """End a session, also one that has ended."""
        with suppress(PortalError):
            call(self.bus, new_method_call(DBusAddress(session, DESKTOP_NAME, SESSION), "Close"), PortalFault.NO_ANSWER)

    def _answer(self, answers: deque[Message]) -> Message:
        deadline_s = time.monotonic() + self.question_s
        while not self.cancelled() and time.monotonic() < deadline_s:
            try:
                return self.bus.recv_until_filtered(answers, timeout=min(_POLL_S, self.question_s))
            except TimeoutError:  # noqa: PERF203 - polls `cancelled`
                continue
            except OSError as error:
                raise PortalError(PortalFault.NO_ANSWER) from error
        raise PortalError(PortalFault.NO_ANSWER)


def read_permissions() -> Mapping[str, str]:
    """Return the stored answers (`yes`, `no`, `ask`) by the program's id; the user is not asked anything.

    The id of programs outside a sandbox is empty. Raises PortalError where there is no portal.
    """
    with closing(connect()) as bus:
        camera = Properties(Portal(bus, _CAMERA).address)
        call(bus, camera.get("IsCameraPresent"), PortalFault.NO_PORTAL)
        return _permissions(bus)


def open_cameras(question_s: float = QUESTION_S) -> int:
    """Ask for access to the cameras and return a socket to a PipeWire that shows these alone; the caller closes it.

    The desktop may ask the user, who has `question_s` to answer. Raises PortalError.
    """
    with closing(connect()) as bus:
        cameras = Portal(bus, _CAMERA, question_s)
        cameras.request("AccessCamera")
        return cameras.open_remote()


def _permissions(bus: DBusConnection) -> Mapping[str, str]:
    try:
        stored, _ = call(bus, new_method_call(_STORE, "Lookup", "ss", ("devices", "camera")), PortalFault.NO_PORTAL)
    except PortalError:  # nothing was ever asked
        return {}
    return {program: answer[0] for program, answer in stored.items() if answer}
