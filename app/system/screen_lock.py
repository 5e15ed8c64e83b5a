"""Whether the screen is locked, as logind and the desktop tell it (Linux, D-Bus)."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from jeepney import (
    DBusAddress,
    DBusErrorResponse,
    HeaderFields,
    MatchRule,
    Message,
    MessageFlag,
    Properties,
    new_method_call,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection
from jeepney.wrappers import unwrap_msg

log = logging.getLogger(__name__)

ANSWER_S = 5.0
LOGIND = "org.freedesktop.login1"
SESSION = "org.freedesktop.login1.Session"
MANAGER = DBusAddress("/org/freedesktop/login1", LOGIND, "org.freedesktop.login1.Manager")
# Names on the session bus, which are their interfaces too, and the object that is asked.
SCREEN_SAVERS = {
    "org.freedesktop.ScreenSaver": "/org/freedesktop/ScreenSaver",
    "org.gnome.ScreenSaver": "/org/gnome/ScreenSaver",
}
# Of a bus: none is there, an address without a path, no answer, an error for an answer.
FAILURES = (OSError, KeyError, ValueError, RuntimeError, DBusErrorResponse)


class _Bus:
    """A connection whose signals wait until they are taken, also those that come before an
    answer.
    """

    def __init__(self, bus: str, rules: list[MatchRule]) -> None:
        """bus: `SYSTEM` or `SESSION`. Raises one of `FAILURES`."""
        self._signals: deque[Message] = deque()
        self.connection: DBusConnection = open_dbus_connection(bus, auth_timeout=ANSWER_S)
        self._proxy = Proxy(message_bus, self.connection, timeout=ANSWER_S)
        self.connection.filter(MatchRule(type="signal"), queue=self._signals)
        try:
            for rule in rules:
                self._proxy.AddMatch(rule)
        except BaseException:
            self.connection.close()
            raise

    def call(self, message: Message) -> tuple[Any, ...]:
        """Return the body of the answer; start no service for it. Raises one of `FAILURES`."""
        message.header.flags |= MessageFlag.no_auto_start
        answer = self.connection.send_and_get_reply(message, timeout=ANSWER_S)
        body: tuple[Any, ...] = unwrap_msg(answer)
        return body

    def comes_from(self, signal: Message, name: str) -> bool:
        """Return whether the owner of a name has sent a signal.

        Any account may send one to this program alone.
        """
        try:
            (owner,) = self._proxy.GetNameOwner(name)
        except DBusErrorResponse:
            return False
        return bool(signal.header.fields.get(HeaderFields.sender) == owner)

    def next_signal(self) -> Message | None:
        """Return a signal that has arrived; None if there is none.

        Raises OSError once the bus is gone.
        """
        with suppress(TimeoutError):
            while not self._signals:
                self.connection.recv_messages(timeout=0)
        if not self._signals:
            return None
        return self._signals.popleft()


def _opened(
    name: str,
    rules: list[MatchRule],
    read: Callable[[_Bus], object],
    silence: str,
) -> _Bus | None:
    """Return a connection to a bus whose state was read; None where there is none, or no answer.

    name: as of `_Bus`. silence: the beginning of what the log says then.
    """
    bus: _Bus | None = None
    try:
        bus = _Bus(name, rules)
        read(bus)
    except FAILURES as error:
        log.info("%s whether the screen is locked: %s", silence, error)
        if bus is not None:
            bus.connection.close()
        return None
    return bus


def _own_user() -> int | None:
    """Return the number of the user; None where there is no logind."""
    user: int | None = None
    if sys.platform != "win32":
        user = os.getuid()
    return user


class ScreenLock:
    """Follows what logind and the desktop say. Opened, used and closed on one thread."""

    def __init__(self) -> None:
        # By logind, such as by `loginctl lock-session`:
        # not every desktop says later that it has done so.
        self._asked_to_lock = False
        # Whether a session of this user is locked, by logind.
        self._hint = False
        # The D-Bus paths of the sessions of this user.
        self._sessions: set[str] = set()
        # Whether the screen saver of each name is active.
        self._active: dict[str, bool] = {}
        # Whether a bus that told something has ended or answers no longer.
        self.is_lost = False
        self._system = self._open_system()
        self._desktop = self._open_desktop()
        self._follow()  # signals that came before an answer

    @property
    def is_visible(self) -> bool:
        """Whether anything tells that the screen is locked."""
        return self._system is not None or bool(self._active)

    @property
    def locked(self) -> bool:
        """Whether the screen is locked."""
        return self._asked_to_lock or self._hint or any(self._active.values())

    def wait(self, wake: socket.socket) -> None:
        """Wait for signals and follow them; return also when `wake` can be read."""
        with selectors.DefaultSelector() as selector:
            selector.register(wake, selectors.EVENT_READ)
            for bus in (self._system, self._desktop):
                if bus is not None:
                    selector.register(bus.connection.sock, selectors.EVENT_READ)
            selector.select()
        self._follow()

    def close(self) -> None:
        """Close the connections. Idempotent."""
        for bus in (self._system, self._desktop):
            if bus is not None:
                bus.connection.close()

    def _follow(self) -> None:
        self._follow_system()
        self._follow_desktop()

    def _open_system(self) -> _Bus | None:
        """Return a connection to logind; None where there is none."""
        rules = [
            MatchRule(type="signal", sender=LOGIND, interface=SESSION),
            MatchRule(type="signal", sender=LOGIND, interface="org.freedesktop.DBus.Properties"),
            MatchRule(type="signal", sender=LOGIND, interface=MANAGER.interface),
        ]
        return _opened("SYSTEM", rules, self._read_sessions, "Logind does not tell")

    def _read_sessions(self, bus: _Bus) -> None:
        (sessions,) = bus.call(new_method_call(MANAGER, "ListSessions"))
        self._sessions = {path for _, user, _, _, path in sessions if user == _own_user()}
        was_locked = self._hint
        self._hint = any(self._is_hinted(bus, path) for path in self._sessions)
        if was_locked and not self._hint:
            self._asked_to_lock = False

    def _is_hinted(self, bus: _Bus, path: str) -> bool:
        try:
            session = Properties(DBusAddress(path, LOGIND, SESSION))
            ((_, hinted),) = bus.call(session.get("LockedHint"))
        except DBusErrorResponse:  # it has ended meanwhile
            return False
        return bool(hinted)

    def _follow_system(self) -> None:
        bus = self._system
        if bus is None:
            return
        try:
            while (signal := bus.next_signal()) is not None:
                if bus.comes_from(signal, LOGIND):
                    self._take_from_logind(bus, signal)
        except FAILURES as error:
            log.warning("Logind no longer tells whether the screen is locked: %s", error)
            self.is_lost = True

    def _take_from_logind(self, bus: _Bus, signal: Message) -> None:
        fields = signal.header.fields
        member = fields.get(HeaderFields.member)
        is_own = fields.get(HeaderFields.path) in self._sessions
        if is_own and member in ("Lock", "Unlock"):
            self._asked_to_lock = member == "Lock"
        # Any other signal may mean that a session has begun, ended or changed its hint.
        self._read_sessions(bus)

    def _open_desktop(self) -> _Bus | None:
        """Return a connection to the bus of the session; None where there is none."""
        rules = []
        for name in SCREEN_SAVERS:
            changed = MatchRule(type="signal", sender=name, interface=name, member="ActiveChanged")
            rules.append(changed)
            # The screen saver may begin or end after this program.
            owner_changed = MatchRule(
                type="signal",
                sender=message_bus.bus_name,
                member="NameOwnerChanged",
            )
            owner_changed.add_arg_condition(0, name)
            rules.append(owner_changed)
        return _opened("SESSION", rules, self._read_screen_savers, "The desktop does not tell")

    def _read_screen_savers(self, bus: _Bus) -> None:
        for name in SCREEN_SAVERS:
            self._read_screen_saver(bus, name)

    def _read_screen_saver(self, bus: _Bus, name: str) -> None:
        self._active.pop(name, None)
        with suppress(DBusErrorResponse):  # the desktop has no such screen saver
            address = DBusAddress(SCREEN_SAVERS[name], name, name)
            (is_active,) = bus.call(new_method_call(address, "GetActive"))
            self._active[name] = bool(is_active)

    def _follow_desktop(self) -> None:
        bus = self._desktop
        if bus is None:
            return
        try:
            while (signal := bus.next_signal()) is not None:
                self._take_from_desktop(bus, signal)
        except FAILURES as error:
            log.warning("The desktop no longer tells whether the screen is locked: %s", error)
            self.is_lost = True

    def _take_from_desktop(self, bus: _Bus, signal: Message) -> None:
        member = signal.header.fields.get(HeaderFields.member)
        if member == "NameOwnerChanged":
            self._read_screen_saver(bus, signal.body[0])
        elif member == "ActiveChanged":
            name = str(signal.header.fields.get(HeaderFields.interface))
            if name in SCREEN_SAVERS and bus.comes_from(signal, name):
                self._active[name] = bool(signal.body[0])
                if not self._active[name]:
                    self._asked_to_lock = False  # the user is back
