"""The control socket: its server, its folder, and clients that misbehave."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.control import server as server_module
from app.control import transport
from app.control.commands import Answer, Command
from app.control.program import RunningProgram
from app.control.server import RETRY_S, ControlServer
from app.control.transport import ControlAddress, ControlError, Endpoint, OtherProgramError, ask
from app.core.files import lock_file
from tests.control.conftest import Recorder, serving
from tests.paths import ROOT
from tests.stand_ins import always
from tests.waiting import beside, eventually

ADDRESSES = ["pipe"] if sys.platform == "win32" else ["socket", "pipe"]


@pytest.fixture
def unix(tmp_path: Path) -> ControlAddress:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    return ControlAddress(folder)


@pytest.fixture(params=ADDRESSES)
def address(request: pytest.FixtureRequest, unix: ControlAddress, tmp_path: Path) -> ControlAddress:
    """Both: multiprocessing speaks the same protocol over a Unix socket as over a named pipe."""
    pipe = rf"\\.\pipe\{tmp_path.name}" if sys.platform == "win32" else str(tmp_path / "pipe")
    return unix if request.param == "socket" else ControlAddress(unix.folder, pipe)


@pytest.fixture
def controller() -> Recorder:
    return Recorder()


@pytest.fixture
def server(address: ControlAddress, controller: Recorder) -> Iterator[ControlServer]:
    with serving(always(address), controller) as server:
        assert address.knock()
        yield server


def asked(address: ControlAddress, name: str = "pause", argument: str = "") -> Answer:
    """Return the answer of the program that listens at the address."""
    return ask(Command(name, argument), at=always(address))


@contextlib.contextmanager
def connected(address: ControlAddress) -> Iterator[Connection]:
    """Yield a connection, and assert that the server still answers others."""
    connection = address.connect()
    assert connection is not None
    with connection:
        yield connection
    assert asked(address).done


def test_a_server_can_be_started_again_after_the_first_has_stopped(address: ControlAddress) -> None:
    assert ControlServer(Recorder(), RunningProgram(always(address))).stop(), "it was never started"
    for _ in range(2):
        with pytest.raises(ControlError, match="not running"):
            asked(address)
        with serving(always(address)) as server:
            assert asked(address).done
        assert server.stop()
    assert address.connect() is None


def test_a_second_program_does_not_take_over(
    address: ControlAddress, server: ControlServer, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(always(address)):
        assert "Another Mattecam" in caplog.text
    assert asked(address).done


@pytest.mark.posix("Unix sockets", part="app.control.transport")
def test_a_full_backlog_is_neither_free_to_take_nor_not_running(
    unix: ControlAddress, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.ExitStack() as opened:
        busy, *waiting = (opened.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(9))
        busy.bind(unix.name)
        busy.listen(0)
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(unix.name)
        with serving(always(unix)):
            assert "Another Mattecam" in caplog.text
        with pytest.raises(ControlError, match="is running but accepts no connection"):
            asked(unix)


def test_a_killed_program_leaves_nothing_in_the_way(address: ControlAddress) -> None:
    code = (
        "import os, sys; from pathlib import Path; from app.control.transport import ControlAddress, Endpoint;"
        "kept = Endpoint(ControlAddress(Path(sys.argv[1]), sys.argv[2] or None)); print('open', flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    words = [sys.executable, "-c", code, str(address.folder), address.pipe or ""]
    killed = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    left = address.name

    assert killed.stdout == "open\n"
    assert Path(left).exists() is (sys.platform != "win32"), "a named pipe ends with its program"
    with serving(always(address)):
        assert asked(address).done
    if address.pipe is None:
        assert not Path(left).exists()


def test_a_program_that_answers_too_late_did_not_close_the_connection(
    address: ControlAddress,
    controller: Recorder,
    server: ControlServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "ANSWER_TIMEOUT_S", 0.1)
    with pytest.raises(ControlError, match="did not answer"):
        asked(address, "scene", "slow")
    controller.close()


@pytest.mark.parametrize(
    "request_bytes",
    [b"\n", b"hello", b"\xff\xfe\x00", b'{"name": "pause"}', b" pause", b"pause now", b"[" * 5000],
)
def test_invalid_requests_are_refused(
    address: ControlAddress, server: ControlServer, request_bytes: bytes
) -> None:
    with connected(address) as connection:
        transport.send(connection, address, request_bytes)
        assert connection.recv_bytes().startswith(b'{"done": false')


def test_an_answer_may_name_a_file_whose_name_is_not_in_utf8(
    address: ControlAddress,
    controller: Recorder,
    server: ControlServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def repeat(command: Command) -> str:
        return command.argument

    monkeypatch.setattr(controller, "run", repeat)
    assert asked(address, "record", "caf\udce9.mkv").message == "caf\udce9.mkv"


def test_an_answer_of_any_length_arrives_whole(
    address: ControlAddress,
    controller: Recorder,
    server: ControlServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the socket does not hold at once was never sent: `status` was not answered after many problems."""
    problems = ["The camera failed."] * 100_000
    monkeypatch.setattr(controller, "status", always({"errors": problems}))

    answer = asked(address, "status")

    assert answer.status == {"errors": problems}


@pytest.mark.posix("Unix sockets", part="app.control.transport")
def test_a_client_that_does_not_read_its_answer_holds_no_thread(
    unix: ControlAddress, controller: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "SEND_LIMIT_S", 0.2)
    monkeypatch.setattr(controller, "status", always({"errors": ["x" * 1_000_000]}))
    server = ControlServer(controller, RunningProgram(always(unix)))
    server.listen()
    server.start()
    silent = unix.connect()
    assert silent is not None

    with silent:
        transport.send(silent, unix, b"status ")
        assert server.stop(60.0)


@pytest.mark.parametrize("kind", ["too long", "without secret", "wrong secret", "empty", "pickle"])
def test_other_messages_are_not_answered(
    address: ControlAddress, server: ControlServer, controller: Recorder, kind: str
) -> None:
    command = b"pause"
    secret = (address.folder / transport.SECRET_FILE).read_bytes()
    messages = {
        "too long": secret + command + b" " * transport.MAX_REQUEST_BYTES,
        "without secret": command,
        "wrong secret": b"x" * transport.SECRET_BYTES + command,
        "empty": b"",
    }

    with connected(address) as connection, pytest.raises((EOFError, OSError)):
        if kind == "pickle":
            connection.send({"name": "pause"})
        else:
            connection.send_bytes(messages[kind])
        connection.recv_bytes()

    assert controller.commands == [Command("pause")], "that of `connected` alone"


def test_silent_clients_delay_nobody(
    address: ControlAddress, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "REQUEST_TIMEOUT_S", 100.0)
    silent = [address.connect() for _ in range(8)]
    started_s = time.monotonic()
    assert asked(address).done
    assert time.monotonic() - started_s < 60.0
    for connection in filter(None, silent):
        connection.close()


@pytest.mark.posix("Unix sockets", part="app.control.transport")
@pytest.mark.parametrize(
    "sent", [b"", b"x", struct.pack("!i", 100) + b"x", struct.pack("!iQ", -1, 1 << 40)]
)
def test_a_client_that_does_not_send_its_request_at_once_is_cut_off(
    unix: ControlAddress, sent: bytes
) -> None:
    with serving(always(unix)), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(unix.name)
        with contextlib.suppress(BrokenPipeError):  # it may have been cut off already
            client.sendall(sent)
        assert asked(unix).done
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""


@pytest.mark.posix("Unix sockets", part="app.control.transport")
def test_commands_are_accepted_again_once_files_can_be_opened_again(
    unix: ControlAddress, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread ended, and no command was accepted any more."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with serving(always(unix)), socket.socket(socket.AF_UNIX) as client:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            client.connect(unix.name)
            eventually(lambda: bool(caplog.records))
            threading.Event().wait(3 * RETRY_S)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert asked(unix).done
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "Too many open files" in warning


@pytest.mark.posix("modes of files")
def test_only_the_user_can_open_what_it_creates(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    transport.make_private(folder)
    endpoint = Endpoint(ControlAddress(folder))
    files = folder, folder / transport.SOCKET_FILE, folder / transport.SECRET_FILE
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o700, 0o600, 0o600]
    endpoint.close()
    lock = folder / transport.LOCK_FILE
    assert list(folder.iterdir()) == [lock] and stat.S_IMODE(lock.stat().st_mode) == 0o600


def test_a_program_that_has_the_lock_and_does_not_listen_yet_owns_the_address(
    address: ControlAddress,
) -> None:
    """Of two that started together, both found that nobody listened."""
    first = Endpoint(address)
    if sys.platform != "win32":
        Path(address.name).unlink()  # as before it is made

    with pytest.raises(OtherProgramError, match="Another Mattecam"):
        Endpoint(address)

    first.close()
    Endpoint(address).close()


@pytest.mark.posix("Unix sockets", part="app.control.transport")
def test_the_end_of_a_program_leaves_the_address_of_the_next_one(unix: ControlAddress) -> None:
    """The folder of a session is removed when the session ends, and made again for the next one."""
    first = Endpoint(unix)
    shutil.rmtree(unix.folder)
    unix.folder.mkdir(mode=0o700)

    with serving(always(unix)):
        first.close()
        assert asked(unix).done


@pytest.mark.posix("Unix sockets", part="app.control.transport")
@pytest.mark.parametrize("broken", ["socket", "secret", "folder"])
def test_closing_never_raises_and_leaves_the_lock(
    unix: ControlAddress, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that lost its right to write kept recordings from being finished: nothing after it was done."""
    endpoint = Endpoint(unix)
    if broken == "folder":
        shutil.rmtree(unix.folder)
    else:  # a folder in its place cannot be removed, whoever the user is
        file = Path(unix.name) if broken == "socket" else unix.folder / transport.SECRET_FILE
        file.unlink()
        file.mkdir()

    endpoint.close()

    assert ("could not be closed completely" in caplog.text) is (broken != "folder")
    if broken != "folder":
        lock = lock_file(unix.folder / transport.LOCK_FILE, wait=False)
        assert lock is not None
        lock.close()


@pytest.mark.posix("Unix sockets", part="app.control.transport")
def test_a_server_ends_although_its_socket_was_removed(unix: ControlAddress) -> None:
    """Nothing could connect to it to wake it, so that the end was reported as that of a hanging driver."""
    with serving(always(unix)):
        shutil.rmtree(unix.folder)


@pytest.mark.posix("Unix sockets", part="app.control.transport")
def test_a_socket_whose_name_is_too_long_is_named(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir(mode=0o700)

    with pytest.raises(
        ControlError, match="cannot be opened: its name is too long for a socket; name a shorter"
    ):
        Endpoint(ControlAddress(folder))


@pytest.mark.posix("file systems without locks")
def test_without_locks_no_program_owns_the_address(
    unix: ControlAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = OSError(errno.ENOLCK, "No locks available")
    monkeypatch.setattr("fcntl.flock", Mock(side_effect=refused))

    with pytest.raises(
        ControlError, match="its file system cannot lock files; name another folder"
    ):
        Endpoint(unix)


def test_a_lock_that_is_refused_is_a_sentence(address: ControlAddress) -> None:
    (address.folder / transport.LOCK_FILE).mkdir()

    with pytest.raises(ControlError, match="cannot be opened: a folder has this name"):
        Endpoint(address)


@pytest.mark.posix("modes of files")
def test_a_folder_that_others_can_write_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        transport.make_private(tmp_path / "own")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "own")
    for name in ("open", "link"):
        with pytest.raises(ControlError, match="Other users can write"):
            transport.make_private(tmp_path / name)
    with pytest.raises(ControlError, match="Other users can replace"):
        transport.make_private(tmp_path / "open" / "own")
    (tmp_path / "open").chmod(0o1777)
    transport.make_private(tmp_path / "open" / "own")
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(ControlError, match="Other users can write"):
        transport.make_private(tmp_path / "own")


def test_what_cannot_be_created_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    occupied = tmp_path / "run"
    (occupied / transport.SECRET_FILE).mkdir(parents=True)
    with serving(always(ControlAddress(occupied))):
        assert "cannot be opened" in caplog.text
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MATTECAM_RUNTIME_DIR", str(tmp_path / "file" / "run"))
    with serving():
        assert "cannot be created" in caplog.text
    with pytest.raises(ControlError, match="cannot be created"):
        ask(Command("pause"))


@pytest.mark.error_logs
def test_a_defect_in_a_command_is_answered_and_logged(
    address: ControlAddress, server: ControlServer, caplog: pytest.LogCaptureFixture
) -> None:
    answer = asked(address, "scene", "defect")
    assert answer == Answer(
        False, "The command failed; the log of the running program has the details."
    )
    assert any(
        record.exc_info and isinstance(record.exc_info[1], ZeroDivisionError)
        for record in caplog.records
    )
    assert asked(address).done


def test_a_slow_command_delays_no_other_and_is_answered_before_the_end(
    address: ControlAddress, controller: Recorder
) -> None:
    server = ControlServer(controller, RunningProgram(always(address)))
    server.listen()
    server.start()
    slow = beside(asked, address, "scene", "slow")

    assert controller.slow.entered.wait(60)
    assert asked(address).done
    assert controller.commands == [Command("pause")]
    assert server.stop(60.0)
    assert slow.result(60).message == "scene done"
