"""A live run replaces no file of the user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.cli.start import checked_files
from app.core.errors import MattecamError, UsageError
from app.core.settings import CaptureSettings, OutputSettings, Settings


def run_to(source: Path | str = "demo", **files: Path) -> Settings:
    return Settings(capture=CaptureSettings(source=str(source)), output=OutputSettings(**files))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "a.mkv"
    path.write_bytes(b"video")
    return path


def test_a_recording_whose_name_is_taken_gets_a_free_one(tmp_path: Path, clip: Path) -> None:
    """A service that starts again with --record FILE replaced its last recording."""
    (tmp_path / "a (2).mkv").touch()
    settings, sentence = checked_files(run_to(record=clip, record_alpha=tmp_path / "alpha.mkv"), None)
    assert settings.output.record == tmp_path / "a (3).mkv"
    assert settings.output.record_alpha == tmp_path / "alpha.mkv"
    assert sentence == f"Files of this name exist and are kept: {clip}. This run records to {tmp_path / 'a (3).mkv'}."
    free = run_to(record=tmp_path / "new.mkv")
    assert checked_files(free, tmp_path / "status.json") == (free, None)
    assert {path.name for path in tmp_path.iterdir()} == {"a.mkv", "a (2).mkv"}


def test_an_empty_file_such_as_that_of_mktemp_is_filled(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    settings = run_to(record=tmp_path / "a.mp4")
    assert checked_files(settings, None) == (settings, None)


@pytest.mark.skipif(os.name != "posix", reason="links need a permission on Windows")
def test_a_link_to_the_source_is_the_source(tmp_path: Path, clip: Path) -> None:
    link = tmp_path / "b.mkv"
    link.symlink_to(clip)
    with pytest.raises(UsageError, match="also the source"):
        checked_files(run_to(clip, record=link), None)


def test_the_status_replaces_nothing_but_a_status(tmp_path: Path, clip: Path) -> None:
    for source in (clip, "demo"):
        with pytest.raises(UsageError):
            checked_files(run_to(source), clip)
    assert clip.read_bytes() == b"video"
    earlier = tmp_path / "status.json"
    for text in ("", '{\n  "frames_in": 3'):
        earlier.write_text(text)
        checked_files(run_to(), earlier)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no/status.json", "the folder does not exist"),
        ("a.mkv/status.json", "a part of the path is not a folder"),
        (".", "a folder has this name"),
    ],
)
@pytest.mark.usefixtures("clip")
def test_a_status_file_that_cannot_be_written_is_named_at_the_start(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(MattecamError, match=rf"status file .* cannot be written: {reason}"):
        checked_files(run_to(), tmp_path / name)


def test_the_status_may_go_to_a_device() -> None:
    checked_files(run_to(), Path(os.devnull))


def test_a_pipe_is_kept_as_a_file_is(tmp_path: Path) -> None:
    pipe = tmp_path / "a.mp4"
    os.mkfifo(pipe)
    settings, sentence = checked_files(run_to(record=pipe), None)
    assert settings.output.record == tmp_path / "a (2).mp4"
    assert sentence is not None
