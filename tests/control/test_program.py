"""Several programs of one user: who owns the address, who is shown, and what the next one is told."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.control import program as program_module
from app.control import transport
from app.control.commands import Command
from app.control.program import PAUSE_FILE, RunningProgram
from app.control.server import ControlServer
from app.control.transport import ControlAddress, ControlError, Endpoint, ask
from app.core.errors import UsageError
from app.core.files import lock_file
from tests.control.conftest import Recorder, SettingsAlone, address_in, serving
from tests.paths import ROOT
from tests.stand_ins import always, forbidden
from tests.waiting import beside, eventually


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_module, "TAKE_OVER_S", 0.02)
    monkeypatch.setattr(program_module, "CHANGE_S", 0.01)


@pytest.fixture
def address(tmp_path: Path) -> ControlAddress:
    return address_in(tmp_path / "run")


def answers(address: ControlAddress) -> bool:
    try:
        return ask(Command("pause"), at=always(address)).done
    except ControlError:
        return False


def test_the_second_program_takes_the_address_over_once_the_first_ends(
    address: ControlAddress, caplog: pytest.LogCaptureFixture
) -> None:
    """It was told that another one runs, and never got the address."""
    first = Recorder()
    second = Recorder()
    with contextlib.ExitStack() as both:
        with serving(always(address), first):
            both.enter_context(serving(always(address), second))
            assert answers(address)
            assert (
                "Another Mattecam of this user is running; `ctl` controls that one until it ends."
                in caplog.text
            )

        eventually(answers, address)

    assert len(first.commands) == 1
    assert second.commands


def test_a_folder_that_can_be_used_later_is_used(
    address: ControlAddress,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = address.folder
    folder.rmdir()
    with serving(always(address)):
        assert "cannot be opened" in caplog.text
        assert "Until then, Mattecam works without `ctl`." in caplog.text

        folder.mkdir(mode=0o700)

        eventually(answers, address)


def test_a_program_that_waits_for_the_address_ends(address: ControlAddress) -> None:
    with serving(always(address)), serving(always(address)):
        pass

    assert not answers(address)


CHILD = """
import sys, threading
from pathlib import Path
from app.control.program import RunningProgram
from app.control.transport import ControlAddress
program = RunningProgram(lambda: ControlAddress(Path(sys.argv[1]), sys.argv[2] or None))
sys.stdin.readline()
print("owns" if program.claim() else "waits", flush=True)
program.wait(threading.Event())
print("owns", flush=True)
sys.stdin.readline()
program.close()
"""


@contextlib.contextmanager
def two_processes(address: ControlAddress) -> Iterator[list[subprocess.Popen[str]]]:
    """Two programs that claim the address at their first line of input and close at their second one."""
    with contextlib.ExitStack() as opened:
        command = [sys.executable, "-c", CHILD, str(address.folder), address.pipe or ""]
        children = [
            opened.enter_context(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
                )
            )
            for _ in range(2)
        ]
        for child in children:
            opened.callback(child.kill)
        yield children


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go on\n")
    process.stdin.flush()


@pytest.mark.parametrize("end", ["closes", pytest.param("is killed", marks=pytest.mark.long)])
def test_of_two_processes_that_start_together_one_owns_the_address(
    address: ControlAddress,
    end: str,
) -> None:
    """Both owned it, and the first to end removed socket and secret of the other."""
    with two_processes(address) as children:
        for child in children:
            tell(child)
        states = [next_line(child) for child in children]
        assert sorted(states) == ["owns", "waits"]
        owner = children[states.index("owns")]
        other = children[states.index("waits")]
        assert next_line(owner) == "owns"

        if end == "closes":
            tell(owner)
        else:
            owner.kill()

        assert next_line(other) == "owns"
        assert address.knock()
        assert (address.folder / transport.SECRET_FILE).exists()


def test_a_second_start_shows_the_window_of_the_first(address: ControlAddress) -> None:
    first = Recorder()
    with serving(always(address), first):
        second = RunningProgram(always(address))

        assert second.claim_or_show()

    assert first.commands == [Command("show")]


def test_a_run_without_a_window_lets_a_window_start_beside_it(
    address: ControlAddress,
    alone: SettingsAlone,
) -> None:
    with serving(always(address), alone.controller):
        second = RunningProgram(always(address))

        assert not second.claim_or_show()
        assert not second.claim()


def test_a_program_that_does_not_answer_keeps_no_window_from_starting(
    address: ControlAddress, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It hangs; the second start said that its window was brought to the front, and ended."""
    monkeypatch.setattr(transport, "ANSWER_TIMEOUT_S", 0.05)
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT_S", 0.05)
    first = Endpoint(address)  # which nobody serves

    shown = RunningProgram(always(address)).claim_or_show()

    first.close()
    assert not shown
    said = "accepts no connection now" if sys.platform == "win32" else "did not answer"
    assert f"{said}; try again. This one is started beside it." in caplog.text


def test_who_asks_for_the_window_lets_it_come_to_the_front(
    address: ControlAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows the button in the task bar blinked."""
    handed = Mock()
    monkeypatch.setattr(transport, "hand_over_foreground", handed)
    with serving(lambda: address):
        ask(Command("pause", "on"), at=lambda: address)
        handed.assert_not_called()

        ask(Command("show"), at=lambda: address)

        handed.assert_called_once_with()


def test_a_second_start_waits_for_one_that_starts_at_the_same_moment(
    address: ControlAddress,
) -> None:
    """It has the lock a moment before it listens."""
    lock = lock_file(address.folder / transport.LOCK_FILE, wait=False)
    assert lock is not None
    second = RunningProgram(always(address))
    starting = beside(second.claim_or_show)
    eventually(lambda: second.problem is not None)
    lock.close()

    shown = starting.result(60)

    owns = second.claim()
    second.close()
    assert owns and not shown


def test_a_lock_without_a_listener_keeps_no_window_from_starting(
    address: ControlAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_module, "CHANGE_LIMIT_S", 0.05)
    with contextlib.closing(Endpoint(address)) as first:
        first._listener.close()  # noqa: SLF001 - as in a program that is stopped while it ends

        assert not RunningProgram(always(address)).claim_or_show()


@pytest.mark.parametrize("crashed", [True, False])
def test_a_pause_is_told_to_the_next_run_where_this_one_crashes(
    address: ControlAddress,
    crashed: bool,
) -> None:
    first = RunningProgram(always(address))
    assert first.claim()
    first.keep_pause(always(True))
    first.mark_pause()

    if not crashed:
        first.forget_pause()
    first.close()

    second = RunningProgram(always(address))
    assert second.claim()
    was_paused = second.was_paused
    second.close()
    assert was_paused is crashed


def test_a_program_that_does_not_own_the_address_does_not_end_the_pause_of_its_owner(
    address: ControlAddress,
) -> None:
    first = RunningProgram(always(address))
    assert first.claim()
    first.keep_pause(always(True))
    first.mark_pause()
    second = RunningProgram(always(address))
    assert not second.claim()
    second.keep_pause(always(False))

    second.mark_pause()
    second.forget_pause()

    assert second.was_paused, "fail closed: it may be the one that is started again after a crash"
    first.close()


def test_who_takes_the_address_over_while_paused_tells_the_next_run(
    address: ControlAddress,
) -> None:
    first = RunningProgram(always(address))
    assert first.claim()
    second = RunningProgram(always(address))
    second.keep_pause(always(True))
    waiting = beside(lambda: second.wait(threading.Event()))
    eventually(lambda: second.problem is not None)

    first.close()

    assert waiting.result(60) is not None
    assert (address.folder / PAUSE_FILE).exists()
    second.close()


def test_a_pause_that_a_crash_would_end_says_why(
    address: ControlAddress,
    caplog: pytest.LogCaptureFixture,
) -> None:
    program = RunningProgram(always(address))
    assert program.claim()
    program.keep_pause(always(False))
    (address.folder / PAUSE_FILE).mkdir()

    program.mark_pause()

    program.close()
    assert (
        f"A crash would end the pause, because {address.folder / PAUSE_FILE} cannot be written"
        in caplog.text
    )


def test_a_server_that_never_got_the_address_says_nothing_at_its_end(
    address: ControlAddress,
) -> None:
    ended: list[bool] = []
    first = Endpoint(address)
    server = ControlServer(Recorder(), RunningProgram(always(address)))
    server.listen()
    server.start()

    assert server.stop(60.0, last=partial(ended.append, True))

    assert first._owns_folder()  # noqa: SLF001 - the files of the first are untouched
    first.close()
    assert ended == [True]


def test_a_command_that_is_too_long_is_not_sent() -> None:
    """The program closed the connection, which looked like one that does not answer."""
    with pytest.raises(UsageError, match="The command background is too long"):
        ask(Command("background", "x" * 20_000), at=forbidden("it was sent"))
