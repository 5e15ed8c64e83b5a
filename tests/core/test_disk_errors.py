"""Why a file cannot be written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from app.core.files.disk_errors import why_not_written
from app.core.messages.media import WriteReason


def test_a_folder_is_absent_only_where_there_is_none(tmp_path: Path) -> None:
    """Nobody can create anything below /proc: the system says that there is no such file."""
    below_proc = OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(tmp_path / "a.mp4"))
    assert why_not_written(below_proc) == WriteReason.NOT_PERMITTED()
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "none" / "a.mp4").touch()
    assert why_not_written(caught.value) == WriteReason.NO_FOLDER()


def test_a_file_that_somebody_removed_is_told_from_a_missing_folder(tmp_path: Path) -> None:
    file, removed = tmp_path / "a.mp4", tmp_path / "removed.mp4"
    file.touch()
    for source, target, reason in (
        (removed, file, WriteReason.REMOVED()),
        (file, tmp_path / "none" / "a.mp4", WriteReason.NO_FOLDER()),
        (tmp_path / "none" / "a.mp4", file, WriteReason.NO_FOLDER()),
    ):
        with pytest.raises(FileNotFoundError) as caught:
            source.rename(target)
        assert why_not_written(caught.value) == reason
