"""Recordings: content, timing and disk errors."""

from __future__ import annotations

import errno
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import InvalidDataError

from app.core.errors import SinkLostError, SinkOpenError
from app.core.types import BgrImage
from app.media.video_writer import VideoWriter
from app.output.recorder import Recorder
from tests.output.pictures import bar_error, picture
from tests.paths import ROOT


def read(path: Path) -> tuple[list[BgrImage], list[float]]:
    """Return the frames and their times in seconds, up to where the file breaks off."""
    images: list[BgrImage] = []
    times = []
    with av.open(str(path)) as container, suppress(InvalidDataError):
        for frame in container.decode(video=0):
            images.append(frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False))
            times.append(float(frame.time or 0))
    return images, times


class Clock:
    """A clock that tests set."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_the_composite_is_written_with_its_colours(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 640, 360, 30)
    for _ in range(5):
        recorder.send(picture(640, 360))
    assert not (tmp_path / "a.mp4").exists(), "the name is taken only when the file is complete"
    recorder.close()
    images, _ = read(tmp_path / "a.mp4")
    assert len(images) == 5 and images[0].shape == (360, 640, 3)
    assert bar_error(images[-1]) <= 6


def test_the_matte_is_written_in_grey_and_black_if_missing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, 30, alpha=True)
    half = np.zeros((48, 64), np.uint8)
    half[:, 32:] = 255
    recorder.send(picture(alpha=half))
    recorder.send(picture())
    recorder.close()
    (matte, none), _ = read(tmp_path / "a.mp4")
    assert matte[:, :28].max() <= 6 and matte[:, 36:].min() >= 249
    assert none.max() <= 6


def test_frames_of_another_size_are_letterboxed(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, 30)
    recorder.send(picture(64, 48, grey=200))
    recorder.send(picture(200, 50, grey=200))
    recorder.close()
    (_, boxed), _ = read(tmp_path / "a.mp4")
    assert boxed.shape == (48, 64, 3)
    assert boxed[:10].max() <= 12 and boxed[-10:].max() <= 12 and abs(int(boxed[24, 32, 0]) - 200) <= 6


def test_odd_sizes_are_padded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 65, 49, 30)
    recorder.send(picture(65, 49, grey=90))
    recorder.close()
    (image,), _ = read(tmp_path / "a.mp4")
    assert image.shape == (50, 66, 3) and np.abs(image.astype(int) - 90).max() <= 4


def test_times_follow_the_clock_in_frame_intervals(tmp_path: Path) -> None:
    clock = Clock()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, 30, clock=clock)
    jitter_s = [0, 0.009, -0.008, 0.012, 0.0, -0.01, 0.005]
    for number, early_s in enumerate(jitter_s):
        clock.now_s = 100 + number / 30 + early_s
        recorder.send(picture())
    clock.now_s = 101.0
    recorder.send(picture())
    recorder.close()
    _, times = read(tmp_path / "a.mp4")
    assert times == pytest.approx([*(k / 30 for k in range(7)), 1.0], abs=1e-4)


def test_a_burst_loses_no_frame(tmp_path: Path) -> None:
    clock = Clock()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, 30, clock=clock)
    for _ in range(6):
        recorder.send(picture())
    clock.now_s += 0.5
    recorder.send(picture())
    recorder.close()
    _, times = read(tmp_path / "a.mp4")
    assert times == pytest.approx([*(k / 30 for k in range(6)), 0.5], abs=1e-4)


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
        Recorder(tmp_path / name, 64, 48, 30)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


FULL_DISK = """
import sys
from contextlib import suppress
from pathlib import Path
import numpy as np
from app.core.errors import SinkLostError
from app.output.recorder import Recorder
from app.core.types import Picture, PictureKind
recorder = Recorder(Path(sys.argv[1]), 320, 240, 30)
generator = np.random.default_rng(0)
try:
    for number in range(400):
        recorder.send(Picture(generator.integers(0, 256, (240, 320, 3), np.uint8), PictureKind.COMPOSITE))
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
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_failure_to_finish_names_the_remaining_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, 30)
    recorder.send(picture())

    def refuse(self: VideoWriter) -> None:
        self._release()
        raise OSError(errno.ENOSPC, "No space left on device", str(self.temporary_path))

    monkeypatch.setattr(VideoWriter, "close", refuse)
    with pytest.raises(SinkLostError, match="the disk is full") as caught:
        recorder.close()
    assert str(tmp_path / "a.mp4") in str(caught.value)
    recorder.close()
