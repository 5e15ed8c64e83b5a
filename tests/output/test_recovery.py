"""Recordings that a crash cuts off: they play up to the last second, and are found and finished afterwards."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from app.cli import main
from app.cli.recover import offer_recovery
from app.core.errors import SinkOpenError
from app.core.files import paths
from app.media.recovery import Recovered, recover
from app.media.video_input import VideoError
from app.output.recorder import Recorder
from app.output.recording import RecordingOptions
from app.output.unfinished import in_progress, unfinished_recordings
from tests.clips import write_clip
from tests.output.pictures import picture
from tests.output.recordings import kill_while_recording, recording_elsewhere


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


@pytest.mark.long
@pytest.mark.parametrize(("suffix", "fps"), [("mp4", 30), ("mkv", 30), ("mp4", 5), ("mkv", 5)])
def test_a_killed_recording_plays_to_its_last_second_and_is_finished(
    tmp_path: Path, suffix: str, fps: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path, part = tmp_path / f"out.{suffix}", tmp_path / f"out.part.{suffix}"
    seconds = kill_while_recording(path, 3.0, fps)
    cut = times_of(part)
    assert cut[-1] + 1 / fps > seconds - 1
    assert unfinished_recordings() == (part,)
    offer_recovery()
    assert str(part) in capsys.readouterr().err

    assert main.main(["recover"]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert times_of(path) == pytest.approx(cut, abs=0.002)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert unfinished_recordings() == ()
    offer_recovery()
    assert capsys.readouterr().err == ""


def test_running_and_finished_recordings_are_not_offered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30))
    recorder.send(picture())
    assert in_progress(tmp_path / "a.part.mp4")
    assert unfinished_recordings() == ()
    assert main.main(["recover", str(tmp_path / "a.part.mp4")]) == 1
    assert "still being written" in capsys.readouterr().err
    recorder.close()
    assert not in_progress(tmp_path / "a.part.mp4")
    assert unfinished_recordings() == ()
    assert list((paths.data_dir() / "recordings").iterdir()) == []


def test_entries_of_deleted_files_and_broken_entries_are_removed(tmp_path: Path) -> None:
    folder = paths.data_dir() / "recordings"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps({"path": str(tmp_path / "gone.part.mp4"), "pid": 0, "started_s": 0}))
    (folder / "b.json").write_text("{")
    (folder / "c.json").write_text("[1]")
    (folder / "d.json").write_text(json.dumps({"path": 300 * "d"}))
    (folder / "e.json").write_text(json.dumps({"path": "e\0"}))
    assert unfinished_recordings() == ()
    assert list(folder.iterdir()) == []


def test_a_reused_process_number_is_another_process(tmp_path: Path) -> None:
    part = write_clip(tmp_path / "a.part.mp4", 3)
    recorder = Recorder(tmp_path / "b.mp4", 64, 48, RecordingOptions(30))
    (entry,) = (paths.data_dir() / "recordings").iterdir()
    fields = json.loads(entry.read_text())
    assert fields["pid"] == os.getpid()
    fields["started_s"] -= 100
    entry.write_text(json.dumps(fields))
    assert unfinished_recordings() == (tmp_path / "b.part.mp4",)
    recorder.close()
    assert part.exists()


def test_an_existing_file_is_never_replaced(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", 2)
    assert recover(write_clip(tmp_path / "a.part.mp4", 3, audio="aac")) == Recovered(tmp_path / "a (2).mp4", None)
    assert recover(write_clip(tmp_path / "a.part2.mp4", 4)) == Recovered(tmp_path / "a (3).mp4", None)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a (2).mp4", "a (3).mp4", "a.mp4"]
    assert [len(times_of(tmp_path / name)) for name in ("a.mp4", "a (2).mp4", "a (3).mp4")] == [2, 3, 4]
    with av.open(str(tmp_path / "a (2).mp4")) as container:
        assert len(container.streams.audio) == 1


def clip_without_codec(path: Path) -> None:
    """Write a clip that FFmpeg opens, but has nothing to copy the stream with."""
    content = write_clip(path.with_name("clip.mp4"), 3).read_bytes()
    path.with_name("clip.mp4").unlink()
    path.write_bytes(content.replace(b"avc1", b"zzzz").replace(b"mp4v", b"zzzz"))


def clip(path: Path) -> None:
    write_clip(path.with_name("clip.mp4"), 3).rename(path)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.part.mp4", lambda path: path.write_bytes(b"")),
        ("a.part.mp4", lambda path: path.write_bytes(b"no video")),
        ("a.part.mp4", clip_without_codec),
        ("a.part.mp4", lambda path: None),
        *((name, clip) for name in ("a.part", "a.part.xyz", "a.part.webm")),
    ],
)
def test_what_cannot_be_recovered_is_kept_and_named(
    tmp_path: Path, name: str, make: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    part = tmp_path / name
    make(part)
    before = list(tmp_path.iterdir())
    with pytest.raises(VideoError, match=re.escape(name)):
        recover(part)
    assert main.main(["recover", str(part)]) == 1
    assert name in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == before


def test_a_file_that_another_program_records_to_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with recording_elsewhere(path) as lines:
        assert lines.readline()
        with pytest.raises(SinkOpenError, match="another program records to it; choose another name"):
            Recorder(path, 64, 48, RecordingOptions(30))
        Recorder(tmp_path / "other.mp4", 64, 48, RecordingOptions(30)).close()
    again = Recorder(path, 64, 48, RecordingOptions(30))
    again.send(picture())
    again.close()
    assert path.exists()
