"""Server and client over a socket and over a pipe."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import paths
from app.control import Command, ControlServer, NotRunningError, ask
from app.control.folder import LOCK_FILE, ControlError, control_folder, make_private, take_ownership
from app.control.pipe import SECRET_FILE, PipeEndpoint, connect_pipe
from app.control.place import SOCKET_FILE, Place
from app.control.transport import REQUEST_TIMEOUT_S, Call, SocketEndpoint
from app.core.messages.control import ControlText
from tests.control.recorder import Recorder
from tests.paths import ROOT
from tests.waiting import eventually

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets and permissions")


def socket_place(folder: Path) -> Place:
    folder.mkdir(mode=0o700, exist_ok=True)
    return Place(folder)


@pytest.fixture(params=["socket", "pipe"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    if request.param == "socket":
        return Place(folder)
    # multiprocessing speaks the same protocol over a Unix socket as over a named pipe
    return Place(folder, str(tmp_path / "pipe") if sys.platform != "win32" else rf"\\.\pipe\{tmp_path.name}")


@pytest.fixture
def controller() -> Recorder:
    return Recorder()


@pytest.fixture
def server(place: Place, controller: Recorder) -> Iterator[ControlServer]:
    server = ControlServer(controller, at=lambda: place)
    server.start()
    assert server.note == ""
    yield server
    assert server.stop()


def test_every_command_arrives_and_is_answered(place: Place, controller: Recorder, server: ControlServer) -> None:
    commands = [
        Command("background", "next"),
        Command("background", "Büro am Meer.png"),
        Command("framing", "1.5 0,-1"),
        Command("freeze"),
        Command("model", "auto"),
        Command("pause"),
        Command("pause", "toggle"),
        Command("quit"),
        Command("ratio", "auto"),
        Command("record", "/videos/a.mp4"),
        Command("resume"),
        Command("scene", "Work call"),
        Command("snapshot", "/pictures/a.png"),
        Command("zoom", "1.5"),
    ]
    for command in commands:
        answer = ask(command, at=lambda: place)
        assert answer.done
        assert answer.message == f"{command.name} done"
    assert controller.commands == commands
    assert threading.main_thread() not in controller.threads


def test_the_status_is_returned_unchanged(place: Place, controller: Recorder, server: ControlServer) -> None:
    assert ask(Command("status"), at=lambda: place).status == controller.status()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Command("scene", "nowhere"), "There is no scene 'nowhere'"),
        (Command("ratio", "7"), "between 0.05 and 1"),
        (Command("zoom", "0.5"), "between 1 and 4"),
        (Command("zoom", "nan"), "between 1 and 4"),
        (Command("ratio", "nan"), "between 0.05 and 1"),
        (Command("framing", "1.5 2,0"), "between -1,-1 and 1,1"),
        (Command("framing", "near"), "whole, calm, close or a zoom"),
        (Command("dance"), "the commands are autostart, background, background-view, framing, freeze"),
        (Command("pause", "now"), "the choices are on, off, toggle"),
        (Command("resume", "now"), "takes no argument"),
        (Command("scene"), "needs an argument: NAME"),
        (Command("background"), "next|NAME|NUMBER"),
    ],
)
def test_errors_are_answered_with_the_choices(
    place: Place, server: ControlServer, command: Command, words: str
) -> None:
    answer = ask(command, at=lambda: place)
    assert not answer.done
    assert words in answer.message
    assert ask(Command("pause"), at=lambda: place).done, "the server keeps serving"


@pytest.mark.error_logs
def test_a_defect_in_a_command_is_answered_and_logged(
    place: Place, server: ControlServer, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(Command("ratio", "0.5"), at=lambda: place)
    assert not answer.done
    assert answer.message == ControlText.FAILED()
    assert any(record.exc_info and isinstance(record.exc_info[1], ZeroDivisionError) for record in caplog.records)
    assert "A control command failed" in caplog.text
    assert ask(Command("pause"), at=lambda: place).done


@pytest.mark.parametrize(
    "line", [b"\n", b"hello\n", b"[1,2]\n", b"\xff\xfe\x00\n", b'{"command": 7}\n', b"[" * 5000 + b"\n", b'"pause"\n']
)
def test_invalid_lines_are_refused(place: Place, server: ControlServer, line: bytes) -> None:
    call = place.connect()
    assert call is not None
    call.send(line)
    reply = call.receive()
    call.close()
    assert reply.startswith(b'{"done": false')
    assert ask(Command("pause"), at=lambda: place).done


def test_a_line_without_an_end_is_limited_in_length(place: Place, server: ControlServer) -> None:
    call = place.connect()
    assert call is not None
    try:
        for _ in range(64):
            call.send(b"x" * 8192)
    except OSError:
        pass  # the server closed the connection
    call.close()
    assert ask(Command("pause"), at=lambda: place).done


def test_silent_clients_delay_nobody(place: Place, server: ControlServer) -> None:
    silent = [place.connect() for _ in range(8)]
    started_s = time.monotonic()
    assert ask(Command("pause"), at=lambda: place).done
    assert time.monotonic() - started_s < REQUEST_TIMEOUT_S / 2
    for call in silent:
        assert call is not None
        call.close()


def test_a_slow_command_delays_no_other(place: Place, controller: Recorder, server: ControlServer) -> None:
    slow = threading.Thread(target=lambda: ask(Command("model", "slow"), at=lambda: place))
    slow.start()
    assert controller.entered.wait(10)
    assert ask(Command("pause"), at=lambda: place).done
    assert controller.commands == [Command("pause")]
    controller.close()
    slow.join(10)
    assert not slow.is_alive()


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
def test_a_client_that_sends_a_byte_at_a_time_is_cut_off_and_delays_no_stop(tmp_path: Path) -> None:
    place = socket_place(tmp_path / "run")
    server = ControlServer(Recorder(), at=lambda: place)
    server.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place.folder / SOCKET_FILE))
        client.settimeout(0.2)
        started_s, closed = time.monotonic(), False
        while not closed and time.monotonic() - started_s < 3 * REQUEST_TIMEOUT_S:
            closed = cut_off(client)
        assert closed
        assert ask(Command("pause"), at=lambda: place).done
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place.folder / SOCKET_FILE))
        client.send(b"x")
        started_s = time.monotonic()
        assert server.stop()
        assert time.monotonic() - started_s < REQUEST_TIMEOUT_S + 1


def test_stopping_answers_a_running_command(place: Place, controller: Recorder) -> None:
    server = ControlServer(controller, at=lambda: place)
    server.start()
    answers: list[str] = []
    client = threading.Thread(target=lambda: answers.append(ask(Command("model", "slow"), at=lambda: place).message))
    client.start()
    assert controller.entered.wait(10)
    assert server.stop()
    client.join(10)
    assert answers == ["model done"]


def test_without_a_running_program(place: Place) -> None:
    with pytest.raises(NotRunningError, match="not running"):
        ask(Command("pause"), at=lambda: place)


def test_a_second_program_does_not_take_over(place: Place, server: ControlServer) -> None:
    second = ControlServer(Recorder(), at=lambda: place)
    second.start()
    assert "Another Mattecam" in second.note
    assert second.stop()
    assert ask(Command("pause"), at=lambda: place).done


@posix_only
def test_a_full_backlog_is_neither_free_to_take_nor_not_running(tmp_path: Path) -> None:
    place = socket_place(tmp_path / "run")
    with take_ownership(place.folder), socket.socket(socket.AF_UNIX) as busy:
        path = place.folder / SOCKET_FILE
        busy.bind(str(path))
        busy.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(8)]
        try:
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(str(path))
            assert place.connect() is None
            second = ControlServer(Recorder(), at=lambda: place)
            second.start()
            assert "Another Mattecam" in second.note
            assert path.exists()
            with pytest.raises(NotRunningError, match="is running but accepts no connection"):
                ask(Command("pause"), at=lambda: place)
        finally:
            for client in waiting:
                client.close()


def test_it_can_be_started_again_after_the_first_has_stopped(place: Place) -> None:
    for _ in range(2):
        server = ControlServer(Recorder(), at=lambda: place)
        server.start()
        assert server.note == ""
        assert ask(Command("pause"), at=lambda: place).done
        assert server.stop()
        assert server.stop()
    assert place.connect() is None
    assert not place.in_use()


def test_a_server_that_was_never_started_can_be_stopped(place: Place) -> None:
    assert ControlServer(Recorder(), at=lambda: place).stop()


@posix_only
def test_a_killed_program_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    place = socket_place(tmp_path / "run")
    code = (
        "import os, sys; from pathlib import Path; from app.control.place import Place;"
        "Place(Path(sys.argv[1])).open(); print('open', flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(place.folder)], capture_output=True, text=True, cwd=ROOT)
    assert killed.stdout == "open\n"
    assert (place.folder / SOCKET_FILE).exists()
    server = ControlServer(Recorder(), at=lambda: place)
    server.start()
    assert server.note == ""
    assert ask(Command("pause"), at=lambda: place).done
    assert server.stop()
    assert not (place.folder / SOCKET_FILE).exists()


@posix_only
def test_only_the_user_can_open_what_it_creates(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    make_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    endpoint = SocketEndpoint(folder / SOCKET_FILE)
    for name in (SOCKET_FILE, LOCK_FILE):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    endpoint.close()
    pipe = PipeEndpoint(str(tmp_path / "pipe"), folder)
    assert stat.S_IMODE((folder / SECRET_FILE).stat().st_mode) == 0o600
    pipe.close()
    assert not (folder / SECRET_FILE).exists()


def test_a_pipe_client_without_the_secret_is_refused(tmp_path: Path, controller: Recorder) -> None:
    address, folder, other = str(tmp_path / "pipe"), tmp_path / "run", tmp_path / "other"
    for path in (folder, other):
        path.mkdir(mode=0o700)
    server = ControlServer(controller, at=lambda: Place(folder, address))
    server.start()
    (other / SECRET_FILE).write_bytes(b"guessed")
    call = connect_pipe(address, other)
    assert call is not None
    with contextlib.suppress(OSError):  # the server has closed the connection already
        call.send(Command("pause").encode())
        assert call.receive() == b""
    call.close()
    assert controller.commands == []
    assert ask(Command("pause"), at=lambda: Place(folder, address)).done
    assert server.stop()


@posix_only
def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_private(tmp_path / "own")
    make_private(tmp_path / "own")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "own")
    for name in ("open", "link"):
        with pytest.raises(ControlError, match="Other users can write"):
            make_private(tmp_path / name)
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(ControlError, match="Other users can write"):
        make_private(tmp_path / "own")


@posix_only
@pytest.mark.parametrize("state", ["of another user", "a file"])
def test_an_unusable_runtime_folder_is_replaced_with_a_warning(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "runtime"
    if state == "a file":
        folder.write_text("")
    else:
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
    monkeypatch.setenv("MATTECAM_RUNTIME_DIR", str(folder))
    caplog.set_level(logging.WARNING)
    server = ControlServer(Recorder())
    server.start()
    assert server.note == ""
    assert control_folder() == paths.data_dir() / "run"
    assert f"{paths.data_dir() / 'run'} is used instead" in caplog.text
    assert ask(Command("pause")).done
    assert server.stop()


def test_a_folder_that_cannot_be_created_leaves_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    for name in ("MATTECAM_RUNTIME_DIR", "MATTECAM_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "file" / "run"))
    server = ControlServer(Recorder())
    server.start()
    assert "cannot be created" in server.note
    assert server.stop()
    with pytest.raises(NotRunningError, match="cannot be created"):
        ask(Command("pause"))


def test_a_path_too_long_for_a_socket_leaves_a_note_and_no_lock(tmp_path: Path) -> None:
    place = socket_place(tmp_path / ("x" * 120))
    server = ControlServer(Recorder(), at=lambda: place)
    server.start()
    assert "cannot be opened" in server.note
    assert server.stop()
    eventually(lambda: not place.in_use())


class BrokenEndpoint:
    """Endpoint that fails to accept, like a socket whose folder was deleted."""

    def accept(self) -> Call | None:
        return None

    def wake(self) -> None:
        """Do nothing: no call of `accept` blocks."""

    def close(self) -> None:
        """Do nothing: no connection is open."""


class BrokenPlace(Place):
    def open(self) -> BrokenEndpoint:
        return BrokenEndpoint()


def test_a_thread_that_ends_without_being_stopped_has_died(tmp_path: Path, place: Place) -> None:
    broken = ControlServer(Recorder(), at=lambda: BrokenPlace(tmp_path))
    assert not broken.died
    broken.start()
    eventually(lambda: broken.died)
    assert broken.stop()
    assert not broken.died
    working = ControlServer(Recorder(), at=lambda: place)
    working.start()
    assert not working.died
    assert working.stop()
    assert not working.died
