"""The desktop's portal for global shortcuts, played on a private bus."""

from __future__ import annotations

from typing import Any

from jeepney import DBusAddress, Message

from tests.played_service import DESKTOP_PATH, PlayedService

INTERFACE = "org.freedesktop.portal.GlobalShortcuts"


class PlayedShortcuts(PlayedService):
    """Answers as the specification of the portal says; `press` is the user's key."""

    def __init__(self) -> None:
        super().__init__()
        self.bound: list[tuple[str, dict[str, tuple[str, Any]]]] = []
        self.program_ids: list[str] = []

    def press(self, shortcut: str, session: str | None = None) -> None:
        body: tuple[Any, ...] = (session or self.sessions[-1], shortcut, 1, {})
        self.send_signal(DBusAddress(DESKTOP_PATH, interface=INTERFACE), "Activated", "osta{sv}", body)

    def end_session(self) -> None:
        """Close the session, as a desktop does that removes the shortcuts."""
        address = DBusAddress(self.sessions[-1], interface="org.freedesktop.portal.Session")
        self.send_signal(address, "Closed", "", ())

    def answer(self, call: Message, member: str) -> bool:
        if member == "Register":
            self.program_ids.append(call.body[0])
            self.reply(call)
        elif member == "CreateSession":
            self.open_session(call)
        elif member == "BindShortcuts":
            assert call.body[0] == self.sessions[-1]
            self.request(call, call.body[3], {"shortcuts": ("a(sa{sv})", [])})
            self.bound = call.body[1]  # keys that are pressed from now on arrive after the response
        elif member == "Close":
            self.close_session(call)
        else:
            return False
        return True
