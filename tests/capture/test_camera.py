"""Cameras with a fake driver: opening, losing and skipping; formats, blank, damaged and shared frames, exposure."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
import simplejpeg

from app.capture import camera
from app.capture.camera import CameraTiming
from app.core.errors import SourceLostError, SourceOpenError
from app.core.process import Holder
from app.core.types import BgrImage
from tests.capture.conftest import (
    FAST,
    PATIENT,
    WEBCAM,
    Driver,
    FakeCapture,
    lost,
    picture,
    played_time,
)
from tests.media.damaged_jpegs import encode, lost_packets, with_surplus

BLACK = np.zeros((48, 64, 3), np.uint8)
GREEN = np.full((48, 64, 3), (0, 135, 0), np.uint8)
# What OpenCV gives of video that it does not decode.
BYTES = np.zeros((1, 700), np.uint8)
# Frame rate by format and height.
Rates = dict[tuple[str, int], float]
LARGE = encode(picture(320, 240))
DAMAGED = lost_packets(LARGE, b"", random.Random(1))
AUTO_EXPOSURE = cv2.CAP_PROP_AUTO_EXPOSURE
EXPOSURE = cv2.CAP_PROP_EXPOSURE
AUTO_WB = cv2.CAP_PROP_AUTO_WB
TEMPERATURE = cv2.CAP_PROP_WB_TEMPERATURE
MANUAL = camera.MANUAL_EXPOSURE
AUTOMATIC = camera.AUTOMATIC_EXPOSURE
STALE = 77.0
LOCKED = {AUTO_EXPOSURE: MANUAL, EXPOSURE: 156.0, AUTO_WB: 0.0, TEMPERATURE: 4600.0}


def test_the_preferred_format_is_requested_and_the_actual_one_reported(driver: Driver) -> None:
    _, info = driver.first_frame(width=1920, height=1080, fps=60)
    asked = driver.made[0].asked
    wanted = {cv2.CAP_PROP_FRAME_WIDTH: 1920, cv2.CAP_PROP_FRAME_HEIGHT: 1080, cv2.CAP_PROP_FPS: 60}

    assert asked.items() >= wanted.items()
    assert (info.kind, info.name, info.id) == ("camera", "Webcam", "usb-webcam")
    assert (info.width, info.height, info.fps, info.pixel_format) == (64, 48, 25.0, "MJPG")


def test_a_device_that_this_program_has_begun_to_send_to_meanwhile_is_no_source(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first frame of a virtual camera may be awaited for seconds, in which the output may open the device."""
    driver.device = replace(WEBCAM, is_virtual=True)
    own_handles = Holder(os.getpid(), "mattecam", only_writes=False, sends=True)
    monkeypatch.setattr(camera, "holders", Mock(side_effect=[(), (own_handles,)]))

    with pytest.raises(SourceOpenError, match="is the virtual camera that this program sends to"):
        driver.first_frame()

    assert [capture.released for capture in driver.made] == [True]


@pytest.mark.parametrize("nothing", [None, BLACK, GREEN])
def test_a_format_without_frames_is_skipped(driver: Driver, nothing: BgrImage | None) -> None:
    driver.shows["MJPG"] = nothing
    assert driver.first_frame(FAST)[1].pixel_format == "YUYV"


@pytest.mark.parametrize(
    ("offered", "used"),
    [
        (("H264", "NV12"), "NV12"), (("NV12", "H264"), "NV12"), (("HEVC", "VP80", "VP90", "UYVY"), "UYVY"),
        (("GREY", "BGR3"), "BGR3"), (("Y16", "MPG4", "GREY"), "GREY"), (("NV12", "YUYV", "MJPG"), "MJPG"),
        (("NV12", "YUYV"), "YUYV"), (("H264", "NV21", "YV12", "RGB3", "NV16"), "RGB3"),
    ],
)  # fmt: skip
def test_every_format_is_tried_and_compressed_video_last(
    offered: tuple[str, ...],
    used: str,
    driver: Driver,
) -> None:
    """A camera with H264 first was refused: only the first of such formats was tried."""
    driver.device = replace(WEBCAM, formats=offered)
    driver.shows = {
        used: picture(),
        **dict.fromkeys(("H264", "HEVC", "VP80", "VP90", "MPG4"), BYTES),
    }

    assert driver.first_frame(FAST)[1].pixel_format == used


@pytest.mark.parametrize(
    ("shows", "chosen", "words"),
    [
        (
            {"H264": BYTES, "HEVC": BYTES[0]},
            "auto",
            "sends video that cannot be decoded; choose another format",
        ),
        (
            {"H264": BYTES, "HEVC": BYTES[0]},
            "H264",
            "sends video that cannot be decoded; choose another format",
        ),
        ({"MJPG": BLACK, "YUYV": BLACK}, "auto", "only black or green frames; open its shutter"),
        pytest.param(
            None,
            "auto",
            r"Webcam .*cannot be opened: .*not a camera",
            marks=pytest.mark.linux("app.capture.camera"),
        ),
    ],
)
def test_a_camera_without_a_picture_is_not_opened_and_told_why(
    shows: dict[str, BgrImage | None] | None, chosen: str, words: str, driver: Driver
) -> None:
    driver.opens = shows is not None
    driver.shows = shows or {}
    driver.device = replace(WEBCAM, formats=tuple(driver.shows))
    with pytest.raises(SourceOpenError, match=words):
        driver.source(pixel_format=chosen)


@pytest.mark.parametrize(
    ("rates", "fps", "used"),
    [
        (
            {("YUYV", 1080): 5, ("YUYV", 720): 10, ("YUYV", 480): 30, ("YUYV", 360): 30},
            30,
            ("YUYV", 480, 30),
        ),
        (
            {("YUYV", 1080): 2, ("YUYV", 720): 5, ("YUYV", 480): 15, ("YUYV", 360): 29.97},
            30,
            ("YUYV", 360, 29.97),
        ),
        ({("YUYV", 720): 10, ("YUYV", 480): 25, ("YUYV", 360): 25}, 30, ("YUYV", 480, 25)),
        ({("YUYV", 720): 10, ("YUYV", 480): 30, ("YUYV", 360): 60}, 60, ("YUYV", 480, 30)),
        ({("YUYV", 720): 10, ("YUYV", 480): 10, ("YUYV", 360): 10}, 30, ("YUYV", 720, 10)),
        ({("YUYV", 720): 15, ("YUYV", 480): 30, ("YUYV", 360): 30}, 30, ("YUYV", 720, 15)),
        ({("YUYV", 720): 10, ("YUYV", 480): 30, ("YUYV", 360): 30}, 10, ("YUYV", 720, 10)),
        ({("MJPG", 720): 30, ("YUYV", 720): 10, ("YUYV", 480): 30}, 30, ("MJPG", 720, 30)),
        ({("YUYV", 720): 10, ("YUYV", 480): 30, ("NV12", 720): 30}, 30, ("NV12", 720, 30)),
        (
            {("YUYV", 720): 10, ("YUYV", 480): 20, ("NV12", 720): 5, ("NV12", 480): 30},
            30,
            ("YUYV", 480, 20),
        ),
    ],
)
def test_a_size_that_is_slow_is_left_for_one_that_reaches_30(
    rates: Rates, fps: float, used: tuple[str, int, float], driver: Driver
) -> None:
    """Without MJPG, many cameras reach 720p at 10 frames per second."""

    class Rated(driver):  # type: ignore[misc,valid-type]
        def get(self, key: int) -> float:
            if key != cv2.CAP_PROP_FPS:
                return float(super().get(key))
            return rates[self.format, int(self.asked[cv2.CAP_PROP_FRAME_HEIGHT])]

        @property
        def image(self) -> BgrImage | None:
            height = int(self.asked.get(cv2.CAP_PROP_FRAME_HEIGHT, 480))
            return None if super().image is None else picture(height * 4 // 3, height)

    formats = tuple(dict.fromkeys(name for name, _ in rates))
    sizes = tuple(sorted((height * 4 // 3, height) for height in {height for _, height in rates}))
    Rated.device = replace(WEBCAM, formats=formats, sizes=sizes)
    Rated.shows = dict.fromkeys(formats, picture())
    width, height = sizes[-1]
    info = Rated.first_frame(width=width, height=height, fps=fps)[1]
    assert (info.pixel_format, info.height, info.fps) == used


@pytest.mark.parametrize("skips", [False, True])
def test_a_silent_camera_is_lost(driver: Driver, skips: bool) -> None:
    with driver.source() as source:
        started_s = time.perf_counter()
        read = source.skip if skips else source.read
        assert read()
        driver.shows.clear()
        lost(read, "delivered no frame for")
        assert time.perf_counter() - started_s > FAST.silence_s


def test_a_skipped_frame_is_not_decoded(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    with driver.source() as source:
        assert source.is_live, "a paused program would decode its frames"
        first = source.read()
        with monkeypatch.context() as patch:
            patch.delattr(FakeCapture, "retrieve")
            assert source.skip() and source.skip()
        frame = source.read()
        assert first is not None and frame is not None and frame.index == first.index + 3


def test_an_unplugged_camera_is_lost_at_once(
    driver: Driver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    device = tmp_path / "video0"
    device.touch()
    monkeypatch.setattr(camera, "SYSTEM", "Linux")
    driver.device = replace(WEBCAM, path=str(device))
    with driver.source(PATIENT) as source:
        driver.shows.clear()
        device.unlink()
        started_s = time.perf_counter()
        lost(source.read, "is disconnected", most=1)
        assert time.perf_counter() - started_s < PATIENT.read_s / 2


def test_a_change_of_size_is_followed(driver: Driver) -> None:
    with driver.source() as source:
        driver.shows["MJPG"] = picture(80, 60)
        frame = source.read()
        assert frame is not None and frame.size == (source.info.width, source.info.height) == (
            80,
            60,
        )


@pytest.mark.parametrize("pixel_format", ["MJPG", "YUYV"])
def test_a_camera_that_ignores_the_wanted_size_is_scaled(driver: Driver, pixel_format: str) -> None:
    """A grabber that knows 3840x2160 alone made everything compute with nine times the pixels."""
    driver.shows[pixel_format] = picture(1920, 1080)

    frame, info = driver.first_frame(pixel_format=pixel_format, width=640, height=360)

    assert frame.size == (info.width, info.height) == (640, 360)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720)])
def test_rows_that_only_fill_a_block_of_the_encoder_are_cut(
    driver: Driver,
    width: int,
    height: int,
) -> None:
    coded = picture(1920, 1088)
    coded[1080:] = (0, 135, 0)
    driver.shows["YUYV"] = coded

    frame, info = driver.first_frame(pixel_format="YUYV", width=width, height=height)

    assert frame.size == (info.width, info.height) == (width, height)
    assert not (frame.image[-1] == (0, 135, 0)).all(axis=1).any()


def test_a_shutter_that_lets_noise_through_is_named(driver: Driver) -> None:
    """Automatic gain amplifies the noise of a covered sensor, which was sent as an image."""
    dark = np.random.default_rng(0).normal(6, 2.5, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    with driver.source() as source:
        driver.shows["MJPG"] = dark

        lost(source.read, "only black or green frames; open its shutter", most=100)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), 1e9])
def test_an_implausible_frame_rate_is_ignored(driver: Driver, fps: float) -> None:
    driver.fps = fps
    assert driver.first_frame(fps=24)[1].fps == 24


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4)])
def test_grey_and_four_channels_become_bgr(driver: Driver, shape: tuple[int, ...]) -> None:
    image = driver.shows["YUYV"] = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    frame, _ = driver.first_frame(pixel_format="YUYV")

    np.testing.assert_array_equal(
        frame.image,
        np.atleast_3d(image)[..., [0, 1, 2] if shape[2:] == (4,) else [0, 0, 0]],
    )
    assert frame.image.flags.c_contiguous


@pytest.mark.linux("app.capture.camera")
def test_damaged_mjpg_frames_are_dropped(driver: Driver) -> None:
    driver.undecoded[:] = [LARGE, DAMAGED, LARGE, DAMAGED, LARGE]
    with driver.source(PATIENT) as source:
        frames = [source.read() for _ in range(2)]
    assert driver.undecoded == [LARGE]
    expected = simplejpeg.decode_jpeg(LARGE, colorspace="BGR", fastupsample=True)
    for frame in frames:
        assert frame is not None
        assert np.array_equal(frame.image, expected)


@pytest.mark.linux("app.capture.camera")
@pytest.mark.parametrize("every", [1, 2], ids=["every frame", "every second frame"])
def test_the_mjpg_of_webcams_with_surplus_bytes_is_used_without_loss(
    driver: Driver, every: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Logitech's C270 sends them: it was read in YUYV of 640x480, or lost every second frame, and its cable blamed."""
    frame = encode(picture(320, 240), restart=20)
    surplus = with_surplus(frame, b"\x12\x34")
    driver.undecoded[:] = [frame if number % every else surplus for number in range(20)]

    with driver.source(PATIENT) as source:
        frames = [source.read() for _ in range(19)]

    assert source.info.pixel_format == "MJPG"
    assert [each and each.index for each in frames] == list(range(19))
    assert not driver.undecoded[1:], "frames were left out"
    assert not caplog.records


@pytest.mark.parametrize(
    ("undecoded", "then", "words"),
    [
        pytest.param(
            [LARGE, DAMAGED],
            picture(),
            "only damaged frames; check its cable",
            marks=pytest.mark.linux("app.capture.camera"),
        ),
        ([], BLACK, "only black or green frames"),
    ],
    ids=["damaged", "a closed shutter"],
)
def test_a_camera_without_a_picture_is_lost(
    driver: Driver,
    undecoded: list[bytes],
    then: BgrImage,
    words: str,
) -> None:
    driver.undecoded[:] = undecoded
    with driver.source() as source:
        driver.shows["MJPG"] = then
        lost(source.read, words, most=100)


def test_a_requested_format_alone_is_tried_and_what_the_driver_converts_is_not_copied(
    driver: Driver,
) -> None:
    driver.undecoded[:] = [b"no JPEG"]
    frame, info = driver.first_frame(pixel_format="YUYV")
    assert (info.pixel_format, len(driver.made)) == ("YUYV", 1)
    assert np.array_equal(frame.image, picture())
    delivered = driver.shows["YUYV"]
    assert delivered is not None and np.shares_memory(frame.image, delivered)


def test_opencv_delivers_frames_in_memory_of_their_own(tmp_path: Path) -> None:
    """A frame that changed while it is matted would be composited with the alpha of another."""
    film = cv2.VideoWriter(
        str(tmp_path / "film.avi"),
        cv2.VideoWriter.fourcc(*"MJPG"),
        25,
        (64, 48),
    )
    film.write(picture())
    film.release()
    capture = cv2.VideoCapture(str(tmp_path / "film.avi"))
    assert capture.grab()
    first_read, first = capture.retrieve()
    again_read, again = capture.retrieve()
    capture.release()
    assert first_read and again_read
    assert not np.shares_memory(first, again)


class Controls(FakeCapture):
    """A camera that goes to a stale value when it is switched to manual, as many do."""

    values: dict[int, float]

    def get(self, key: int) -> float:
        return super().get(key) if key in self.asked else self.values.get(key, -1.0)

    def set(self, key: int, value: float) -> bool:
        if key not in self.values:
            return super().set(key, value)
        if not self.released:
            self.values[key] = value
            if (key, value) in ((AUTO_EXPOSURE, MANUAL), (AUTO_WB, 0)):
                self.values[EXPOSURE if key == AUTO_EXPOSURE else TEMPERATURE] = STALE
        return True


@pytest.fixture
def controls(monkeypatch: pytest.MonkeyPatch) -> type[Controls]:
    monkeypatch.setattr(camera, "SYSTEM", "Linux")
    Controls.made = []
    Controls.shows = {"MJPG": picture()}
    Controls.undecoded = []
    Controls.values = {AUTO_EXPOSURE: AUTOMATIC, EXPOSURE: 156.0, AUTO_WB: 1.0, TEMPERATURE: 4600.0}
    return Controls


@pytest.mark.parametrize(
    ("missing", "by_the_user"),
    [((), {}), ((AUTO_EXPOSURE, EXPOSURE), {}), ((), {AUTO_EXPOSURE: MANUAL, AUTO_WB: 0.0})],
    ids=["all-controls", "no-exposure", "set by the user"],
)
def test_settled_values_are_locked_and_released(
    missing: tuple[int, ...], by_the_user: dict[int, float], controls: type[Controls]
) -> None:
    for control in missing:
        del controls.values[control]
    controls.values.update(by_the_user)
    before = controls.values.copy()
    with controls.source(CameraTiming(settle_s=0), lock_exposure=True) as source:
        source.read()
        assert controls.values == {control: LOCKED[control] for control in before}
    assert controls.values == before


def test_exposure_is_locked_once_settled_while_wanted(
    monkeypatch: pytest.MonkeyPatch, controls: type[Controls]
) -> None:
    clock = played_time(monkeypatch, camera)
    with controls.source(CameraTiming(settle_s=0.2)) as source:
        for moment_s, wanted, is_locked in (
            (0.0, True, False), (0.25, False, False), (0.0, True, True), (0.0, True, True), (0.0, False, False),
            (0.0, True, True),
        ):  # fmt: skip
            clock.now_s += moment_s
            source.hold_exposure(wanted)
            source.read()
            assert (controls.values[AUTO_EXPOSURE] == MANUAL) is is_locked
        assert controls.values == LOCKED
    assert controls.values[AUTO_EXPOSURE] == AUTOMATIC


def test_a_camera_is_released_although_its_exposure_cannot_be_given_back(
    controls: type[Controls],
) -> None:
    class Refusing(controls):  # type: ignore[misc, valid-type]
        def set(self, key: int, value: float) -> bool:
            if (key, value) == (AUTO_EXPOSURE, AUTOMATIC):
                raise cv2.error("the camera was unplugged")
            return bool(super().set(key, value))

    with (
        pytest.raises(cv2.error),
        Refusing.source(CameraTiming(settle_s=0), lock_exposure=True) as source,
    ):
        source.read()

    assert Refusing.made[-1].released


@pytest.mark.parametrize(("shows", "opens"), [({"MJPG": BLACK, "YUYV": BLACK}, True), ({}, False)])
def test_the_privacy_settings_of_windows_are_named_where_a_camera_gives_nothing(
    shows: dict[str, BgrImage | None], opens: bool, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "SYSTEM", "Windows")
    monkeypatch.setattr(camera, "windows_numbers", lambda device: [(0, cv2.CAP_MSMF)])
    driver.shows = shows
    driver.opens = opens

    with pytest.raises(SourceOpenError, match=r"desktop apps use cameras,? in Settings"):
        driver.source(FAST)


@pytest.mark.parametrize("system", ["Windows", "Darwin"])
def test_elsewhere_than_on_linux_no_control_is_touched(
    system: str, controls: type[Controls], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Media Foundation took the value of the switch for an exposure, and 0.25 for automatic."""
    monkeypatch.setattr(camera, "SYSTEM", system)
    monkeypatch.setattr(camera, "windows_numbers", lambda device: [(0, cv2.CAP_MSMF)])
    before = controls.values.copy()

    with controls.source(CameraTiming(settle_s=0), lock_exposure=True) as source:
        source.read()
        source.read()
        assert controls.values == before
    assert controls.values == before


def test_a_camera_that_falls_silent_gets_automatic_exposure_back(controls: type[Controls]) -> None:
    """Otherwise the camera would keep it for every program, and this one take it for the user's."""
    with controls.source(
        CameraTiming(read_s=0, silence_s=0, settle_s=0), lock_exposure=True
    ) as source:
        source.read()
        assert controls.values[AUTO_EXPOSURE] == MANUAL
        controls.shows = {}
        with pytest.raises(SourceLostError):
            source.read()
    assert controls.values[AUTO_EXPOSURE] == AUTOMATIC
