"""Clients that send nonsense, too much or hardly anything, or that may not ask, end and delay nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

import pytest

from app.control.address import SOCKET_FILE, Call, ControlAddress
from app.control.client import ask
from app.control.commands import Command
from app.control.pipe import SECRET_FILE, connect_pipe
from app.control.server import RETRY_S, ControlServer
from tests.control.conftest import posix_only, socket_address
from tests.control.recorder import Recorder, serving
from tests.waiting import eventually


def connected(address: ControlAddress) -> Call:
    call = address.connect()
    assert call is not None
    return call


@pytest.mark.parametrize(
    "line", [b"\n", b"hello\n", b"[1,2]\n", b"\xff\xfe\x00\n", b'{"command": 7}\n', b"[" * 5000 + b"\n", b'"pause"\n']
)
def test_invalid_lines_are_refused(address: ControlAddress, server: ControlServer, line: bytes) -> None:
    call = connected(address)
    call.send(line)
    reply = call.receive()
    call.close()
    assert reply.startswith(b'{"done": false')
    assert ask(Command("pause"), at=lambda: address).done


def test_a_line_without_an_end_is_limited_in_length(address: ControlAddress, server: ControlServer) -> None:
    call = connected(address)
    try:
        for _ in range(64):
            call.send(b"x" * 8192)
    except OSError:
        pass  # the server closed the connection
    call.close()
    assert ask(Command("pause"), at=lambda: address).done


def test_silent_clients_delay_nobody(
    address: ControlAddress, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.control.transport.REQUEST_TIMEOUT_S", 100.0)
    silent = [connected(address) for _ in range(8)]
    started_s = time.monotonic()
    assert ask(Command("pause"), at=lambda: address).done
    assert time.monotonic() - started_s < 60.0
    for call in silent:
        call.close()


def cut_off(client: socket.socket) -> bool:
    """Send one byte and return whether the server has closed the connection."""
    try:
        client.send(b"x")
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


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
            client.connect(str(address.folder / SOCKET_FILE))
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
            with contextlib.closing(connected(address)) as call:
                assert call.receive() == b""
        assert ask(Command("pause"), at=lambda: address).done


@posix_only
def test_a_client_that_sends_a_byte_at_a_time_is_cut_off_and_delays_no_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.control.transport.REQUEST_TIMEOUT_S", 0.5)
    address = socket_address(tmp_path / "run")
    with socket.socket(socket.AF_UNIX) as waiting, serving(lambda: address):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(address.folder / SOCKET_FILE))
            client.settimeout(0.2)
            eventually(lambda: cut_off(client))
            assert ask(Command("pause"), at=lambda: address).done
        waiting.connect(str(address.folder / SOCKET_FILE))
        waiting.send(b"x")


def test_a_pipe_client_without_the_secret_is_refused(tmp_path: Path, controller: Recorder) -> None:
    address, folder, other = str(tmp_path / "pipe"), tmp_path / "run", tmp_path / "other"
    for path in (folder, other):
        path.mkdir(mode=0o700)
    with serving(lambda: ControlAddress(folder, address), controller):
        (other / SECRET_FILE).write_bytes(b"guessed")
        call = connect_pipe(address, other)
        assert call is not None
        with contextlib.suppress(OSError):  # the server has closed the connection already
            call.send(Command("pause").encode())
            assert call.receive() == b""
        call.close()
        assert controller.commands == []
        assert ask(Command("pause"), at=lambda: ControlAddress(folder, address)).done
