"""The pause while the screen is locked, beside a played logind and screen saver on a private bus."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
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
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection

from app.runtime.lock_pause import NOT_SEEN, LockPause, open_lock
from app.runtime.status import StatusBoard
from app.settings import Settings, SettingsOwner
from app.system.screen_lock import LOGIND, SCREEN_SAVERS, SESSION, ScreenLock
from tests.pipewire_session import BUS_CONFIGURATION
from tests.stand_ins import always, replacing, replacing_at
from tests.waiting import accepts, beside, eventually, eventually_is

WANTED = Settings().replaced_at(["output"], pause_when_locked=True)
OWN = "/org/freedesktop/login1/session/_31"
OTHER = "/org/freedesktop/login1/session/_32"
SAVER = "org.gnome.ScreenSaver"


class PlayedLogind:
    """Logind with a session of this user and one of another, and a screen saver of the desktop, on one bus."""

    def __init__(self) -> None:
        self.hints = {OWN: False, OTHER: False}
        self.is_active = False
        self._signals: deque[Message] = deque()
        """Sent by the thread that answers: a connection is no place for two."""
        self._bus = open_dbus_connection("SYSTEM", auth_timeout=30.0)
        for name in (LOGIND, SAVER):
            Proxy(message_bus, self._bus).RequestName(name)

    def serve(self, stop: threading.Event) -> None:
        """Answer calls until `stop`."""
        with closing(self._bus), suppress(ConnectionError):  # the bus was ended
            while not stop.is_set():
                while self._signals:
                    self._bus.send(self._signals.popleft())
                with suppress(TimeoutError):
                    call = self._bus.receive(timeout=0.02)
                    if call.header.message_type is MessageType.method_call:
                        self._answer(call)

    def _answer(self, call: Message) -> None:
        member = call.header.fields[HeaderFields.member]
        path = call.header.fields[HeaderFields.path]
        answers: dict[str, tuple[str, tuple[Any, ...]]] = {
            "ListSessions": (
                "a(susso)",
                ([("1", os.getuid(), "me", "", OWN), ("2", 99_999, "other", "", OTHER)],),
            ),
            "Get": ("v", (("b", self.hints.get(path, False)),)),
            "GetActive": ("b", (self.is_active,)),
        }
        if member in answers:
            self._bus.send(new_method_return(call, *answers[member]))
        else:
            self._bus.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))

    def ask(self, member: str, session: str = OWN) -> None:
        """Send `Lock` or `Unlock`, as `loginctl lock-session` does."""
        self._signals.append(new_signal(DBusAddress(session, interface=SESSION), member))

    def hint(self, *, locked: bool, session: str = OWN) -> None:
        """Tell that the desktop has locked or unlocked."""
        self.hints[session] = locked
        address = DBusAddress(session, interface="org.freedesktop.DBus.Properties")
        body: tuple[Any, ...] = (SESSION, {"LockedHint": ("b", locked)}, [])
        self._signals.append(new_signal(address, "PropertiesChanged", "sa{sv}as", body))

    def activate(self, *, active: bool) -> None:
        """Begin or end the screen saver."""
        self.is_active = active
        self._signals.append(
            new_signal(
                DBusAddress(SCREEN_SAVERS[SAVER], interface=SAVER),
                "ActiveChanged",
                "b",
                (active,),
            )
        )


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A bus that is both that of the system and that of the session."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("needs the package dbus")
    path = tmp_path / "bus"
    address = f"unix:path={path}"
    configuration = tmp_path / "bus.conf"
    configuration.write_text(BUS_CONFIGURATION.format(address=address))
    for name in ("DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, address)
    with subprocess.Popen(
        ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile"]
    ) as daemon:
        eventually(accepts, path)
        yield daemon
        daemon.terminate()


@pytest.fixture
def logind(bus: subprocess.Popen[bytes]) -> Iterator[PlayedLogind]:
    played = PlayedLogind()
    stop = threading.Event()
    served = beside(played.serve, stop)
    yield played
    stop.set()
    served.result(60)


@pytest.fixture
def board() -> StatusBoard:
    return StatusBoard()


@contextmanager
def followed(pause: LockPause) -> Iterator[None]:
    """Let the thread of a pause run inside the context."""
    pause.thread.start()
    try:
        yield
    finally:
        pause.thread.request_stop()
        pause.wake()
    assert pause.thread.join(60) and pause.thread.error is None


@pytest.fixture
def owner(board: StatusBoard) -> Iterator[SettingsOwner]:
    """Of settings that ask for the pause, followed by its thread."""
    owner = SettingsOwner(WANTED)
    with followed(LockPause(owner, board, ScreenLock)):
        yield owner


def problems(board: StatusBoard) -> list[str]:
    return [problem.message for problem in board.read().problems]


def becomes(owner: SettingsOwner, *, paused: bool) -> None:
    eventually(lambda: owner.current.paused is paused)


def asks(logind: PlayedLogind, *, locked: bool) -> None:
    logind.ask("Lock" if locked else "Unlock")


def hints(logind: PlayedLogind, *, locked: bool) -> None:
    logind.hint(locked=locked)


def saves(logind: PlayedLogind, *, locked: bool) -> None:
    logind.activate(active=locked)


@pytest.mark.parametrize("tells", [asks, hints, saves])
def test_a_lock_pauses_and_its_end_resumes(
    logind: PlayedLogind,
    owner: SettingsOwner,
    tells: Callable[..., None],
    settled: Callable[[], None],
) -> None:
    settled()
    tells(logind, locked=True)
    becomes(owner, paused=True)

    tells(logind, locked=False)

    becomes(owner, paused=False)
    assert not owner.current.paused_by_lock


@pytest.fixture
def settled(logind: PlayedLogind, owner: SettingsOwner) -> Callable[[], None]:
    """Returns once the thread follows the signals: one pause and one resumption are through."""

    def settle() -> None:
        def follows() -> bool:
            hints(logind, locked=True)
            return owner.current.paused

        eventually(follows)
        hints(logind, locked=False)
        becomes(owner, paused=False)

    return settle


def test_a_screen_that_is_locked_at_the_start_pauses(
    logind: PlayedLogind,
    board: StatusBoard,
) -> None:
    class ToldLock(ScreenLock):
        def wait(self, wake: socket.socket) -> None:
            answered.set()
            super().wait(wake)

    answered = threading.Event()
    logind.hints[OWN] = True
    owner = SettingsOwner(WANTED)

    with followed(LockPause(owner, board, ToldLock)):
        assert answered.wait(60)

        assert owner.current.paused


def test_it_is_paused_from_the_start_until_the_lock_is_known(
    logind: PlayedLogind,
    board: StatusBoard,
) -> None:
    asked = threading.Event()
    answers = threading.Event()

    def open_late() -> ScreenLock:
        asked.set()
        answers.wait(60)
        return ScreenLock()

    owner = SettingsOwner(WANTED)
    pause = LockPause(owner, board, open_late)
    assert owner.current.paused  # before anything is started

    with followed(pause):
        assert asked.wait(60)
        assert owner.current.paused

        answers.set()
        becomes(owner, paused=False)


def test_a_start_where_nothing_tells_the_lock_is_not_paused(board: StatusBoard) -> None:
    owner = SettingsOwner(WANTED)
    pause = LockPause(owner, board, always(None))

    with followed(pause):
        becomes(owner, paused=False)
        assert problems(board) == [NOT_SEEN]


def test_a_pause_of_the_user_stays_after_the_lock(
    logind: PlayedLogind, owner: SettingsOwner, settled: Callable[[], None]
) -> None:
    settled()
    owner.change(replacing(paused=True))
    logind.hint(locked=True)
    logind.hint(locked=False)
    settled_by_another_lock(logind)

    assert owner.current.paused and not owner.current.paused_by_lock


def settled_by_another_lock(logind: PlayedLogind) -> None:
    """Return once a follower that begins now has seen all: the bus keeps the order."""
    sleeper, waker = socket.socketpair()
    with closing(ScreenLock()) as lock, sleeper, waker:
        logind.activate(active=True)
        while not lock.locked:
            lock.wait(sleeper)
        logind.activate(active=False)
        while lock.locked:
            lock.wait(sleeper)


def test_a_pause_during_the_lock_stays_after_it(
    logind: PlayedLogind, owner: SettingsOwner, settled: Callable[[], None]
) -> None:
    settled()
    logind.hint(locked=True)
    becomes(owner, paused=True)
    # As `ctl pause` does.
    owner.change(replacing(paused=True, paused_by_lock=False))
    logind.hint(locked=False)
    settled_by_another_lock(logind)

    assert owner.current.paused


def test_a_session_of_another_user_does_not_pause(
    logind: PlayedLogind, owner: SettingsOwner, settled: Callable[[], None]
) -> None:
    settled()
    logind.hint(locked=True, session=OTHER)
    logind.ask("Lock", session=OTHER)
    settled_by_another_lock(logind)

    becomes(owner, paused=False)


def test_nobody_else_unlocks(
    logind: PlayedLogind,
    owner: SettingsOwner,
    settled: Callable[[], None],
) -> None:
    """A signal that is sent to the program alone needs no rule of its own on the bus."""
    settled()
    logind.ask("Lock")
    becomes(owner, paused=True)
    with open_dbus_connection("SYSTEM") as stranger:
        for name in names_on(stranger):
            unlock = new_signal(DBusAddress(OWN, interface=SESSION), "Unlock")
            unlock.header.fields[HeaderFields.destination] = name
            stranger.send(unlock)
        settled_by_another_lock_of_the_user(logind)

    assert owner.current.paused


def names_on(bus: DBusConnection) -> list[str]:
    (names,) = Proxy(message_bus, bus).ListNames()
    return [name for name in names if name.startswith(":")]


def settled_by_another_lock_of_the_user(logind: PlayedLogind) -> None:
    """As `settled_by_another_lock`, by signals that end no lock."""
    sleeper, waker = socket.socketpair()
    with closing(ScreenLock()) as lock, sleeper, waker:
        logind.hint(locked=True)
        while not lock.locked:
            lock.wait(sleeper)


def test_switching_it_off_during_a_lock_stays_paused(
    logind: PlayedLogind, owner: SettingsOwner, settled: Callable[[], None]
) -> None:
    settled()
    logind.hint(locked=True)
    becomes(owner, paused=True)

    owner.change(replacing_at(["output"], pause_when_locked=False))

    eventually(lambda: not owner.current.paused_by_lock)
    assert owner.current.paused


def test_without_a_bus_it_says_so_and_the_program_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, board: StatusBoard
) -> None:
    for name in ("DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, f"unix:path={tmp_path / 'none'}")
    owner = SettingsOwner(Settings())
    pause = LockPause(owner, board, open_lock)
    with followed(pause):
        assert problems(board) == []

        owner.change(always(WANTED))

        eventually_is([NOT_SEEN], problems, board)
        assert not owner.current.paused
        owner.change(always(Settings()))
        eventually_is([], problems, board)


def test_a_lost_bus_keeps_the_pause_and_is_said(
    bus: subprocess.Popen[bytes],
    logind: PlayedLogind,
    owner: SettingsOwner,
    board: StatusBoard,
    settled: Callable[[], None],
) -> None:
    settled()
    logind.hint(locked=True)
    becomes(owner, paused=True)

    bus.terminate()

    eventually_is([NOT_SEEN], problems, board)
    assert owner.current.paused and not owner.current.paused_by_lock
