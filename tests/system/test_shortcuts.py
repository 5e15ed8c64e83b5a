"""Global shortcuts through a portal that is played on a private bus."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jeepney import DBusAddress
from jeepney.auth import AuthenticationError

from app.core.errors import MattecamError
from app.core.text import Text
from app.system.portal import DESKTOP_PATH, PortalError, connect
from app.system.shortcuts import INTERFACE, PROGRAM_ID, PortalShortcuts, Shortcut
from tests.played_portals import PlayedShortcuts, private_bus
from tests.waiting import beside, eventually

KEYS = (Shortcut("pause", "Pause", "P"), Shortcut("background-1", "Background 1", "1"))


@dataclass
class Notes:
    """What the service told the program."""

    pressed: list[str] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)

    def code(self) -> str:
        """Wait for a failure and return the name of its message."""
        eventually(lambda: bool(self.failed))
        (error,) = self.failed
        assert isinstance(error, MattecamError) and isinstance(error.text, Text)
        return error.code


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The session bus of this process."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("needs the package dbus")
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


@pytest.fixture
def portal(bus: str) -> Iterator[PlayedShortcuts]:
    """The portal of the desktop."""
    with PlayedShortcuts() as portal:
        yield portal


@pytest.fixture
def service() -> Iterator[PortalShortcuts]:
    """Stopped after the test."""
    service = PortalShortcuts(question_s=20)
    yield service
    assert service.stop()


def start(service: PortalShortcuts) -> Notes:
    notes = Notes()
    service.start(KEYS, notes.pressed.append, notes.failed.append)
    return notes


def test_keys_reach_the_program_until_it_stops(portal: PlayedShortcuts, service: PortalShortcuts) -> None:
    notes = start(service)
    eventually(lambda: len(portal.bound) == len(KEYS))
    assert portal.bound[0] == ("pause", {"description": ("s", "Pause"), "preferred_trigger": ("s", "CTRL+ALT+SHIFT+p")})
    assert portal.program_ids == [PROGRAM_ID]
    portal.press("pause")
    portal.press("pause", "/org/freedesktop/portal/desktop/session/of/another")
    portal.press("background-1")
    eventually(lambda: notes.pressed == ["pause", "background-1"])
    assert service.stop()
    assert portal.sessions == [], "the session was closed"
    assert notes.failed == []


def test_a_user_who_refuses_is_named(portal: PlayedShortcuts, service: PortalShortcuts) -> None:
    portal.responses["BindShortcuts"] = 1
    assert start(service).code() == "ShortcutText.REFUSED"


def test_a_session_that_the_desktop_closes_is_named(portal: PlayedShortcuts, service: PortalShortcuts) -> None:
    notes = start(service)
    eventually(lambda: len(portal.bound) == len(KEYS))
    portal.end_session()
    assert notes.code() == "ShortcutText.REFUSED"


@pytest.mark.error_logs
def test_an_unexpected_error_is_reported(
    portal: PlayedShortcuts, service: PortalShortcuts, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("an error that nobody foresaw")

    notes = Notes()
    service.start(KEYS, fail, notes.failed.append)
    eventually(lambda: len(portal.bound) == len(KEYS))
    portal.press("pause")
    assert notes.code() == "ProgramText.THREAD_FAILED"
    assert "nobody foresaw" in caplog.text


def test_a_signal_without_a_body_is_left_out(portal: PlayedShortcuts, service: PortalShortcuts) -> None:
    notes = start(service)
    eventually(lambda: len(portal.bound) == len(KEYS))
    portal.send_signal(DBusAddress(DESKTOP_PATH, interface=INTERFACE), "Activated", "", ())
    portal.press("pause")
    eventually(lambda: notes.pressed == ["pause"])
    assert notes.failed == []


def test_stop_does_not_wait_for_the_answer_of_the_user(portal: PlayedShortcuts, service: PortalShortcuts) -> None:
    portal.responses["BindShortcuts"] = None
    notes = start(service)
    eventually(lambda: len(portal.bound) == len(KEYS))
    assert service.stop()
    assert notes.failed == []


def test_no_answer_is_named(portal: PlayedShortcuts) -> None:
    portal.responses["CreateSession"] = None
    service = PortalShortcuts(question_s=0.3)
    assert start(service).code() == "ShortcutText.NO_ANSWER"
    assert service.stop()


def test_a_desktop_without_the_portal_is_named(bus: str, service: PortalShortcuts) -> None:
    assert start(service).code() == "ShortcutText.NO_PORTAL"


@pytest.mark.parametrize(
    "address", ["unix:path=/nothing", "tcp:host=localhost,port=1", "unix:runtime=yes", "disabled:"]
)
def test_no_bus_is_named(monkeypatch: pytest.MonkeyPatch, service: PortalShortcuts, address: str) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    assert start(service).code() == "ShortcutText.NO_PORTAL"


def test_a_bus_has_as_long_as_other_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """At the start of a desktop everything takes its time; it was given up after a second."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/bus")

    def refuse() -> None:
        connected, _ = slow.accept()
        with connected:
            connected.recv(1024)
            time.sleep(1.2)
            connected.sendall(b"REJECTED\r\n")

    with socket.socket(socket.AF_UNIX) as slow:
        slow.bind(str(tmp_path / "bus"))
        slow.listen()
        refused = beside(refuse)
        with pytest.raises(PortalError) as caught:
            connect()
        refused.result(60)
    assert isinstance(caught.value.__cause__, AuthenticationError)
