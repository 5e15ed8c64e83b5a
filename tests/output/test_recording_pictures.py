"""What the pictures of a recording show: colours, matte and sizes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from app.media.encoders import VideoEncoder, live_encoder
from app.output import recorder as recorder_module
from app.output.recorder import Recorder
from app.output.recording import RecordingOptions
from tests.output.pictures import bar_error, picture
from tests.output.recordings import read


def test_the_composite_is_written_with_its_colours(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 640, 360, RecordingOptions(30))
    for _ in range(5):
        recorder.send(picture(640, 360))
    assert not (tmp_path / "a.mp4").exists(), "the name is taken only when the file is complete"
    recorder.close()
    images, _ = read(tmp_path / "a.mp4")
    assert len(images) == 5 and images[0].shape == (360, 640, 3)
    assert bar_error(images[-1]) <= 6


def test_the_matte_is_written_in_grey_and_black_if_missing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, alpha=True))
    half = np.zeros((48, 64), np.uint8)
    half[:, 32:] = 255
    recorder.send(picture(alpha=half))
    recorder.send(picture())
    recorder.close()
    (matte, none), _ = read(tmp_path / "a.mp4")
    assert matte[:, :28].max() <= 6 and matte[:, 36:].min() >= 249
    assert none.max() <= 6


def test_frames_of_another_size_are_letterboxed(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30))
    recorder.send(picture(64, 48, grey=200))
    recorder.send(picture(200, 50, grey=200))
    recorder.close()
    (_, boxed), _ = read(tmp_path / "a.mp4")
    assert boxed.shape == (48, 64, 3)
    assert boxed[:10].max() <= 12 and boxed[-10:].max() <= 12 and abs(int(boxed[24, 32, 0]) - 200) <= 6


def test_odd_sizes_are_padded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def chosen(name: str, width: int, height: int, rate: Fraction) -> VideoEncoder:
        asked.append((width, height))
        return live_encoder(name, width, height, rate)

    monkeypatch.setattr(recorder_module, "live_encoder", chosen)
    recorder = Recorder(tmp_path / "a.mp4", 65, 49, RecordingOptions(30))
    recorder.send(picture(65, 49, grey=90))
    recorder.close()
    (image,), _ = read(tmp_path / "a.mp4")
    assert image.shape == (50, 66, 3) and np.abs(image.astype(int) - 90).max() <= 4
    assert asked == [(66, 50)], "an encoder is tried at the size that it will get"
