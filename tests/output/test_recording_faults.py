"""Recordings that cannot start, fail or cannot be finished: the reason, and what is left of them."""

from __future__ import annotations

import errno
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.errors import SinkLostError, SinkOpenError
from app.media.video_writer import VideoWriter
from app.output.recorder import Recorder
from app.output.recording import RecordingCounts, RecordingOptions
from tests.output.pictures import picture
from tests.output.recordings import read
from tests.paths import ROOT
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
    with pytest.raises(SinkOpenError, match=words) as caught:
        Recorder(tmp_path / name, 64, 48, RecordingOptions(30))
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


FULL_DISK = """
import sys
from contextlib import suppress
from pathlib import Path
import numpy as np
from app.core.errors import SinkLostError
import time
from app.output.recorder import Recorder
from app.output.recording import RecordingCounts, RecordingOptions
from app.core.types import Picture, PictureKind
counts = RecordingCounts()
number = 0
recorder = Recorder(Path(sys.argv[1]), 320, 240, RecordingOptions(30, counts=counts), lambda: number / 30)
generator = np.random.default_rng(0)
try:
    for number in range(400):
        recorder.send(Picture(generator.integers(0, 256, (240, 320, 3), np.uint8), PictureKind.COMPOSITE))
        for _ in range(50):
            if counts.encoded < number - 4:
                time.sleep(0.01)
except SinkLostError as error:
    print(number, error)
recorder.close()
"""


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_recording_on_a_full_disk_plays_to_its_last_second(tmp_path: Path, suffix: str) -> None:
    """A limit on the size of files makes the kernel reject writes as on a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))

    path = tmp_path / f"a.{suffix}"
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, preexec_fn=limit)
    assert result.returncode == 0, result.stderr
    assert "The recording stopped: " in result.stdout and f"the recording so far is in {path}" in result.stdout
    assert result.stdout.count("\n") == 1
    written = int(result.stdout.split()[0])
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
