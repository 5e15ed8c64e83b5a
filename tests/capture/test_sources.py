"""Names of sources, and the contract of all sources."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture import SourceName, open_source, parse_source
from app.capture.base import FrameSource
from app.capture.camera import CameraSource
from app.capture.demo import DemoSource
from app.capture.devices import list_cameras
from app.capture.video_file import VideoFileSource
from app.core.errors import MattecamError, SourceOpenError, UsageError
from app.core.settings import CaptureSettings
from app.core.types import check_bgr
from tests.clips import write_clip


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("auto", SourceName("auto")),
        ("demo", SourceName("demo")),
        ("demo:empty", SourceName("demo", "empty")),
        ("camera:0", SourceName("camera", "0")),
        ("camera:/dev/video2", SourceName("camera", "/dev/video2")),
        ("0", SourceName("camera", "0")),
        ("./0", SourceName("file", "./0")),
        ("/dev/video2", SourceName("camera", "/dev/video2")),
        ("/dev/v4l/by-id/usb-046d_HD", SourceName("camera", "/dev/v4l/by-id/usb-046d_HD")),
        ("camera:usb-046d_HD-video-index0", SourceName("camera", "usb-046d_HD-video-index0")),
        ("camera:platform:vivid-000", SourceName("camera", "platform:vivid-000")),
        ("clips/a film.mp4", SourceName("file", "clips/a film.mp4")),
        ("C:\\clips\\film.mp4", SourceName("file", "C:\\clips\\film.mp4")),
    ],
)
def test_names_of_the_command_line(text: str, name: SourceName) -> None:
    assert parse_source(text) == name
    assert parse_source(str(name)) == name


@pytest.mark.parametrize("text", ["", "  ", "camera:", "camera:  ", "a\0b", "rtsp://10.0.0.2/live"])
def test_invalid_names(text: str) -> None:
    with pytest.raises(UsageError):
        parse_source(text)
    with pytest.raises(SourceOpenError):
        open_source(CaptureSettings(source=text))


@given(st.text())
def test_any_text_is_parsed_or_a_usage_error(text: str) -> None:
    try:
        name = parse_source(text)
    except UsageError:
        assert not text.strip() or "\0" in text or "://" in text or not text.removeprefix("camera:").strip()
        return
    assert parse_source(str(name)) == name
    assert bool(name.value) == (name.kind in ("camera", "file"))


def test_the_demo_has_the_requested_size() -> None:
    source = open_source(CaptureSettings(source="demo", width=320, height=200, fps=24))
    source.close()
    assert (source.info.kind, source.info.width, source.info.height, source.info.fps) == ("demo", 320, 200, 24)


def test_an_unknown_home_folder_is_a_missing_video() -> None:
    with pytest.raises(MattecamError, match=r"There is no video file ~nobody-of-that-name/a\.mp4"):
        open_source(CaptureSettings(source="~nobody-of-that-name/a.mp4"))


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
