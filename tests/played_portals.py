"""Portals of the desktop, played on a private bus, which answer as the specification and a test say."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection

DESKTOP_NAME, DESKTOP_PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"


class PlayedService(ABC):
    """Owns names on the bus of the environment and answers the calls to them. A context."""

    names: tuple[str, ...] = (DESKTOP_NAME,)

    def __init__(self, pipewire: Path | None = None) -> None:
        """pipewire: the socket that programs are given."""
        self.pipewire = pipewire
        self.responses: dict[str, int | None] = {}
        """Answers to the requests by member: 0 granted (the default), 1 refused, 2 ended otherwise; None: none."""
        self._owner = ""
        self._bus = open_dbus_connection(enable_fds=True, auth_timeout=30.0)
        for name in self.names:
            Proxy(message_bus, self._bus).RequestName(name)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._bus.close()

    @abstractmethod
    def answer(self, call: Message, member: str) -> bool:
        """Answer a call; return whether there is such a method."""

    def reply(self, call: Message, signature: str | None = None, body: tuple[Any, ...] = ()) -> None:
        self._bus.send(new_method_return(call, signature, body))

    def request(self, call: Message, options: dict[str, Any], results: dict[str, Any]) -> int | None:
        """Answer a request and send its response, which is returned."""
        path = self._object("request", options["handle_token"][1])
        self.reply(call, "o", (path,))
        response = self.responses.get(call.header.fields[HeaderFields.member], 0)
        if response is not None:
            address = DBusAddress(path, interface="org.freedesktop.portal.Request")
            self.send_signal(address, "Response", "ua{sv}", (response, results if response == 0 else {}))
        return response

    def send_remote(self, call: Message) -> None:
        """Answer with a connection to PipeWire."""
        with socket.socket(socket.AF_UNIX) as remote:
            remote.connect(str(self.pipewire))
            self.reply(call, "h", (remote,))

    def send_signal(self, address: DBusAddress, member: str, signature: str, body: tuple[Any, ...]) -> None:
        """Send a signal to the program that called last."""
        signal = new_signal(address, member, signature, body)
        signal.header.fields[HeaderFields.destination] = self._owner
        self._bus.send(signal)

    def _serve(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                call = self._bus.receive(timeout=0.05)
                if call.header.message_type is MessageType.method_call:
                    self._owner = call.header.fields[HeaderFields.sender]
                    if not self.answer(call, call.header.fields[HeaderFields.member]):
                        self._bus.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))

    def _object(self, kind: str, token: str) -> str:
        sender = self._owner.removeprefix(":").replace(".", "_")
        return f"{DESKTOP_PATH}/{kind}/{sender}/{token}"


class PlayedPortal(PlayedService):
    """The portal for cameras, and its permission store."""

    names = (DESKTOP_NAME, "org.freedesktop.impl.portal.PermissionStore")

    def __init__(self, pipewire: Path) -> None:
        super().__init__(pipewire)
        self.permissions: dict[str, list[str]] | None = {}
        self.asked = 0

    def answer(self, call: Message, member: str) -> bool:
        if member == "Get":
            self.reply(call, "v", (("b", True),))
        elif member == "AccessCamera":
            self.asked += 1
            self.request(call, call.body[0], {})
        elif member == "OpenPipeWireRemote":
            self.send_remote(call)
        elif member == "Lookup" and self.permissions is not None:
            self.reply(call, "a{sas}v", (self.permissions, ("y", 0)))
        else:
            return False
        return True
