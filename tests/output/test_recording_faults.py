"""Recordings that cannot start, fail or cannot be finished: the reason, and what is left of them."""

from __future__ import annotations

import errno
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.errors import SinkLostError, SinkOpenError
from app.core.types import Outgoing, Picture, PictureKind
from app.media.video_writer import VideoWriter
from app.output.recorder import Recorder
from app.output.recording import RecordingCounts, RecordingOptions
from app.testing.clock import FakeClock
from tests.output.pictures import picture
from tests.output.recordings import read
from tests.waiting import eventually


def test_an_encoder_that_fails_later_stops_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = RecordingCounts()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, counts=counts))
    recorder.send(picture())
    eventually(lambda: counts.encoded == 1)

    def fail(self: VideoWriter, image: NDArray[np.uint8], pts_s: float) -> None:
        raise OSError(errno.EIO, "the encoder failed", str(self.temporary_path))

    monkeypatch.setattr(VideoWriter, "write", fail)
    with pytest.raises(SinkLostError, match=r"The recording stopped: .*the recording so far is in"):
        for _ in range(500):
            recorder.send(picture())
            time.sleep(0.01)
    recorder.close()
    assert len(read(tmp_path / "a.mp4")[0]) == 1


def test_a_failure_after_the_last_frame_is_reported_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30))

    def fail(self: VideoWriter, image: NDArray[np.uint8], pts_s: float) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(self.temporary_path))

    monkeypatch.setattr(VideoWriter, "write", fail)
    recorder.send(picture())
    with pytest.raises(SinkLostError, match="the disk is full"):
        recorder.close()
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
        Recorder(tmp_path / name, 64, 48, RecordingOptions(30))


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let the kernel reject writes beyond this file size, as on a full disk. Python ignores the signal of the limit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_recording_on_a_full_disk_plays_to_its_last_second(tmp_path: Path, suffix: str) -> None:
    path, counts, clock = tmp_path / f"a.{suffix}", RecordingCounts(), FakeClock()
    generator = np.random.default_rng(0)
    with full_disk(1_500_000):
        recorder = Recorder(path, 160, 120, RecordingOptions(30, counts=counts), clock)
        encoder = recorder._thread  # noqa: SLF001
        written = 0
        with pytest.raises(SinkLostError, match=r"The recording stopped: .*the recording so far is in") as caught:
            for written in range(400):
                clock.now_s = written / 30
                noise = generator.integers(0, 256, (120, 160, 3), np.uint8)
                recorder.send(Outgoing(Picture(noise, PictureKind.COMPOSITE)))
                eventually(lambda sent=written: encoder.error is not None or counts.encoded >= sent - 4)  # type: ignore[misc]
        recorder.close()
    assert str(path) in str(caught.value)
    images, _ = read(path)
    assert len(images) >= written - 30 >= 30
    with av.open(str(path)) as container:
        assert len([frame for packet in container.demux(video=0) for frame in packet.decode()]) == len(images)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_failure_to_finish_names_the_remaining_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30))
    recorder.send(picture())

    def refuse(self: VideoWriter) -> None:
        self._release()
        raise OSError(errno.ENOSPC, "No space left on device", str(self.temporary_path))

    monkeypatch.setattr(VideoWriter, "close", refuse)
    with pytest.raises(SinkLostError, match="the disk is full") as caught:
        recorder.close()
    assert str(tmp_path / "a.mp4") in str(caught.value)
    recorder.close()
