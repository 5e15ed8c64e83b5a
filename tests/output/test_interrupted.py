"""Recordings whose program was killed are named at the next start, once, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.errors import SinkLostError
from app.output import interrupted
from app.output.interrupted import RecordingNote, kept_after_crash
from app.output.recording import Recorder
from mattecam.testing import FakeClock
from tests.output.pictures import picture
from tests.output.recordings import context, send_slowly


def kill(note: Any) -> None:
    """Do with a note what the kernel does once its program is killed."""
    note._note.close()  # noqa: SLF001 - a note has no way to leave what a crash leaves


def notes() -> list[Path]:
    return sorted(interrupted.folder().iterdir())


def crashed_recording(file: Path, content: bytes = b"matroska") -> None:
    file.write_bytes(content)
    kill(RecordingNote(file))


def test_recordings_of_a_killed_program_are_named_once(tmp_path: Path) -> None:
    for name in ("output.recording.mkv", "ñ matte.recording.mkv"):
        crashed_recording(tmp_path / name)

    said = kept_after_crash()

    assert said is not None and said.count("\n") == 0
    assert str(tmp_path / "output.recording.mkv") in said and str(tmp_path / "ñ matte.recording.mkv") in said
    assert kept_after_crash() is None and notes() == []


@pytest.mark.parametrize("left", ["removed", "empty"])
def test_what_is_not_there_is_not_named(tmp_path: Path, left: str) -> None:
    file = tmp_path / "a.recording.mkv"
    crashed_recording(file, b"")
    if left == "removed":
        file.unlink()

    assert kept_after_crash() is None
    assert notes() == []


def test_a_recording_that_runs_is_not_named(tmp_path: Path) -> None:
    """Two programs may record at once."""
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context())
    recorder.send(picture())

    assert kept_after_crash() is None and len(notes()) == 1

    recorder.close()

    assert kept_after_crash() is None and notes() == []


def test_a_recording_in_another_size_has_one_note(tmp_path: Path) -> None:
    clock = FakeClock()
    recorder = Recorder(tmp_path / "a.mp4", 32, 24, context(), clock=clock)
    send_slowly(recorder, clock, [(0.0, picture())])
    assert len(notes()) == 1
    recorder.close()
    assert notes() == []


def test_a_recording_that_failed_was_told_already(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context())
    recorder.send(picture())
    for file in tmp_path.glob("*.mkv"):
        file.unlink()
    with pytest.raises(SinkLostError):
        recorder.close()
    assert notes() == []


def test_a_recording_goes_on_where_no_note_can_be_written(tmp_path: Path) -> None:
    interrupted.folder().parent.mkdir(parents=True, exist_ok=True)
    interrupted.folder().touch()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context())
    recorder.send(picture())
    recorder.close()
    assert (tmp_path / "a.mp4").exists() and kept_after_crash() is None
