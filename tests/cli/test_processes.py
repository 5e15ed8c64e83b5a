"""The program as a process: a paused start, signals, closed terminals and outputs."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from app.config import settings_file
from app.control.commands import Command, Status
from app.control.transport import ControlError, ask
from app.core.settings import BackgroundSettings
from app.settings import Settings
from tests.paths import ROOT
from tests.waiting import within

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

# For the program to start or to end beside others.
START_S = 100.0
DEMO = ["--source", "demo", "--size", "320x240", "--virtual-camera", "off", "--model", "mattecam"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which a start finds everything compiled and converted.

    Its own preparation has a low priority, and takes minutes beside other programs.
    """
    data = tmp_path_factory.mktemp("prepared")
    command = [
        sys.executable,
        "-c",
        "from app.matting.choice.preparation import do; do('kernels'); do('measurement')",
    ]
    subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "MATTECAM_DATA_DIR": str(data)},
        check=True,
    )
    return data


@contextlib.contextmanager
def start(
    data: Path, *words: str, output: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[str]]:
    """Run the program without a window on the demo; it is killed if it still runs at the end.

    It inherits that SIGINT is ignored, so that SIGINT cannot interrupt the start of Python itself,
    before its own code.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "run.py"), "headless", *DEMO, *words],
            env={**os.environ, "MATTECAM_DATA_DIR": str(data)},
            stdout=output,
            stderr=output,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            process.kill()


def asked_status() -> Status:
    """Return the status of the running program; empty while none answers."""
    with contextlib.suppress(ControlError):
        return ask(Command("status")).status or {}
    return {}


def first_status() -> Status:
    """Return the status of the program that starts, once it answers."""
    within(START_S, asked_status)
    return asked_status()


def has_ended(*processes: subprocess.Popen[str]) -> bool:
    """Whether one of them has ended."""
    return any(process.poll() is not None for process in processes)


def has_ended_or_records(process: subprocess.Popen[str]) -> bool:
    return has_ended(process) or asked_status().get("encoded_frames", 0) > 3


def quits(process: subprocess.Popen[str]) -> None:
    assert ask(Command("quit")).done and process.wait(START_S) == 0


def test_a_saved_background_none_starts_paused(prepared: Path, tmp_path: Path) -> None:
    settings_file.save(tmp_path / "none.json", Settings(background=BackgroundSettings(kind="none")))
    with start(prepared, "--config", str(tmp_path / "none.json")) as process:
        assert process.stderr is not None
        assert any("--background none" in line for line in process.stderr)
        status = first_status()
        assert (status["paused"], status["frames_out"]) == (True, 0)
        quits(process)


@pytest.mark.skipif(sys.platform == "win32", reason="kills as a crash does")
def test_a_run_that_crashed_while_paused_is_paused_when_it_is_started_again(prepared: Path) -> None:
    """A service that systemd starts again showed its user, who had paused it."""
    for paused in (False, True, True):
        with start(prepared) as process:
            assert first_status()["paused"] is paused
            assert ask(Command("pause", "on")).done
            process.kill()
            process.wait(START_S)
    with start(prepared) as process:
        assert process.stderr is not None
        assert any("crashed while it was paused" in line for line in process.stderr)
        first_status()
        quits(process)
    with start(prepared):
        assert first_status()["paused"] is False, "the user ended it"


def test_of_two_programs_the_second_takes_commands_once_the_first_has_ended(prepared: Path) -> None:
    """Both had the address, or the second never got it."""
    with start(prepared) as one, start(prepared) as other:
        first_status()
        assert ask(Command("quit")).done
        within(START_S, has_ended, one, other)
        survivor = one if one.poll() is None else other

        first_status()

        assert survivor.poll() is None
        quits(survivor)


@pytest.mark.skipif(
    sys.platform != "linux", reason="reads the signals that a process handles from /proc"
)
@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.4, 1.0])
def test_an_interrupted_start_prints_no_traceback(delay_s: float, tmp_path: Path) -> None:
    with start(tmp_path / "data") as process:

        def handles_interrupts() -> bool:
            state = Path(f"/proc/{process.pid}/status").read_text()
            caught = re.search(r"SigCgt:\s*(\w+)", state)
            return caught is not None and bool(int(caught[1], 16) & (1 << (signal.SIGINT - 1)))

        within(START_S, handles_interrupts)
        time.sleep(delay_s)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=START_S)
    assert process.returncode == 130 and not re.search("Traceback|Error", messages), messages


HANG = """
import threading
from app.cli import main
def hang(argv):
    threading.Thread(target=threading.Event().wait).start()
    return 3
main.main = hang
main.run_to_exit([])
"""


def test_a_thread_that_hangs_does_not_keep_the_program_alive() -> None:
    assert subprocess.run([sys.executable, "-c", HANG], cwd=ROOT, timeout=START_S).returncode == 3


@pytest.mark.posix("pseudo-terminals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"], ids=["a signal", "a closed terminal"])
def test_the_recording_is_finished_at_the_end(prepared: Path, tmp_path: Path, name: str) -> None:
    number = signal.Signals[name]
    out = tmp_path / "out.mp4"
    screen, terminal = os.openpty()
    with start(prepared, "--record", str(out), output=terminal) as process:
        os.close(terminal)
        within(START_S, has_ended_or_records, process)
        if name == "SIGHUP":
            os.close(screen)
        process.send_signal(number)
        assert process.wait(START_S) == 130
    with av.open(str(out)) as video:
        assert sum(1 for _ in video.decode(video=0)) > 3
    assert list(out.parent.glob("*.part*")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the outputs")
@pytest.mark.parametrize(
    ("redirection", "code", "says"),
    [
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        (">/dev/full", 1, "mattecam: The output cannot be written: the disk is full"),
    ],
)
def test_an_output_that_is_closed_or_full_is_no_defect(
    redirection: str,
    code: int,
    says: str,
) -> None:
    command = f'"{sys.executable}" "{ROOT / "run.py"}" version {redirection}'

    done = subprocess.run(
        command,
        shell=True,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=START_S,
    )

    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(says) and "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_messages_that_cannot_be_written_end_no_run(prepared: Path) -> None:
    """A full disk below the log, or a terminal that was closed, ended the call with the first message."""
    command = [sys.executable, str(ROOT / "run.py"), "headless", *DEMO, "--frames", "3"]
    env = {**os.environ, "MATTECAM_DATA_DIR": str(prepared)}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            env=env,
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
        )

    assert done.returncode == 0 and " frames in " in done.stdout
