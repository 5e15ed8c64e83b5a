"""Calls to the portals of the desktop (Linux, D-Bus)."""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from jeepney import DBusErrorResponse, MatchRule, Message, MessageType
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection
from jeepney.wrappers import unwrap_msg

DESKTOP_PATH = "/org/freedesktop/portal/desktop"
DESKTOP_NAME = "org.freedesktop.portal.Desktop"
ANSWER_S = 5.0
QUESTION_S = 120.0
"""Limit for the user's answer to a question of the desktop."""
_POLL_S = 0.25
_REQUEST = "org.freedesktop.portal.Request"
_GRANTED, _REFUSED = 0, 1
_tokens = itertools.count(1)


class PortalFault(Enum):
    """Why a portal gives nothing."""

    NO_BUS = "there is no session bus"
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
        return open_dbus_connection(enable_fds=True)
    except (OSError, KeyError, ValueError) as error:
        raise PortalError(PortalFault.NO_BUS) from error


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


def request(
    bus: DBusConnection,
    token: str,
    message: Message,
    question_s: float = QUESTION_S,
    cancelled: Callable[[], bool] = lambda: False,
) -> Mapping[str, Any]:
    """Make a call that the user may have to answer; return its results.

    token: the `handle_token` in the options of `message`. cancelled: whether to stop waiting. Raises PortalError.
    """
    sender = bus.unique_name.removeprefix(":").replace(".", "_")
    path = f"{DESKTOP_PATH}/request/{sender}/{token}"
    rule = MatchRule(type="signal", interface=_REQUEST, member="Response", path=path)
    subscribe(bus, rule)
    answers: deque[Message] = deque()
    with bus.filter(rule, queue=answers):
        call(bus, message, PortalFault.NO_PORTAL)
        answer = _answer(bus, answers, question_s, cancelled)
    if answer.body[0] != _GRANTED:
        raise PortalError(PortalFault.REFUSED if answer.body[0] == _REFUSED else PortalFault.NO_ANSWER)
    results: Mapping[str, Any] = answer.body[1]
    return results


def _answer(bus: DBusConnection, answers: deque[Message], question_s: float, cancelled: Callable[[], bool]) -> Message:
    deadline_s = time.monotonic() + question_s
    while not cancelled() and time.monotonic() < deadline_s:
        try:
            return bus.recv_until_filtered(answers, timeout=min(_POLL_S, question_s))
        except TimeoutError:  # noqa: PERF203 - polls `cancelled`
            continue
        except OSError as error:
            raise PortalError(PortalFault.NO_ANSWER) from error
    raise PortalError(PortalFault.NO_ANSWER)
