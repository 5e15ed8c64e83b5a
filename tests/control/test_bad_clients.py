"""Clients that send nonsense, too much or hardly anything, or that may not ask, end and delay nothing."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from app.control.commands import Command
from app.control.server import RETRY_S, ControlServer
from app.control.transport import MAX_REQUEST_BYTES, SECRET_BYTES, SECRET_FILE, ControlAddress, ask, send
from tests.control.conftest import posix_only, socket_address
from tests.control.recorder import Recorder, serving
from tests.waiting import eventually


def connected(address: ControlAddress) -> Connection:
    connection = address.connect()
    assert connection is not None
    return connection


@pytest.mark.parametrize(
    "request_bytes", [b"\n", b"hello", b"[1,2]", b"\xff\xfe\x00", b'{"command": 7}', b"[" * 5000, b'"pause"']
)
def test_invalid_requests_are_refused(address: ControlAddress, server: ControlServer, request_bytes: bytes) -> None:
    with connected(address) as connection:
        send(connection, address, request_bytes)
        assert connection.recv_bytes().startswith(b'{"done": false')
    assert ask(Command("pause"), at=lambda: address).done


@pytest.mark.parametrize("kind", ["too long", "without secret", "wrong secret", "empty", "pickle"])
def test_other_messages_are_not_answered(
    address: ControlAddress, server: ControlServer, controller: Recorder, kind: str
) -> None:
    command, secret = Command("pause").encode(), (address.folder / SECRET_FILE).read_bytes()
    messages = {
        "too long": secret + command + b" " * MAX_REQUEST_BYTES,
        "without secret": command,
        "wrong secret": b"x" * SECRET_BYTES + command,
        "empty": b"",
    }
    with connected(address) as connection, pytest.raises((EOFError, OSError)):
        if kind == "pickle":
            connection.send({"command": "pause"})
        else:
            connection.send_bytes(messages[kind])
        connection.recv_bytes()
    assert controller.commands == []
    assert ask(Command("pause"), at=lambda: address).done


def test_silent_clients_delay_nobody(
    address: ControlAddress, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.control.transport.REQUEST_TIMEOUT_S", 100.0)
    silent = [connected(address) for _ in range(8)]
    started_s = time.monotonic()
    assert ask(Command("pause"), at=lambda: address).done
    assert time.monotonic() - started_s < 60.0
    for connection in silent:
        connection.close()


@posix_only
def test_commands_are_accepted_again_once_files_can_be_opened_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread ended, and no command was accepted any more."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    address = socket_address(tmp_path / "run")
    with serving(lambda: address), socket.socket(socket.AF_UNIX) as client:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            client.connect(address.name)
            eventually(lambda: bool(caplog.records))
            threading.Event().wait(3 * RETRY_S)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert ask(Command("pause"), at=lambda: address).done
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "Too many open files" in warning


@posix_only
def test_commands_are_accepted_again_once_threads_can_be_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    address = socket_address(tmp_path / "run")
    with serving(lambda: address):
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            with connected(address) as connection, pytest.raises((EOFError, OSError)):
                connection.recv_bytes()
        assert ask(Command("pause"), at=lambda: address).done


@posix_only
@pytest.mark.parametrize("sent", [b"", b"x", struct.pack("!i", 100) + b"x", struct.pack("!iQ", -1, 1 << 40)])
def test_a_client_that_does_not_send_its_request_at_once_is_cut_off(
    tmp_path: Path, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.control.transport.REQUEST_TIMEOUT_S", 0.5)
    address = socket_address(tmp_path / "run")
    with serving(lambda: address), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(address.name)
        client.send(sent)
        assert ask(Command("pause"), at=lambda: address).done
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""


@posix_only
def test_a_client_that_has_not_sent_all_delays_no_stop(tmp_path: Path) -> None:
    address = socket_address(tmp_path / "run")
    with socket.socket(socket.AF_UNIX) as waiting, serving(lambda: address):
        waiting.connect(address.name)
        waiting.send(b"x")
