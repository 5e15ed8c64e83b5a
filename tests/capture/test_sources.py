"""Contract of all sources."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.capture.base import FrameSource
from app.capture.camera import CameraSource
from app.capture.demo import DemoSource
from app.capture.devices import list_cameras
from app.capture.video_file import VideoFileSource
from app.core.settings import CaptureSettings
from app.core.types import check_bgr
from tests.clips import write_clip

Maker = Callable[[Path], FrameSource]


def first_camera(_: Path) -> FrameSource:
    camera = next((camera for camera in list_cameras() if not camera.is_virtual), None)
    if camera is None:
        pytest.skip("needs a camera")
    return CameraSource(camera.id, CaptureSettings())


MAKERS: dict[str, Maker] = {
    "demo": lambda _: DemoSource(160, 120, 60),
    "demo as fast as it goes": lambda _: DemoSource(161, 91, realtime=False),
    "demo with an empty scene": lambda _: DemoSource(160, 90, 60, empty_scene_s=0.05),
    "file": lambda folder: VideoFileSource(write_clip(folder / "clip.mp4", fps=50)),
    "file of an odd size": lambda folder: VideoFileSource(write_clip(folder / "clip.mkv", fps=50, size=(97, 49))),
    "turned file": lambda folder: VideoFileSource(write_clip(folder / "clip.mp4", fps=50, rotation=90)),
    "file as fast as it goes": lambda folder: VideoFileSource(write_clip(folder / "clip.mp4"), realtime=False),
    "camera": first_camera,
}


@pytest.fixture(params=MAKERS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FrameSource]:
    made: FrameSource = MAKERS[request.param](tmp_path)
    yield made
    made.close()


def test_frames_are_bgr_of_the_size_in_info(source: FrameSource) -> None:
    info = source.info
    assert info.kind in ("camera", "file", "demo")
    assert info.name
    assert info.id
    assert info.fps > 0
    for _ in range(5):
        frame = source.read()
        assert frame is not None
        check_bgr(frame.image)
        assert frame.size == (info.width, info.height)
        assert frame.image.flags.c_contiguous


def test_index_and_time_increase_and_reads_are_bounded(source: FrameSource) -> None:
    last_index, last_s = -1, 0.0
    for _ in range(15):
        started_s = time.perf_counter()
        frame = source.read()
        assert time.perf_counter() - started_s < 60
        assert frame is not None
        assert frame.index > last_index
        assert last_s < frame.captured_at_s <= time.perf_counter()
        last_index, last_s = frame.index, frame.captured_at_s


def test_the_next_read_does_not_change_a_frame(source: FrameSource) -> None:
    frame = source.read()
    assert frame is not None
    before = frame.image.copy()
    source.read()
    source.read()
    assert np.array_equal(frame.image, before)


def test_close_is_idempotent_and_ends_the_frames(source: FrameSource) -> None:
    source.read()
    threads = threading.active_count()
    source.close()
    source.close()
    assert source.read() is None
    assert threading.active_count() <= threads
