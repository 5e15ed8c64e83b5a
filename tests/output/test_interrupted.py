"""Recordings whose program was killed are named at the next start, once, and no others."""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import SinkLostError
from app.media.encoders import live_encoder
from app.media.recording_writer import RecordingWriter
from app.media.video_writer import VideoWriter
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
    assert (
        str(tmp_path / "output.recording.mkv") in said
        and str(tmp_path / "ñ matte.recording.mkv") in said
    )
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


@pytest.mark.posix("removal of files that are open")
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


def begun_file(folder: Path) -> Path:
    """Return what a program leaves that is killed as its recording begins: a header without a
    frame.
    """
    writer = RecordingWriter(
        folder / "a.mp4", 64, 48, 30, encoder=live_encoder("x264", 64, 48, Fraction(30))
    )
    left = folder / "left.recording.mkv"
    left.write_bytes(writer.file.read_bytes())
    writer.abort()
    return left


@pytest.mark.parametrize("length", [0, 100, 10_000])
def test_a_recording_without_a_frame_is_removed_and_not_named(tmp_path: Path, length: int) -> None:
    file = begun_file(tmp_path)
    file.write_bytes(file.read_bytes()[:length])
    kill(RecordingNote(file))

    said = kept_after_crash()

    assert said is None
    assert not file.exists() and notes() == []


def test_a_recording_with_one_whole_frame_is_kept_and_named(tmp_path: Path) -> None:
    header = begun_file(tmp_path).read_bytes()
    recorder = Recorder(tmp_path / "b.mkv", 64, 48, context())
    recorder.send(picture())
    recorder.close()
    file = tmp_path / "b.mkv"
    assert file.stat().st_size > len(header)
    kill(RecordingNote(file))

    assert str(file) in str(kept_after_crash())
    assert file.exists()


def test_what_cannot_be_read_is_kept_and_named(tmp_path: Path) -> None:
    """A header that a power failure damaged can be repaired."""
    file = tmp_path / "a.recording.mkv"
    crashed_recording(file, bytes(10_000))

    assert str(file) in str(kept_after_crash())
    assert file.exists()


def test_a_recording_with_a_damaged_header_is_kept_and_named(tmp_path: Path) -> None:
    """Its track is none of video any more, or its strings are no text: the start failed at both."""
    recorder = Recorder(tmp_path / "a.mkv", 64, 48, context())
    recorder.send(picture())
    recorder.close()
    content = (tmp_path / "a.mkv").read_bytes()
    without_video = tmp_path / "b.recording.mkv"
    without_text = tmp_path / "c.recording.mkv"
    crashed_recording(without_video, content.replace(b"\x83\x81\x01", b"\x83\x81\x02"))
    crashed_recording(
        without_text,
        content.replace(b"VideoHandler", b"\xffideoHandler").replace(b"Lavf", b"\xffavf"),
    )

    said = str(kept_after_crash())

    assert str(without_video) in said and without_video.exists()
    assert str(without_text) in said and without_text.exists()
    assert notes() == []


def test_a_recording_that_has_taken_the_name_is_not_removed(tmp_path: Path) -> None:
    crashed = tmp_path / "a.recording.mkv"
    kill(RecordingNote(crashed))
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context())

    kept_after_crash()

    assert crashed.exists()
    recorder.close()


def test_a_recording_has_its_note_before_its_encoder_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[bytes] = []

    def fail(*_: object) -> None:
        noted.extend(note.read_bytes() for note in notes())
        raise OSError(errno.EIO, "the encoder does not open")

    monkeypatch.setattr(VideoWriter, "_open", fail)
    with pytest.raises(SinkLostError):
        Recorder(tmp_path / "a.mp4", 64, 48, context())

    assert noted == [bytes(tmp_path / "a.recording.mkv")]
    assert notes() == [] and list(tmp_path.glob("*.mkv")) == []
