"""Where a program of the user listens, and where `ctl` looks for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.control import transport
from app.control.commands import Command
from app.control.transport import ControlError, ask, default_address
from app.core import paths
from tests.control.conftest import serving

pytestmark = pytest.mark.linux("app.control.transport")  # elsewhere the platform has one folder


@pytest.fixture
def users_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that systemd makes for the user; no variable names it, as in a cron job.

    Not below `tmp_path`, whose name may leave too few of the bytes that the name of a socket has.
    """
    monkeypatch.delenv("MATTECAM_RUNTIME_DIR")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with tempfile.TemporaryDirectory(prefix="run-") as parent:
        folder = Path(parent) / str(os.getuid())
        folder.mkdir(mode=0o700)
        monkeypatch.setattr(transport, "USERS_FOLDER", folder.parent)
        yield folder


@pytest.fixture
def in_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in the user's home, where no other one can be used."""
    monkeypatch.setattr(transport, "USERS_FOLDER", tmp_path / "none")
    monkeypatch.delenv("MATTECAM_RUNTIME_DIR")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return paths.data_dir() / "run"


def test_another_user_can_take_no_folder_first(
    in_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder was in the shared temporary one, under a name that follows from the user's number."""
    shared = tmp_path / "tmp"
    shared.mkdir()
    (shared / f"runtime-{os.getuid()}").write_text("of somebody else")
    monkeypatch.setattr(tempfile, "tempdir", str(shared))

    address = default_address()

    assert address.folder == in_home
    assert list(shared.iterdir()) == [shared / f"runtime-{os.getuid()}"]


def test_a_folder_of_another_user_is_passed_over(
    in_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `sudo -E` and `su` leave the variable."""
    session = tmp_path / "session"
    (session / "mattecam").mkdir(parents=True)
    (session / "mattecam").chmod(0o777)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))

    assert default_address().folder == in_home


@pytest.mark.parametrize("value", ["", "relative", "/nowhere"])
def test_a_folder_that_is_not_there_is_not_made(
    in_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", value)

    assert default_address().folder == in_home


def test_a_folder_that_the_user_names_is_the_only_one(
    in_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "named"
    named.write_text("no folder")
    monkeypatch.setenv("MATTECAM_RUNTIME_DIR", str(named))

    with pytest.raises(
        ControlError, match=f"The folder {named} for the control socket cannot be created"
    ):
        default_address()

    assert not in_home.exists()


def test_a_job_of_cron_finds_the_program_of_the_desktop(
    users_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(users_folder))
    with serving():
        monkeypatch.delenv("XDG_RUNTIME_DIR")

        assert ask(Command("pause")).done


def test_the_desktop_finds_a_program_that_cron_has_started(
    in_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """There is one program at a time, whatever folder is the first of each environment."""
    with serving():
        session = tmp_path / "session"
        session.mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))

        assert ask(Command("pause")).done
        with serving():
            assert "Another Mattecam" in caplog.text
