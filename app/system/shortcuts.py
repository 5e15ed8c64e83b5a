"""Global shortcuts through the portal of the desktop (Linux, D-Bus)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection

from app.core.errors import MattecamError
from app.core.messages.system import ProgramText, ShortcutText
from app.core.threads import name_thread
from app.system import portal
from app.system.portal import Portal, PortalError, PortalFault

log = logging.getLogger(__name__)
MODIFIERS = ("Ctrl", "Alt", "Shift")
"""Held with every key. Ctrl and Alt alone are AltGr, which writes letters."""
INTERFACE = "org.freedesktop.portal.GlobalShortcuts"
PROGRAM_ID = "mattecam"
"""Name of the desktop entry, under which the desktop stores the keys."""
_REGISTRY = DBusAddress(portal.DESKTOP_PATH, portal.DESKTOP_NAME, "org.freedesktop.host.portal.Registry")
_POLL_S = 0.25
_STOP_S = portal.ANSWER_S + 2
_REASONS = {
    PortalFault.NO_PORTAL: ShortcutText.NO_PORTAL,
    PortalFault.REFUSED: ShortcutText.REFUSED,
    PortalFault.NO_ANSWER: ShortcutText.NO_ANSWER,
}


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One key with `MODIFIERS`."""

    name: str
    """Given to the function that is called."""
    description: str
    """What it does, for the desktop's own settings."""
    key: str
    """A letter or a digit."""


class PortalShortcuts:
    """Binds the shortcuts on a thread of its own, since the desktop may ask the user, and waits for their signals.

    The desktop shows the keys in its settings, where the user can change them.
    """

    def __init__(self, question_s: float = portal.QUESTION_S) -> None:
        """question_s: how long the user has to answer."""
        self._question_s = question_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(
        self, shortcuts: Sequence[Shortcut], pressed: Callable[[str], None], failed: Callable[[Exception], None]
    ) -> None:
        """Register the shortcuts.

        pressed: called on any thread with the name of a shortcut; returns at once. failed: called on any thread with a
        MattecamError where they cannot be registered, or no longer work.
        """

        def run() -> None:
            name_thread("shortcuts")
            try:
                with closing(portal.connect()) as bus:
                    self._serve(bus, shortcuts, pressed)
            except PortalError as error:
                if not self._stop.is_set():
                    failed(MattecamError(_REASONS[error.fault]()))
            except Exception:
                log.exception("The global shortcuts failed.")
                if not self._stop.is_set():
                    failed(MattecamError(ProgramText.THREAD_FAILED(thread="shortcuts")))

        self._thread = threading.Thread(target=run, name="shortcuts", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Remove the shortcuts; return False if a thread did not end in time. Idempotent."""
        self._stop.set()
        if self._thread is None:
            return True
        self._thread.join(_STOP_S)
        return not self._thread.is_alive()

    def _serve(self, bus: DBusConnection, shortcuts: Sequence[Shortcut], pressed: Callable[[str], None]) -> None:
        with suppress(PortalError):  # absent in older portals, refused in a sandbox; both know the program otherwise
            register = new_method_call(_REGISTRY, "Register", "sa{sv}", (PROGRAM_ID, {}))
            portal.call(bus, register, PortalFault.NO_PORTAL)
        portal.subscribe(bus, MatchRule(type="signal", interface=INTERFACE, path=portal.DESKTOP_PATH))
        desktop = Portal(bus, INTERFACE, self._question_s, self._stop.is_set)
        session = desktop.open_session()
        portal.subscribe(bus, MatchRule(type="signal", interface=portal.SESSION, path=session))
        keys = [
            (each.name, {"description": ("s", each.description), "preferred_trigger": ("s", _trigger(each.key))})
            for each in shortcuts
        ]
        try:
            desktop.request("BindShortcuts", "oa(sa{sv})s", (session, keys, ""))
            self._follow(bus, session, pressed)
        finally:
            desktop.close_session(session)

    def _follow(self, bus: DBusConnection, session: str, pressed: Callable[[str], None]) -> None:
        while not self._stop.is_set():
            try:
                message = bus.receive(timeout=_POLL_S)
            except TimeoutError:
                continue
            except OSError as error:  # the bus is gone
                raise PortalError(PortalFault.NO_ANSWER) from error
            if message.header.message_type is MessageType.signal:
                _handle(message, session, pressed)


def _handle(message: Message, session: str, pressed: Callable[[str], None]) -> None:
    fields = message.header.fields
    interface, member = fields.get(HeaderFields.interface), fields.get(HeaderFields.member)
    if (interface, member) == (portal.SESSION, "Closed") and fields.get(HeaderFields.path) == session:
        raise PortalError(PortalFault.REFUSED)
    if (interface, member) != (INTERFACE, "Activated"):
        return
    match message.body:
        case (sender, str(name), *_) if sender == session:  # any program on the bus can send a signal without a body
            pressed(name)


def _trigger(key: str) -> str:
    """Return a key in the notation of the XDG specification of shortcuts."""
    return "+".join((*(name.upper() for name in MODIFIERS), key.lower()))
