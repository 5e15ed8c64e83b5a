"""The choice of the encoder."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.core.types import BgrImage
from app.media.encoders import HARDWARE, VideoEncoder, encodes, file_encoder, live_encoder
from app.media.video_writer import VideoWriter
from tests.clips import demo

RATE = Fraction(30)


def try_encoders(monkeypatch: pytest.MonkeyPatch, working: str = "") -> list[str]:
    """Let one encoder of hardware work; return the list of the names that are tried."""
    tried: list[str] = []

    def works(encoder: VideoEncoder, width: int, height: int) -> bool:
        tried.append(encoder.name)
        return encoder.name == working

    monkeypatch.setattr("app.media.encoders.encodes", works)
    return tried


@pytest.mark.parametrize("working", HARDWARE)
def test_auto_takes_the_first_hardware_encoder_that_works(working: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = try_encoders(monkeypatch, working)
    chosen = live_encoder("auto", 1280, 720, RATE)
    assert chosen.name == working and chosen.codec == f"h264_{working}" and chosen.live
    assert tried == list(HARDWARE[: HARDWARE.index(working) + 1])


@pytest.mark.parametrize(("wanted", "names"), [("auto", [*HARDWARE]), ("x264", []), ("nvenc", ["nvenc"])])
def test_without_hardware_it_is_x264(wanted: str, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tried = try_encoders(monkeypatch)
    chosen = live_encoder(wanted, 1280, 720, RATE)
    assert chosen.codec == "libx264" and chosen.live
    assert tried == names


def test_threads_are_bounded_and_follow_the_pixel_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.media.encoders.usable_cores", lambda: 64)

    def threads(width: int, height: int, rate: int) -> str:
        options = live_encoder("x264", width, height, Fraction(rate)).options
        return options["x264-params"].rpartition("threads=")[2]

    assert [threads(1280, 720, 30), threads(1920, 1080, 30), threads(3840, 2160, 60)] == ["2", "2", "4"]


def test_an_encoder_must_encode_a_frame_to_count_as_working() -> None:
    assert encodes(live_encoder("x264", 64, 48, RATE), 64, 48)
    assert encodes(file_encoder(), 64, 48)
    assert not encodes(VideoEncoder("none", "h264_of_nobody"), 64, 48)
    assert not encodes(VideoEncoder("x264", "libx264", pixel_format="rgb24"), 64, 48)


def size_and_error(path: Path, frames: list[BgrImage], encoder: VideoEncoder) -> tuple[int, float]:
    """Return the bytes of a recording, and the mean squared error of its colours."""
    writer = VideoWriter(path, 640, 360, RATE, encoder=encoder)
    for number, frame in enumerate(frames):
        writer.write(frame, Fraction(number) / RATE)
    writer.close()
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    errors = [np.mean(np.square(a.astype(np.float32) - b)) for a, b in zip(decoded, frames, strict=True)]
    return path.stat().st_size, float(np.mean(errors))


def test_a_recording_needs_few_more_bits_than_with_the_slower_preset_superfast(tmp_path: Path) -> None:
    frames = demo(640, 360, range(20))
    size, error = size_and_error(tmp_path / "live.mp4", frames, live_encoder("x264", 640, 360, RATE))
    usual = VideoEncoder("x264", "libx264", {"preset": "superfast", "qp": "23", "bf": "0"}, live=True)
    usual_size, usual_error = size_and_error(tmp_path / "superfast.mp4", frames, usual)
    assert size < 1.2 * usual_size and error < 1.05 * usual_error
