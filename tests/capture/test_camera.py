"""Cameras with a fake driver: opening, losing, skipping."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.capture import camera, v4l2
from app.capture.base import LiveSource
from app.capture.camera import CameraSource
from app.capture.devices import SYSTEM
from app.core.errors import SourceOpenError
from app.core.settings import CaptureSettings
from app.core.types import BgrImage
from tests.capture.played_camera import FAST, PATIENT, WEBCAM, FakeCapture, first_frame, lost, opened, picture


def test_the_preferred_format_is_requested_and_the_actual_one_reported(driver: type[FakeCapture]) -> None:
    _, info = first_frame(width=1920, height=1080, fps=60)
    asked = driver.made[0].asked
    wanted = {cv2.CAP_PROP_FRAME_WIDTH: 1920, cv2.CAP_PROP_FRAME_HEIGHT: 1080, cv2.CAP_PROP_FPS: 60}
    assert asked.items() >= wanted.items()
    assert (info.kind, info.name, info.id) == ("camera", "Webcam", "usb-webcam")
    assert (info.width, info.height, info.fps, info.pixel_format) == (64, 48, 25.0, "MJPG")


@pytest.mark.skipif(SYSTEM != "Linux", reason="needs Linux")
def test_a_device_file_that_is_not_listed_has_its_stable_id(
    driver: type[FakeCapture], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera that did not respond while it was listed may open a moment later."""
    (tmp_path / "usb-webcam").symlink_to("/dev/null")
    monkeypatch.setattr(v4l2, "LINK_FOLDERS", (tmp_path,))
    monkeypatch.setattr(camera, "find_camera", lambda name: None)
    with closing(CameraSource("/dev/null", CaptureSettings(), PATIENT)) as source:
        assert source.info.id == "usb-webcam"


def test_a_requested_format_is_the_only_one_tried(driver: type[FakeCapture]) -> None:
    assert first_frame(pixel_format="YUYV")[1].pixel_format == "YUYV"
    assert len(driver.made) == 1


@pytest.mark.parametrize(
    "nothing", [None, np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), (0, 135, 0), np.uint8)]
)
def test_a_format_without_frames_is_skipped(driver: type[FakeCapture], nothing: BgrImage | None) -> None:
    driver.shows["MJPG"] = nothing
    assert first_frame(FAST)[1].pixel_format == "YUYV"


def test_only_black_frames_are_reported(driver: type[FakeCapture]) -> None:
    driver.shows.update(MJPG=np.zeros((48, 64, 3), np.uint8), YUYV=np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(SourceOpenError, match="only black frames; open its shutter"):
        CameraSource("0", CaptureSettings(), FAST)


def test_a_camera_that_cannot_be_opened(driver: type[FakeCapture]) -> None:
    driver.opens = False
    with pytest.raises(SourceOpenError, match=r"Webcam .*cannot be opened: .*not a camera"):
        CameraSource("0", CaptureSettings(), FAST)
    for capture in driver.made:
        capture.release()


def test_a_silent_camera_is_lost(driver: type[FakeCapture]) -> None:
    with opened() as source:
        started_s = time.perf_counter()
        assert source.read() is not None
        driver.shows.clear()
        lost(source.read, "delivered no frame for")
        assert time.perf_counter() - started_s > FAST.silence_s


def test_a_closed_shutter_loses_the_camera_without_a_black_frame(driver: type[FakeCapture]) -> None:
    with opened() as source:
        driver.shows["MJPG"] = np.zeros((48, 64, 3), np.uint8)
        lost(source.read, "only black frames")


def test_a_skipped_frame_is_not_decoded(driver: type[FakeCapture], monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as source:
        assert isinstance(source, LiveSource), "a paused program would decode its frames"
        first = source.read()
        with monkeypatch.context() as patch:
            patch.delattr(FakeCapture, "retrieve")
            assert source.skip() and source.skip()
        frame = source.read()
        assert first is not None and frame is not None and frame.index == first.index + 3


def test_a_camera_that_falls_silent_while_frames_are_skipped_is_lost(driver: type[FakeCapture]) -> None:
    with opened() as source:
        assert source.skip()
        driver.shows.clear()
        lost(source.skip, "delivered no frame for")


def test_an_unplugged_camera_is_lost_at_once(
    driver: type[FakeCapture], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    device = tmp_path / "video0"
    device.touch()
    monkeypatch.setattr(camera, "SYSTEM", "Linux")
    monkeypatch.setattr(camera, "find_camera", lambda wanted: replace(WEBCAM, path=str(device)))
    with opened(PATIENT) as source:
        driver.shows.clear()
        device.unlink()
        lost(source.read, "is disconnected", most=1)


def test_a_change_of_size_is_followed(driver: type[FakeCapture]) -> None:
    with opened() as source:
        driver.shows["MJPG"] = picture(80, 60)
        frame = source.read()
        assert frame is not None and frame.size == (source.info.width, source.info.height) == (80, 60)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), 1e9])
def test_an_implausible_frame_rate_is_ignored(driver: type[FakeCapture], fps: float) -> None:
    driver.fps = fps
    assert first_frame(fps=24)[1].fps == 24
