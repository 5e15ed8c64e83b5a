"""The desktop's portal for screen casts, played on a private bus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jeepney import Message

from tests.played_portal import send_remote
from tests.played_service import PlayedService


class PlayedScreenCast(PlayedService):
    """Answers as the specification of the portal says; the user chooses `streams`."""

    def __init__(self, pipewire: Path) -> None:
        super().__init__()
        self.pipewire = pipewire
        """The socket that programs are given."""
        self.streams: list[tuple[int, dict[str, tuple[str, Any]]]] = []
        """The PipeWire nodes of what the user chooses, with their properties."""
        self.types: list[int] = []
        """What programs asked for: 1 a monitor, 2 a window."""

    def answer(self, call: Message, member: str) -> bool:
        if member == "CreateSession":
            self.open_session(call)
        elif member == "SelectSources":
            assert call.body[0] == self.sessions[-1]
            self.types.append(call.body[1]["types"][1])
            self.request(call, call.body[1], {})
        elif member == "Start":
            assert call.body[0] == self.sessions[-1]
            self.request(call, call.body[2], {"streams": ("a(ua{sv})", self.streams)})
        elif member == "OpenPipeWireRemote":
            assert call.body[0] == self.sessions[-1]
            send_remote(self, call, self.pipewire)
        elif member == "Close":
            self.close_session(call)
        else:
            return False
        return True
