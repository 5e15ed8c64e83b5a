"""A camera portal played on a private bus, which answers as a test says."""

from __future__ import annotations

import socket
from pathlib import Path

from jeepney import Message

from tests.played_service import DESKTOP_NAME, PlayedService


class PlayedPortal(PlayedService):
    """Owns the names of the portal and of its permission store."""

    names = (DESKTOP_NAME, "org.freedesktop.impl.portal.PermissionStore")

    def __init__(self, pipewire: Path) -> None:
        super().__init__()
        self.pipewire = pipewire
        """The socket that programs are given."""
        self.permissions: dict[str, list[str]] | None = {}
        self.asked = 0

    def answer(self, call: Message, member: str) -> bool:
        if member == "Get":
            self.reply(call, "v", (("b", True),))
        elif member == "AccessCamera":
            self.asked += 1
            self.request(call, call.body[0], {})
        elif member == "OpenPipeWireRemote":
            send_remote(self, call, self.pipewire)
        elif member == "Lookup" and self.permissions is not None:
            self.reply(call, "a{sas}v", (self.permissions, ("y", 0)))
        else:
            return False
        return True


def send_remote(service: PlayedService, call: Message, pipewire: Path) -> None:
    """Answer with a connection to a PipeWire."""
    with socket.socket(socket.AF_UNIX) as remote:
        remote.connect(str(pipewire))
        service.reply(call, "h", (remote,))
