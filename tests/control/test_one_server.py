"""One server at a time: while it starts, beside a second one, after it was stopped, killed or has died."""

from __future__ import annotations

import socket
import subprocess
import sys
from itertools import chain, repeat
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from app.control import transport
from app.control.commands import Command
from app.control.server import ControlServer
from app.control.transport import (
    CONNECT_TIMEOUT_S,
    SOCKET_FILE,
    ControlAddress,
    ControlError,
    Endpoint,
    ask,
    take_ownership,
)
from app.testing.parts import FakeClock
from tests.control.conftest import posix_only, socket_address
from tests.control.recorder import Recorder, serving
from tests.paths import ROOT
from tests.waiting import eventually


def test_without_a_running_program(address: ControlAddress) -> None:
    with pytest.raises(ControlError, match="not running"):
        ask(Command("pause"), at=lambda: address)


def test_a_second_program_does_not_take_over(
    address: ControlAddress, server: ControlServer, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(lambda: address):
        assert "Another Mattecam" in caplog.text
    assert ask(Command("pause"), at=lambda: address).done


@posix_only
def test_a_full_backlog_is_neither_free_to_take_nor_not_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.control.transport.CONNECT_TIMEOUT_S", 0.2)
    address = socket_address(tmp_path / "run")
    with take_ownership(address.folder), socket.socket(socket.AF_UNIX) as busy:
        path = address.folder / SOCKET_FILE
        busy.bind(str(path))
        busy.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(8)]
        try:
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(str(path))
            assert address.connect() is None
            with serving(lambda: address):
                assert "Another Mattecam" in caplog.text
            assert path.exists()
            with pytest.raises(ControlError, match="is running but accepts no connection"):
                ask(Command("pause"), at=lambda: address)
        finally:
            for client in waiting:
                client.close()


def test_it_can_be_started_again_after_the_first_has_stopped(address: ControlAddress) -> None:
    for _ in range(2):
        with serving(lambda: address) as server:
            assert ask(Command("pause"), at=lambda: address).done
        assert server.stop()
    assert address.connect() is None
    assert not address.in_use()


def test_a_server_that_was_never_started_can_be_stopped(address: ControlAddress) -> None:
    assert ControlServer(Recorder(), at=lambda: address).stop()


@posix_only
def test_a_killed_program_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    address = socket_address(tmp_path / "run")
    code = (
        "import os, sys; from pathlib import Path; from app.control.transport import ControlAddress, Endpoint;"
        "kept = Endpoint(ControlAddress(Path(sys.argv[1]))); print('open', flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(address.folder)], capture_output=True, text=True, cwd=ROOT)
    assert killed.stdout == "open\n"
    assert (address.folder / SOCKET_FILE).exists()
    with serving(lambda: address):
        assert ask(Command("pause"), at=lambda: address).done
    assert not (address.folder / SOCKET_FILE).exists()


def test_a_thread_that_ends_without_being_stopped_has_died(
    address: ControlAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = Mock(Endpoint, **{"accept.side_effect": ZeroDivisionError("a defect")})
    with monkeypatch.context() as patched:
        patched.setattr("app.control.server.Endpoint", lambda _address: endpoint)
        broken = ControlServer(Recorder(), at=lambda: address)
        assert not broken.thread.died
        broken.start()
    eventually(lambda: broken.thread.died)
    assert broken.stop()
    assert not broken.thread.died
    with serving(lambda: address) as working:
        assert not working.thread.died
    assert not working.thread.died


@pytest.mark.parametrize(("refuses", "accepted"), [(3, True), (1000, False)])
def test_a_program_that_starts_is_waited_for(
    address: ControlAddress, server: ControlServer, refuses: int, accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(100.0)

    def sleep(seconds: float) -> None:
        clock.now_s += seconds

    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=clock, sleep=sleep))
    attempts = chain(repeat(None, refuses), map(ControlAddress.connect, repeat(address)))
    starting = Mock(
        ControlAddress, folder=address.folder, **{"connect.side_effect": attempts, "in_use.return_value": True}
    )
    if accepted:
        assert ask(Command("status"), at=lambda: starting).done
    else:
        with pytest.raises(ControlError, match="accepts no connection"):
            ask(Command("status"), at=lambda: starting)
        assert clock.now_s == pytest.approx(100 + CONNECT_TIMEOUT_S, abs=0.1)


def test_a_program_that_answers_too_late_did_not_close_the_connection(
    address: ControlAddress, controller: Recorder, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_TIMEOUT_S", 0.1)
    with pytest.raises(ControlError, match="did not answer"):
        ask(Command("scene", "slow"), at=lambda: address)
    controller.close()
