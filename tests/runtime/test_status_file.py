"""The file of `--status-json`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.core.errors import MattecamError
from app.runtime.status import PipelineStatus, write_status

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs links and file modes")


def test_a_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    notes, path = tmp_path / "notes", tmp_path / "status.json"
    notes.write_text("mine")
    path.symlink_to(notes)
    write_status(path, PipelineStatus())
    assert notes.read_text() == "mine"
    assert json.loads(path.read_text())["frames_in"] == 0
    assert not path.is_symlink() and path.stat().st_mode & 0o777 == 0o600


def test_a_device_is_written_to_and_stays() -> None:
    write_status(Path(os.devnull), PipelineStatus())
    assert not Path(os.devnull).is_file()


@pytest.mark.timeout(60)
def test_a_pipe_is_written_to_while_a_program_reads(tmp_path: Path) -> None:
    """Without a reader the program waited for one without a word."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(MattecamError, match="pipe cannot be written: no program reads from it; start one that does"):
        write_status(pipe, PipelineStatus())
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        write_status(pipe, PipelineStatus())
        assert json.loads(reader.read())["frames_in"] == 0
