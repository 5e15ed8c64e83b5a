"""The desktop's portal for global shortcuts, played on a private bus."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection

from tests.pipewire_session import BUS_CONFIGURATION

NAME = "org.freedesktop.portal.Desktop"
INTERFACE = "org.freedesktop.portal.GlobalShortcuts"


@contextmanager
def private_bus(folder: Path) -> Iterator[str]:
    """Run a bus that starts no service of the machine; yield its address."""
    address = f"unix:path={folder}/bus"
    (folder / "bus.conf").write_text(BUS_CONFIGURATION.format(address=address))
    daemon = subprocess.Popen(["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile"])
    try:
        until_s = time.monotonic() + 10
        while not (folder / "bus").exists():
            assert time.monotonic() < until_s, "the bus did not start"
            time.sleep(0.02)
        yield address
    finally:
        daemon.terminate()
        daemon.wait(10)


class PlayedShortcuts:
    """Answers as the specification of the portal says; `press` is the user's key."""

    def __init__(self) -> None:
        self.responses: dict[str, int | None] = {"CreateSession": 0, "BindShortcuts": 0}
        """Answers to the requests: 0 granted, 1 refused, 2 ended otherwise; None: the user does not answer."""
        self.bound: list[tuple[str, dict[str, tuple[str, Any]]]] = []
        self.program_ids: list[str] = []
        self.sessions: list[str] = []
        """Sessions that are open."""
        self._owner = ""
        self._bus = open_dbus_connection()
        Proxy(message_bus, self._bus).RequestName(NAME)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._bus.close()

    def press(self, shortcut: str, session: str | None = None) -> None:
        body: tuple[Any, ...] = (session or self.sessions[-1], shortcut, 1, {})
        self._send_signal(
            DBusAddress("/org/freedesktop/portal/desktop", interface=INTERFACE), "Activated", "osta{sv}", body
        )

    def end_session(self) -> None:
        """Close the session, as a desktop does that removes the shortcuts."""
        address = DBusAddress(self.sessions[-1], interface="org.freedesktop.portal.Session")
        self._send_signal(address, "Closed", "", ())

    def _send_signal(self, address: DBusAddress, member: str, signature: str, body: tuple[Any, ...]) -> None:
        signal = new_signal(address, member, signature, body)
        signal.header.fields[HeaderFields.destination] = self._owner
        self._bus.send(signal)

    def _serve(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                call = self._bus.receive(timeout=0.05)
                if call.header.message_type is MessageType.method_call:
                    self._answer(call)

    def _answer(self, call: Message) -> None:
        self._owner = call.header.fields[HeaderFields.sender]
        member = call.header.fields[HeaderFields.member]
        if member == "Register":
            self.program_ids.append(call.body[0])
            self._bus.send(new_method_return(call))
        elif member == "CreateSession":
            options = call.body[0]
            session = self._object("session", options["session_handle_token"][1])
            self.sessions.append(session)
            self._request(call, options, {"session_handle": ("s", session)})
        elif member == "BindShortcuts":
            assert call.body[0] == self.sessions[-1]
            self._request(call, call.body[3], {"shortcuts": ("a(sa{sv})", [])})
            self.bound = call.body[1]  # keys that are pressed from now on arrive after the response
        elif member == "Close":
            self.sessions.remove(call.header.fields[HeaderFields.path])
            self._bus.send(new_method_return(call))
        else:
            self._bus.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))

    def _object(self, kind: str, token: str) -> str:
        sender = self._owner.removeprefix(":").replace(".", "_")
        return f"/org/freedesktop/portal/desktop/{kind}/{sender}/{token}"

    def _request(self, call: Message, options: dict[str, Any], results: dict[str, Any]) -> None:
        path = self._object("request", options["handle_token"][1])
        self._bus.send(new_method_return(call, "o", (path,)))
        response = self.responses[call.header.fields[HeaderFields.member]]
        if response is not None:
            request = DBusAddress(path, interface="org.freedesktop.portal.Request")
            self._send_signal(request, "Response", "ua{sv}", (response, results if response == 0 else {}))


@contextmanager
def played_shortcuts() -> Iterator[PlayedShortcuts]:
    """Play the portal on the bus of the environment."""
    portal = PlayedShortcuts()
    try:
        yield portal
    finally:
        portal.close()
