"""Frames of cameras with a fake driver: formats, blank, damaged and shared ones."""

from __future__ import annotations

import random
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
import simplejpeg

from app.capture.camera import blank_fault
from app.core.messages.capture import CameraText
from app.media.jpeg import HABIT_FRAMES
from tests.capture.played_camera import PATIENT, FakeCapture, first_frame, lost, opened, picture
from tests.media.damaged_jpegs import encode, lost_packets


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4)])
def test_grey_and_four_channels_become_bgr(driver: type[FakeCapture], shape: tuple[int, ...]) -> None:
    image = driver.shows["YUYV"] = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    frame, _ = first_frame(pixel_format="YUYV")
    np.testing.assert_array_equal(frame.image, np.atleast_3d(image)[..., [0, 1, 2] if shape[2:] == (4,) else [0, 0, 0]])
    assert frame.image.flags.c_contiguous


@pytest.mark.parametrize(
    ("colour", "expected"),
    [((0, 0, 0), CameraText.BLACK), ((2, 1, 0), CameraText.BLACK), ((0, 135, 0), CameraText.GREEN),
     ((0, 154, 0), CameraText.GREEN), ((0, 255, 0), None), ((30, 30, 30), None), ((255, 255, 255), None)],
)  # fmt: skip
def test_blank_frames(colour: tuple[int, int, int], expected: CameraText | None) -> None:
    assert blank_fault(np.full((48, 64, 3), colour, np.uint8)) == expected


def test_a_dark_frame_is_not_blank() -> None:
    noise = np.random.default_rng(0).integers(0, 6, (48, 64, 3), np.uint8)
    assert blank_fault(noise) is None


def large_frame() -> bytes:
    return encode(picture(320, 240))


def damaged_frame() -> bytes:
    return lost_packets(large_frame(), b"", random.Random(1))


def test_damaged_mjpg_frames_are_dropped(driver: type[FakeCapture]) -> None:
    driver.undecoded[:] = [large_frame(), damaged_frame(), large_frame(), damaged_frame(), large_frame()]
    with opened(PATIENT) as source:
        frames = [source.read() for _ in range(2)]
    assert driver.undecoded == [large_frame()]
    expected = simplejpeg.decode_jpeg(large_frame(), colorspace="BGR", fastupsample=True)
    for frame in frames:
        assert frame is not None
        assert np.array_equal(frame.image, expected)


def test_a_camera_with_only_damaged_frames_is_lost(driver: type[FakeCapture]) -> None:
    driver.undecoded[:] = [large_frame(), damaged_frame()]
    with opened() as source:
        lost(source.read, "only damaged frames; check its cable", most=100)


def test_a_camera_that_always_sends_surplus_bytes_is_not_damaged(
    driver: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = large_frame()
    driver.undecoded[:] = [frame[:-2] + b"\x11" * 9 + b"\xff\xd9"]
    decode = Mock(wraps=simplejpeg.decode_jpeg)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", decode)
    with opened(PATIENT) as source:
        assert decode.call_count == HABIT_FRAMES, "the first ones are dropped"
        for _ in range(3):
            assert source.read() is not None
    assert decode.call_count == HABIT_FRAMES + 3, "each frame once"


def test_a_frame_that_the_driver_converts_is_used_unchanged_and_not_copied(driver: type[FakeCapture]) -> None:
    driver.undecoded[:] = [b"no JPEG"]
    frame, _ = first_frame(pixel_format="YUYV")
    assert np.array_equal(frame.image, picture())
    delivered = driver.shows["YUYV"]
    assert delivered is not None and np.shares_memory(frame.image, delivered)


def test_opencv_delivers_frames_in_memory_of_their_own(tmp_path: Path) -> None:
    """A frame that changed while it is matted would be composited with the alpha of another."""
    film = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    film.write(picture())
    film.release()
    capture = cv2.VideoCapture(str(tmp_path / "film.avi"))
    assert capture.grab()
    (first_read, first), (again_read, again) = capture.retrieve(), capture.retrieve()
    capture.release()
    assert first_read and again_read
    assert not np.shares_memory(first, again)
