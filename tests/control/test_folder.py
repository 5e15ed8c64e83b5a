"""The folder of the socket: private to the user, and replaced or reported where it cannot be used."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest

from app.control.commands import Command
from app.control.transport import (
    LOCK_FILE,
    SECRET_FILE,
    SOCKET_FILE,
    ControlAddress,
    ControlError,
    Endpoint,
    ask,
    default_address,
    make_private,
)
from app.core.files import paths
from app.core.files.disk_errors import why_not_written
from app.core.files.lock import lock_file
from tests.control.conftest import posix_only, socket_address
from tests.control.recorder import serving
from tests.waiting import eventually


@posix_only
def test_only_the_user_can_open_what_it_creates(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    make_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    endpoint = Endpoint(ControlAddress(folder))
    for name in (SOCKET_FILE, LOCK_FILE, SECRET_FILE):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    endpoint.close()
    assert {path.name for path in folder.iterdir()} == {LOCK_FILE}


@posix_only
def test_a_lock_does_not_follow_a_link(tmp_path: Path) -> None:
    """Whoever can write to the folder had a file created anywhere."""
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "lock").symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic link") as caught:
        lock_file(tmp_path / "lock", wait=False)
    assert "symbolic link" in why_not_written(caught.value)
    assert not elsewhere.exists()


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
    with serving():
        assert default_address().folder == paths.data_dir() / "run"
        assert f"{paths.data_dir() / 'run'} is used instead" in caplog.text
        assert ask(Command("pause")).done


def test_a_folder_that_cannot_be_created_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    for name in ("MATTECAM_RUNTIME_DIR", "MATTECAM_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "file" / "run"))
    with serving():
        assert "cannot be created" in caplog.text
    with pytest.raises(ControlError, match="cannot be created"):
        ask(Command("pause"))


def test_a_path_too_long_for_a_socket_is_logged_and_leaves_no_lock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    address = socket_address(tmp_path / ("x" * 120))
    with serving(lambda: address):
        assert "cannot be opened" in caplog.text
    eventually(lambda: not address.in_use())
