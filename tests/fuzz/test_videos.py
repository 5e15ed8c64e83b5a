from __future__ import annotations

import contextlib
import time
from pathlib import Path

import av
import numpy as np
import pytest

from app.capture.video_file import VideoFileSource
from app.compositing import open_background
from app.core.errors import BackgroundError, SourceLostError, SourceOpenError
from app.core.settings import BackgroundSettings
from app.core.types import check_bgr
from tests.fuzz.damage import damaged, sampled

SLOWEST_S = 30.0
KINDS = (
    ("mp4", "libx264"),
    ("mkv", "libx264"),
    ("webm", "libvpx-vp9"),
    ("avi", "mpeg4"),
    ("mov", "mjpeg"),
    ("gif", "gif"),
)
WIDTH, HEIGHT, FRAMES = 64, 48, 12


def encoded(folder: Path, suffix: str, codec: str) -> bytes:
    path = folder / f"whole.{suffix}"
    formats = {"gif": "rgb8", "mjpeg": "yuvj420p"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, formats.get(codec, "yuv420p")
        for index in range(FRAMES):
            image = np.full((HEIGHT, WIDTH, 3), index * 20, np.uint8)
            image[:, index * 5 : index * 5 + 5] = (250, 10, 60)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    data = path.read_bytes()
    path.unlink()
    return data


def play_as_background(path: Path) -> int:
    """Return the number of backdrops that could be shown; -1 if the file was rejected with an error that names it."""
    try:
        background = open_background(BackgroundSettings(kind="video", path=path))
    except BackgroundError as error:
        assert str(path) in str(error) or path.name in str(error)
        return -1
    shown = 0
    with contextlib.closing(background):
        for moment in range(5):
            image = background.backdrop(80, 60, moment * 0.2)
            assert isinstance(image, np.ndarray) and image.shape == (60, 80, 3) and image.dtype == np.uint8
            shown += 1
    return shown


def play_as_source(path: Path) -> int:
    """Return the number of frames read; -1 if the file was rejected with an error that names it."""
    try:
        source = VideoFileSource(path, realtime=False, loop=False)
    except SourceOpenError as error:
        assert path.name in str(error)
        return -1
    frames = 0
    with contextlib.closing(source):
        try:
            while frames < 4 * FRAMES:
                frame = source.read()
                if frame is not None:
                    check_bgr(frame.image)
                    frames += 1
        except SourceLostError as error:
            assert path.name in str(error)
    return frames


@sampled(20, 2000)
@pytest.mark.parametrize(("suffix", "codec"), KINDS)
def test_broken_videos(tmp_path: Path, suffix: str, codec: str, cases: int) -> None:
    whole = encoded(tmp_path, suffix, codec)
    path = tmp_path / f"case.{suffix}"
    path.write_bytes(whole)
    assert play_as_background(path) == 5 and play_as_source(path) == FRAMES
    for data in damaged(whole, cases, seed=len(codec)):
        path.write_bytes(data)
        started_s = time.monotonic()
        assert play_as_background(path) in (-1, 5)
        assert play_as_source(path) >= -1
        assert time.monotonic() - started_s < SLOWEST_S
