"""Server and client over both ways that lines can travel."""

from __future__ import annotations

import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.control import Command, ControlServer, NotRunningError, ask
from app.control.commands import JsonValue
from app.control.pipe import SECRET_FILE, PipeEndpoint, connect_pipe
from app.control.transport import Call, ControlError, Endpoint, SocketEndpoint, connect_socket, make_private
from app.core.errors import SettingsError


@dataclass
class Recorder:
    """A controller that notes what it is asked."""

    asked: list[tuple[str, object]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def _note(self, name: str, value: object = None) -> str:
        self.asked.append((name, value))
        self.threads.add(threading.current_thread().name)
        return f"{name} done"

    def background(self, name: str) -> str:
        return self._note("background", name)

    def pause(self) -> str:
        return self._note("pause")

    def resume(self) -> str:
        return self._note("resume")

    def freeze(self) -> str:
        return self._note("freeze")

    def scene(self, name: str) -> str:
        if name == "nowhere":
            raise SettingsError("There is no scene 'nowhere'; there are none.")
        return self._note("scene", name)

    def ratio(self, ratio: float | None) -> str:
        if ratio == 0.5:
            raise ZeroDivisionError("a fault of the program")
        return self._note("ratio", ratio)

    def zoom(self, zoom: float) -> str:
        return self._note("zoom", zoom)

    def status(self) -> Mapping[str, JsonValue]:
        return {"model": "student", "size": [640, 480], "virtual_camera": None}

    def quit(self) -> str:
        return self._note("quit")


@dataclass(frozen=True)
class Way:
    """One way for the lines, in a folder of its own."""

    open_endpoint: Callable[[], Endpoint]
    connect: Callable[[], Call | None]


@pytest.fixture(params=["socket", "pipe"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    if request.param == "socket":
        path = tmp_path / "run" / "control.sock"
        return Way(lambda: SocketEndpoint(path), lambda: connect_socket(path))
    folder = tmp_path / "run"
    # multiprocessing speaks the same over a unix socket as over a named pipe
    address = str(tmp_path / "pipe") if sys.platform != "win32" else rf"\\.\pipe\{tmp_path.name}"
    return Way(lambda: PipeEndpoint(address, folder), lambda: connect_pipe(address, folder))


@pytest.fixture
def controller() -> Recorder:
    return Recorder()


@pytest.fixture
def server(way: Way, controller: Recorder) -> Iterator[ControlServer]:
    server = ControlServer(controller, open_at=way.open_endpoint)
    server.start()
    assert server.note == ""
    yield server
    assert server.stop()


def test_every_command_arrives_and_is_answered(way: Way, controller: Recorder, server: ControlServer) -> None:
    commands = [
        (Command("background", "next"), ("background", "next")),
        (Command("background", "Büro am Meer.png"), ("background", "Büro am Meer.png")),
        (Command("pause"), ("pause", None)),
        (Command("resume"), ("resume", None)),
        (Command("freeze"), ("freeze", None)),
        (Command("scene", "Work call"), ("scene", "Work call")),
        (Command("ratio", "0.3"), ("ratio", 0.3)),
        (Command("ratio", "auto"), ("ratio", None)),
        (Command("zoom", "1.5"), ("zoom", 1.5)),
        (Command("quit"), ("quit", None)),
    ]
    for command, _ in commands:
        answer = ask(command, connect_to=way.connect)
        assert answer.done and answer.message == f"{command.name} done"
    assert controller.asked == [expected for _, expected in commands]
    assert controller.threads == {"control"}


def test_the_status_comes_back_as_it_is(way: Way, server: ControlServer) -> None:
    answer = ask(Command("status"), connect_to=way.connect)
    assert answer.status == {"model": "student", "size": [640, 480], "virtual_camera": None}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Command("scene", "nowhere"), "There is no scene 'nowhere'"),
        (Command("ratio", "7"), "between 0.05 and 1"),
        (Command("zoom", "0.5"), "between 1 and 4"),
        (Command("zoom", "nan"), "between 1 and 4"),
        (Command("ratio", "nan"), "between 0.05 and 1"),
        (Command("dance"), "There is no command 'dance'"),
        (Command("pause", "now"), "no further words"),
        (Command("scene"), "needs one more word"),
    ],
)
def test_what_cannot_be_done_is_said(way: Way, server: ControlServer, command: Command, words: str) -> None:
    answer = ask(command, connect_to=way.connect)
    assert not answer.done and words in answer.message
    assert ask(Command("pause"), connect_to=way.connect).done, "the server goes on"


@pytest.mark.error_logs
def test_a_fault_of_the_program_ends_neither_server_nor_caller(
    way: Way, server: ControlServer, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(Command("ratio", "0.5"), connect_to=way.connect)
    assert not answer.done and "ZeroDivisionError: a fault of the program" in answer.message
    assert "a control command failed" in caplog.text
    assert ask(Command("pause"), connect_to=way.connect).done


@pytest.mark.parametrize(
    "line", [b"\n", b"hello\n", b"[1,2]\n", b"\xff\xfe\x00\n", b'{"command": 7}\n', b"[" * 5000 + b"\n", b'"pause"\n']
)
def test_nonsense_is_answered_or_dropped(way: Way, server: ControlServer, line: bytes) -> None:
    call = way.connect()
    assert call is not None
    call.send(line)
    reply = call.receive()
    call.close()
    assert reply.startswith(b'{"done": false')
    assert ask(Command("pause"), connect_to=way.connect).done


def test_a_flood_without_a_line_end_is_dropped(way: Way, server: ControlServer) -> None:
    call = way.connect()
    assert call is not None
    try:
        for _ in range(64):
            call.send(b"x" * 8192)
    except OSError:
        pass  # the server has hung up
    call.close()
    assert ask(Command("pause"), connect_to=way.connect).done


def test_a_silent_caller_blocks_the_next_one_only_for_a_while(way: Way, server: ControlServer) -> None:
    silent = way.connect()
    assert silent is not None
    assert ask(Command("pause"), connect_to=way.connect).done
    silent.close()


def test_nobody_there(way: Way) -> None:
    with pytest.raises(NotRunningError, match="not running"):
        ask(Command("pause"), connect_to=way.connect)


def test_the_second_program_says_that_the_first_is_steered(way: Way, server: ControlServer) -> None:
    second = ControlServer(Recorder(), open_at=way.open_endpoint)
    second.start()
    assert "Another Mattecam" in second.note
    assert second.stop()
    assert ask(Command("pause"), connect_to=way.connect).done


def test_it_can_be_started_again_after_the_first_has_gone(way: Way) -> None:
    for _ in range(2):
        server = ControlServer(Recorder(), open_at=way.open_endpoint)
        server.start()
        assert server.note == "" and ask(Command("pause"), connect_to=way.connect).done
        assert server.stop() and server.stop()
    assert way.connect() is None


def test_a_server_that_was_never_started_can_be_stopped(way: Way) -> None:
    assert ControlServer(Recorder(), open_at=way.open_endpoint).stop()


@pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")
def test_what_a_killed_program_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = ControlServer(Recorder(), open_at=lambda: SocketEndpoint(path))
    server.start()
    assert server.note == "" and ask(Command("pause"), connect_to=lambda: connect_socket(path)).done
    assert server.stop() and not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="unix permissions")
def test_only_this_user_can_come_in(tmp_path: Path) -> None:
    path = tmp_path / "run" / "control.sock"
    endpoint = SocketEndpoint(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    endpoint.close()
    folder = tmp_path / "pipe-run"
    pipe = PipeEndpoint(str(tmp_path / "pipe"), folder)
    assert stat.S_IMODE((folder / SECRET_FILE).stat().st_mode) == 0o600
    pipe.close()
    assert not (folder / SECRET_FILE).exists()


def test_a_pipe_caller_without_the_secret_is_turned_away(tmp_path: Path) -> None:
    address, folder, other = str(tmp_path / "pipe"), tmp_path / "run", tmp_path / "other"
    controller = Recorder()
    server = ControlServer(controller, open_at=lambda: PipeEndpoint(address, folder))
    server.start()
    other.mkdir()
    (other / SECRET_FILE).write_bytes(b"guessed")
    with pytest.raises(NotRunningError):
        ask(Command("pause"), connect_to=lambda: connect_pipe(address, other))
    assert controller.asked == []
    assert ask(Command("pause"), connect_to=lambda: connect_pipe(address, folder)).done
    assert server.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="unix permissions")
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


def test_a_folder_that_cannot_be_made_is_a_note_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    server = ControlServer(Recorder(), open_at=lambda: SocketEndpoint(tmp_path / "file" / "run" / "control.sock"))
    server.start()
    assert "cannot be made" in server.note and server.stop()


def test_a_path_too_long_for_a_socket_is_a_note(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    server = ControlServer(Recorder(), open_at=lambda: SocketEndpoint(folder / "control.sock"))
    server.start()
    assert "cannot be opened" in server.note and server.stop()
