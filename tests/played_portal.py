"""A camera portal played on a private bus, which answers as a test says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection

NAMES = ("org.freedesktop.portal.Desktop", "org.freedesktop.impl.portal.PermissionStore")


class PlayedPortal:
    """Owns the names of the portal and of its permission store."""

    def __init__(self, pipewire: Path) -> None:
        self.pipewire = pipewire
        """The socket that programs are given."""
        self.present = True
        self.response: int | None = 0
        """The answer to the question: 0 granted, 1 refused, 2 ended otherwise; None for none."""
        self.permissions: dict[str, list[str]] | None = {}
        self.asked = 0
        self._bus = open_dbus_connection(enable_fds=True)
        for name in NAMES:
            Proxy(message_bus, self._bus).RequestName(name)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._bus.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                call = self._bus.receive(timeout=0.05)
                if call.header.message_type is MessageType.method_call:
                    self._answer(call)

    def _answer(self, call: Message) -> None:
        member = call.header.fields[HeaderFields.member]
        if member == "Get":
            self._bus.send(new_method_return(call, "v", (("b", self.present),)))
        elif member == "AccessCamera":
            self._access(call)
        elif member == "OpenPipeWireRemote":
            with socket.socket(socket.AF_UNIX) as remote:
                remote.connect(str(self.pipewire))
                self._bus.send(new_method_return(call, "h", (remote,)))
        elif member == "Lookup" and self.permissions is not None:
            self._bus.send(new_method_return(call, "a{sas}v", (self.permissions, ("y", 0))))
        else:
            self._bus.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))

    def _access(self, call: Message) -> None:
        self.asked += 1
        sender = call.header.fields[HeaderFields.sender].removeprefix(":").replace(".", "_")
        token = call.body[0]["handle_token"][1]
        path = f"/org/freedesktop/portal/desktop/request/{sender}/{token}"
        self._bus.send(new_method_return(call, "o", (path,)))
        if self.response is not None:
            request = DBusAddress(path, interface="org.freedesktop.portal.Request")
            self._bus.send(new_signal(request, "Response", "ua{sv}", (self.response, {})))


@contextmanager
def played_portal(pipewire: Path) -> Iterator[PlayedPortal]:
    portal = PlayedPortal(pipewire)
    try:
        yield portal
    finally:
        portal.close()
