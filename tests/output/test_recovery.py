"""Recordings that a crash cuts off, cannot start or fail: what is left plays, and is found and finished afterwards."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from app.cli import main
from app.cli.recover import offer_recovery
from app.core.errors import SinkLostError, SinkOpenError
from app.core.files import paths
from app.core.types import Outgoing, Picture, PictureKind
from app.media.recovery import Recovered, recover
from app.media.video_input import VideoError
from app.media.video_writer import VideoWriter
from app.output.recorder import Recorder
from app.output.unfinished import in_progress, unfinished_recordings
from app.testing.parts import FakeClock
from tests.clips import write_clip
from tests.offline.converting import times_of
from tests.output.pictures import picture
from tests.output.recordings import context, full_disk, kill_while_recording, read, recording_elsewhere
from tests.waiting import eventually


@pytest.mark.parametrize("method", ["write", "close"])
def test_a_failure_at_the_end_is_reported_and_the_rest_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context())

    def fail(self: VideoWriter, *_: object) -> None:
        if method == "close":
            self._release()
        raise OSError(errno.ENOSPC, "No space left on device", str(self.temporary_path))

    monkeypatch.setattr(VideoWriter, method, fail)
    recorder.send(picture())
    with pytest.raises(SinkLostError, match="the disk is full") as caught:
        recorder.close()
    assert method == "write" or str(tmp_path / "a.mp4") in str(caught.value)
    recorder.close()


def test_a_failure_at_the_end_leaves_a_link_to_nowhere_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    recorder = Recorder(path, 64, 48, context())
    path.symlink_to("elsewhere.mp4")

    def fail(self: VideoWriter) -> None:
        self._release()
        raise OSError(errno.ENOSPC, "No space left on device", str(self.temporary_path))

    monkeypatch.setattr(VideoWriter, "close", fail)
    recorder.send(picture())
    with pytest.raises(SinkLostError) as caught:
        recorder.close()
    assert path.is_symlink()
    assert str(recorder.part) in str(caught.value) and recorder.part.exists()


def test_a_recording_that_was_removed_meanwhile_is_told(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context())
    recorder.send(picture())
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(SinkLostError, match="somebody removed the file in the meantime"):
        recorder.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none/a.mp4", "does not exist"),
        ("a.txt", "must end in"),
        ("file/a.mp4", "not a folder"),
        ("a" * 300 + ".mp4", "too long"),
    ],
)
def test_a_recording_that_cannot_start_reports_why(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkOpenError, match=words):
        Recorder(tmp_path / name, 64, 48, context())


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_recording_on_a_full_disk_plays_to_its_last_second(tmp_path: Path, suffix: str) -> None:
    path, shared, clock = tmp_path / f"a.{suffix}", context(), FakeClock()
    generator = np.random.default_rng(0)
    with full_disk(1_500_000):
        recorder = Recorder(path, 160, 120, shared, clock=clock)
        encoder = recorder._thread  # noqa: SLF001
        written = 0
        with pytest.raises(SinkLostError, match=r"The recording stopped: .*the recording so far is in") as caught:
            for written in range(400):
                clock.now_s = written / 30
                noise = generator.integers(0, 256, (120, 160, 3), np.uint8)
                recorder.send(Outgoing(Picture(noise, PictureKind.COMPOSITE)))
                eventually(lambda sent=written: encoder.error is not None or shared.counts.encoded >= sent - 4)  # type: ignore[misc]
        recorder.close()
    assert str(path) in str(caught.value)
    images, _ = read(path)
    assert len(images) >= written - 30 >= 30
    with av.open(str(path)) as container:
        assert len([frame for packet in container.demux(video=0) for frame in packet.decode()]) == len(images)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001)])
def test_a_finished_recording_keeps_its_frame_rate(tmp_path: Path, suffix: str, fps: Fraction) -> None:
    """A recovered .mkv named 30000 frames per second."""
    writer = VideoWriter(tmp_path / f"a.{suffix}", 64, 48, fps)
    for grey in range(60):
        writer.write(np.full((48, 64, 3), grey, np.uint8))
    writer.close(complete=False)
    with av.open(str(recover(writer.temporary_path).file)) as container:
        assert container.streams.video[0].guessed_rate == fps
        assert suffix != "mkv" or container.streams.video[0].average_rate == fps


@pytest.mark.long
@pytest.mark.parametrize(("suffix", "fps"), [("mp4", 30), ("mkv", 5)])
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


@pytest.mark.parametrize("clock_was_set", [False, True])
def test_running_and_finished_recordings_are_not_offered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock_was_set: bool
) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context())
    recorder.send(picture())
    if clock_was_set and sys.platform == "linux":  # elsewhere the start of a process does not depend on the clock
        booted_s = psutil.boot_time()  # as the kernel derives it from the clock
        monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted_s + 3600)
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
    recorder = Recorder(tmp_path / "b.mp4", 64, 48, context())
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


NO_RECORDING = "is no unfinished recording"


def clip_without_codec(path: Path) -> None:
    """Write a clip that FFmpeg opens, but has nothing to copy the stream with."""
    content = write_clip(path.with_name("clip.mp4"), 3).read_bytes()
    path.with_name("clip.mp4").unlink()
    path.write_bytes(content.replace(b"avc1", b"zzzz").replace(b"mp4v", b"zzzz"))


def clip(path: Path) -> None:
    write_clip(path.with_name("clip.mp4"), 3).rename(path)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("a.part.mp4", lambda path: path.write_bytes(b""), ""),
        ("a.part.mp4", lambda path: path.write_bytes(b"no video"), ""),
        ("a.part.mp4", clip_without_codec, ""),
        ("a.part.mp4", lambda path: None, "There is no video file"),  # the copy was made under its name and read
        *((name, clip, "") for name in ("a.part.xyz", "a.part.webm")),
        *((name, clip, NO_RECORDING) for name in ("film.mp4", "a.part", "part.mp4", "a.party.mp4")),
    ],
)
def test_what_cannot_be_recovered_is_kept_and_named(
    tmp_path: Path, name: str, make: Callable[[Path], object], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    part = tmp_path / name
    make(part)
    before = list(tmp_path.iterdir())
    with pytest.raises(VideoError, match=re.escape(name)) as refused:
        recover(part)
    assert words in str(refused.value)
    assert main.main(["recover", str(part)]) == 1
    told = capsys.readouterr().err
    assert name in told and words in told
    assert list(tmp_path.iterdir()) == before


def test_a_file_that_another_program_records_to_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with recording_elsewhere(path) as lines:
        assert lines.readline()
        with pytest.raises(SinkOpenError, match="another program records to it; choose another name"):
            Recorder(path, 64, 48, context())
        Recorder(tmp_path / "other.mp4", 64, 48, context()).close()
    again = Recorder(path, 64, 48, context())
    again.send(picture())
    again.close()
    assert path.exists()
