"""How the program is named and started; private files, and why a file cannot be written."""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.config import logs
from app.core import paths
from app.core.files import lock_file, why_not_written
from app.media.image_file import write_picture
from tests.paths import ROOT


def test_a_source_folder_is_started_with_run_py_and_an_installed_copy_by_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paths.command_name() == "run.py" and paths.documents_dir() == ROOT / "docs"
    assert paths.start_command() == [sys.executable, "-I", str(ROOT / "run.py")]
    assert paths.advice("Run `python3 run.py doctor`.") == "Run `python3 run.py doctor`."
    monkeypatch.setattr(paths, "SCRIPT", tmp_path / "run.py")
    assert paths.command_name() == "mattecam"
    assert Path(paths.start_command()[0]).stem == "mattecam"
    assert paths.advice("Run `python3 run.py doctor` or run.py headless.") == (
        "Run `mattecam doctor` or mattecam headless."
    )
    record = logging.LogRecord("x", logging.WARNING, "", 0, "run `run.py doctor` for %s", ("a.mkv",), None)
    assert logs.ShortFormatter().format(record) == "mattecam: run `mattecam doctor` for a.mkv"


def test_packages_are_installed_into_the_environment_of_this_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/my env/bin/python")
    assert paths.how_to_install("ray") == "run `'/my env/bin/python' -m pip install ray`"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "this copy has no pip" in paths.how_to_install("ray")


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_text("an older file, open to all")
    path.chmod(0o644)
    write_picture(path, np.full((4, 6, 3), 77, np.uint8))
    assert path.stat().st_mode & 0o777 == 0o600
    image = cv2.imread(str(path))
    assert image is not None and image.shape == (4, 6, 3) and (image == 77).all()


def test_a_picture_that_a_format_cannot_hold_is_an_error_of_the_file(tmp_path: Path) -> None:
    """WebP ends at 16,383 pixels."""
    with pytest.raises(OSError, match=r"16384x4 cannot be \.webp"):
        write_picture(tmp_path / "wide.webp", np.zeros((4, 16_384, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_lock_that_windows_ceases_to_wait_for_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second start ended after ten seconds, while the first one installed the packages."""
    refuses = Mock(side_effect=OSError(errno.EDEADLK, "Resource deadlock avoided"))
    monkeypatch.setitem(sys.modules, "msvcrt", Mock(locking=refuses))
    monkeypatch.setattr(sys, "platform", "win32")
    assert lock_file(tmp_path / "lock", wait=True) is None


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such links")
def test_a_lock_does_not_follow_a_link(tmp_path: Path) -> None:
    """Whoever can write to the folder had a file created anywhere."""
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "lock").symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic link") as caught:
        lock_file(tmp_path / "lock", wait=False)
    assert "symbolic link" in why_not_written(caught.value)
    assert not elsewhere.exists()
