"""Files that several programs change at once: nothing of what either of them writes is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.core import user_file
from app.core.files import lock_file, locked
from app.core.user_file import BrokenFileError, JsonObject, UserFile
from tests.paths import ROOT
from tests.stand_ins import always
from tests.waiting import beside

posix_only = pytest.mark.skipif(
    sys.platform == "win32",
    reason="an open file cannot be removed there",
)


def as_it_is(data: JsonObject) -> JsonObject:
    return data


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set as soon as somebody waits for a lock."""
    event = threading.Event()
    pause = threading.Event()

    def sleep(seconds: float) -> None:
        event.set()
        pause.wait(seconds)

    monkeypatch.setattr("time.sleep", sleep)
    return event


def test_a_change_waits_for_that_of_another_program_and_keeps_it(
    tmp_path: Path,
    waits: threading.Event,
) -> None:
    """What one program measured was wiped by another that had read the file before."""
    path = tmp_path / "trials.json"
    path.write_text('{"of": "nobody"}')
    other = lock_file(tmp_path / ".trials.json.lock", wait=False)
    assert other is not None
    changed = beside(
        lambda: UserFile(path, as_it_is).change(lambda data: {**(data or {}), "own": 2})
    )
    assert waits.wait(60)

    path.write_text('{"other": 1}')
    other.close()

    changed.result(60)
    assert json.loads(path.read_text()) == {"other": 1, "own": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["trials.json"], "no lock is left"


CHILD = """
import sys
from pathlib import Path
from app.core.user_file import UserFile
file = UserFile(Path(sys.argv[1]), lambda data: data)
sys.stdin.readline()
for number in range(25):
    file.change(lambda data: {**(data or {}), f"{sys.argv[2]}-{number}": number})
"""


def test_two_processes_that_change_a_file_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    command = [sys.executable, "-c", CHILD, str(path)]
    processes = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, text=True, cwd=ROOT)
        for name in ("first", "second")
    ]

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go on\n")
        process.stdin.flush()
    codes = [process.wait(100) for process in processes]
    for process in processes:
        process.communicate()

    assert codes == [0, 0]
    assert len(json.loads(path.read_text())) == 50


def test_a_program_that_hangs_in_a_change_delays_another_for_a_limited_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(user_file, "LOCK_LIMIT_S", 0.1)
    path = tmp_path / "scenes.json"
    other = lock_file(tmp_path / ".scenes.json.lock", wait=False)
    assert other is not None

    UserFile(path, as_it_is).change(always({"own": 2}))

    other.close()
    assert json.loads(path.read_text()) == {"own": 2}
    assert (
        f"Another Mattecam has kept {tmp_path / '.scenes.json.lock'} locked for 0.1 seconds"
        in caplog.text
    )


@posix_only
def test_a_lock_that_was_removed_while_it_was_waited_for_is_not_one(
    tmp_path: Path,
    waits: threading.Event,
) -> None:
    """Its file has no name any more, so that another program locks a new one."""
    path = tmp_path / "lock"
    first = lock_file(path, wait=False)
    assert first is not None
    path.unlink()  # as its holder does at the end, a moment before it unlocks the file
    second = lock_file(path, wait=False)
    assert second is not None, "it is another file"

    entered = beside(enter_and_leave, path)

    assert waits.wait(60)
    first.close()
    assert not entered.done()
    second.close()
    assert entered.result(60)


def enter_and_leave(path: Path) -> bool:
    with locked(path, 60.0):
        return path.exists()


@posix_only
@pytest.mark.parametrize("refusal", ["no locks", "no such folder", "a link"])
def test_what_cannot_be_locked_is_used_without(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refusal: str,
) -> None:
    path = tmp_path / "lock"
    if refusal == "no locks":
        monkeypatch.setattr("fcntl.flock", Mock(side_effect=OSError(95, os.strerror(95))))
    elif refusal == "no such folder":
        path = tmp_path / "none" / "lock"
    else:
        path.symlink_to(tmp_path / "elsewhere")
    entered = False

    with locked(path, 60.0):
        entered = True

    assert entered
    assert not (tmp_path / "elsewhere").exists()


def test_a_change_that_fails_leaves_no_lock(tmp_path: Path) -> None:
    def refuse(_data: JsonObject) -> JsonObject:
        raise BrokenFileError("it is none")

    def fail(_data: JsonObject | None) -> JsonObject:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        UserFile(tmp_path / "a.json", refuse).change(fail)

    assert not list(tmp_path.iterdir())
