"""Cameras, as far as a machine without one can tell: the driver is played by a fake, the kernel's lists by folders."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.capture import camera, devices, open_source, v4l2
from app.capture.camera import CameraSource, blank_colour
from app.capture.devices import CameraDevice
from app.errors import SourceLostError, SourceOpenError
from app.settings import CaptureSettings
from app.types import BgrImage

WEBCAM = CameraDevice("usb-webcam", "Webcam", "/dev/null", 0, ((640, 480),), ("YUYV", "MJPG"))


def picture(width: int = 64, height: int = 48) -> BgrImage:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


class FakeCapture:
    """Stands for cv2.VideoCapture: says yes to everything, as the real one does."""

    opens = True
    fps = 25.0
    shows: dict[str, BgrImage | None]
    """What comes in each format; None: nothing."""
    made: list[FakeCapture]

    def __init__(self) -> None:
        self.code = 0
        self.released = False
        self.made.append(self)

    def open(self, path: str, backend: int) -> bool:
        return self.opens

    def set(self, key: int, value: float) -> bool:
        if key == cv2.CAP_PROP_FOURCC:
            self.code = int(value)
        return True

    def get(self, key: int) -> float:
        return float(self.code) if key == cv2.CAP_PROP_FOURCC else self.fps

    @property
    def image(self) -> BgrImage | None:
        return self.shows.get(self.code.to_bytes(4, "little").decode())

    def grab(self) -> bool:
        return self.image is not None and not self.released

    def retrieve(self) -> tuple[bool, BgrImage | None]:
        return self.image is not None, self.image

    def release(self) -> None:
        self.released = True


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeCapture]]:
    class Driver(FakeCapture):
        shows: dict[str, BgrImage | None] = {"MJPG": picture(), "YUYV": picture()}  # noqa: RUF012
        made: list[FakeCapture] = []  # noqa: RUF012

    monkeypatch.setattr(cv2, "VideoCapture", Driver)
    monkeypatch.setattr(camera, "find_camera", lambda wanted: WEBCAM)
    monkeypatch.setattr(camera, "START_TIMEOUT_S", 0.1)
    monkeypatch.setattr(camera, "READ_TIMEOUT_S", 0.05)
    monkeypatch.setattr(camera, "SILENCE_S", 0.2)
    yield Driver
    assert all(capture.released for capture in Driver.made)


def test_the_best_format_is_asked_for_and_what_came_is_told(driver: type[FakeCapture]) -> None:
    source = CameraSource("0", CaptureSettings(width=1920, height=1080, fps=60))
    frame = source.read()
    source.close()
    assert frame is not None
    info = source.info
    assert (info.kind, info.name, info.id) == ("camera", "Webcam", "usb-webcam")
    assert (info.width, info.height, info.fps, info.pixel_format) == (64, 48, 25.0, "MJPG")


def test_a_wanted_format_is_the_only_one_tried(driver: type[FakeCapture]) -> None:
    source = CameraSource("0", CaptureSettings(pixel_format="YUYV"))
    source.close()
    assert source.info.pixel_format == "YUYV"
    assert len(driver.made) == 1


@pytest.mark.parametrize(
    "nothing", [None, np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), (0, 135, 0), np.uint8)]
)
def test_a_format_that_gives_no_picture_is_passed_over(driver: type[FakeCapture], nothing: BgrImage | None) -> None:
    driver.shows["MJPG"] = nothing
    source = CameraSource("0", CaptureSettings())
    source.close()
    assert source.info.pixel_format == "YUYV"


def test_only_black_pictures_are_an_error_that_says_so(driver: type[FakeCapture]) -> None:
    driver.shows.update(MJPG=np.zeros((48, 64, 3), np.uint8), YUYV=np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(SourceOpenError, match="only black pictures: open its shutter"):
        CameraSource("0", CaptureSettings())


def test_a_camera_that_cannot_be_opened(driver: type[FakeCapture]) -> None:
    driver.opens = False
    with pytest.raises(SourceOpenError, match=r"Webcam .*cannot be opened: .*not a camera"):
        CameraSource("0", CaptureSettings())
    for capture in driver.made:
        capture.release()


def test_silence_is_a_lost_camera(driver: type[FakeCapture]) -> None:
    source = CameraSource("0", CaptureSettings())
    assert source.read() is not None
    driver.shows.clear()
    started_s = time.perf_counter()
    with pytest.raises(SourceLostError, match="no picture for"):
        for _ in range(50):
            assert source.read() is None
    assert 0.15 < time.perf_counter() - started_s < 1.0
    source.close()


def test_a_closed_shutter_is_a_lost_camera_and_no_black_frame_comes(driver: type[FakeCapture]) -> None:
    source = CameraSource("0", CaptureSettings())
    driver.shows["MJPG"] = np.zeros((48, 64, 3), np.uint8)
    with pytest.raises(SourceLostError, match="only black pictures"):
        for _ in range(50):
            assert source.read() is None
    source.close()


def test_an_unplugged_camera_is_lost_at_once(driver: type[FakeCapture], monkeypatch: pytest.MonkeyPatch) -> None:
    source = CameraSource("0", CaptureSettings())
    driver.shows.clear()
    monkeypatch.setattr(CameraSource, "_is_gone", lambda self: True)
    with pytest.raises(SourceLostError, match="unplugged"):
        source.read()
    source.close()


def test_a_change_of_size_is_followed(driver: type[FakeCapture]) -> None:
    source = CameraSource("0", CaptureSettings())
    driver.shows["MJPG"] = picture(80, 60)
    frame = source.read()
    source.close()
    assert frame is not None
    assert frame.size == (source.info.width, source.info.height) == (80, 60)


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4)])
def test_grey_and_four_channels_become_bgr(driver: type[FakeCapture], shape: tuple[int, ...]) -> None:
    driver.shows["MJPG"] = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    source = CameraSource("0", CaptureSettings())
    frame = source.read()
    source.close()
    assert frame is not None
    assert frame.image.shape == (48, 64, 3)
    assert frame.image.flags.c_contiguous


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), 1e9])
def test_a_rate_that_cannot_be_is_not_believed(driver: type[FakeCapture], fps: float) -> None:
    driver.fps = fps
    source = CameraSource("0", CaptureSettings(fps=24))
    source.close()
    assert source.info.fps == 24


@pytest.mark.parametrize(
    ("colour", "expected"),
    [((0, 0, 0), "black"), ((2, 1, 0), "black"), ((0, 135, 0), "green"), ((0, 154, 0), "green"), ((0, 255, 0), ""),
     ((30, 30, 30), ""), ((255, 255, 255), "")],
)  # fmt: skip
def test_blank_pictures(colour: tuple[int, int, int], expected: str) -> None:
    assert blank_colour(np.full((48, 64, 3), colour, np.uint8)) == expected


def test_a_dark_room_is_not_blank() -> None:
    noise = np.random.default_rng(0).integers(0, 6, (48, 64, 3), np.uint8)
    assert blank_colour(noise) == ""


@pytest.mark.parametrize("wanted", ["97", "/dev/video97", "usb-gone-video-index0", "-1", "99999999999999", "../x", "№"])
def test_an_absent_camera_is_named(wanted: str) -> None:
    with pytest.raises(SourceOpenError) as failure:
        open_source(CaptureSettings(source=f"camera:{wanted}"))
    assert wanted in str(failure.value)
    assert str(failure.value).endswith(".")


@pytest.mark.skipif(devices.SYSTEM != "Linux", reason="needs Linux")
@pytest.mark.parametrize("path", ["/dev/null", "/dev/video97", "/dev"])
def test_why_a_device_gives_no_picture(path: str) -> None:
    assert v4l2.why_not(path).startswith("it is not")


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kernel's list of video devices, in a folder."""
    (tmp_path / "sys").mkdir()
    (tmp_path / "by-id").mkdir()
    monkeypatch.setattr(v4l2, "SYS_CLASS", tmp_path / "sys")
    monkeypatch.setattr(v4l2, "LINK_FOLDERS", (tmp_path / "by-id",))
    monkeypatch.setattr(devices, "SYSTEM", "Linux")
    return tmp_path


def plug(kernel: Path, number: int, name: str, node: int = 0) -> None:
    folder = kernel / "sys" / f"video{number}"
    folder.mkdir()
    (folder / "name").write_text(f"{name}\n")
    (folder / "index").write_text(f"{node}\n")


def answers(monkeypatch: pytest.MonkeyPatch, known: dict[str, v4l2.Capability | OSError]) -> None:
    def query(path: str) -> v4l2.Capability:
        answer = known[path]
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(v4l2, "query", query)


def test_cameras_are_listed_real_ones_first(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(kernel, 10, "Webcam")
    plug(kernel, 11, "Webcam", node=1)
    plug(kernel, 2, "OBS Cam")
    plug(kernel, 3, "Mattecam")
    plug(kernel, 4, "decoder")
    plug(kernel, 5, "Intel IPU6 ISYS Capture 0")
    plug(kernel, 6, "broken")
    plug(kernel, 12, "not ours")
    webcam = v4l2.Capability("uvcvideo", "Webcam", "usb-1", True, ((640, 480),), ("MJPG",))
    answers(
        monkeypatch,
        {
            "/dev/video10": webcam,
            "/dev/video2": v4l2.Capability(v4l2.LOOPBACK_DRIVER, "OBS Cam", "platform:v4l2loopback-000", True, (), ()),
            "/dev/video4": v4l2.Capability("dec", "dec", "", False, (), ()),
            "/dev/video6": OSError(5, "Input/output error"),
            "/dev/video12": PermissionError(13, "Permission denied"),
        },
    )
    (kernel / "by-id" / "usb-Maker_Webcam_1-video-index0").symlink_to("/dev/video10")
    found = devices.list_cameras()
    assert [(device.index, device.is_virtual) for device in found] == [(10, False), (12, False), (2, True)]
    assert found[0].id == "usb-Maker_Webcam_1-video-index0"
    assert (found[0].sizes, found[0].formats) == (((640, 480),), ("MJPG",))
    for wanted in ("10", "/dev/video10", "usb-Maker_Webcam_1-video-index0", "usb-1", "Webcam"):
        assert devices.find_camera(wanted) == found[0], wanted
    assert devices.find_camera("99") is None


def test_the_stable_id_follows_a_camera_to_another_number(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capability = v4l2.Capability("uvcvideo", "Webcam", "usb-1", True, (), ())
    answers(monkeypatch, {"/dev/video0": capability, "/dev/video1": capability})
    link = kernel / "by-id" / "usb-Webcam"
    plug(kernel, 0, "Webcam")
    link.symlink_to("/dev/video0")
    before = devices.list_cameras()[0]
    (kernel / "sys" / "video0").rename(kernel / "sys" / "video1")
    link.unlink()
    link.symlink_to("/dev/video1")
    after = devices.find_camera(before.id)
    assert after is not None
    assert (before.path, after.path) == ("/dev/video0", "/dev/video1")


def test_two_cameras_without_serial_numbers_have_two_ids(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(kernel, 0, "Twin")
    plug(kernel, 1, "Twin")
    twin = v4l2.Capability("uvcvideo", "Twin", "usb", True, (), ())
    answers(monkeypatch, {"/dev/video0": twin, "/dev/video1": twin})
    ids = [device.id for device in devices.list_cameras()]
    assert len(set(ids)) == 2
    assert [device.id for device in map(devices.find_camera, ids) if device] == ids


def test_without_a_real_camera_auto_is_the_demo(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(kernel, 2, "OBS Cam")
    loopback = v4l2.Capability(v4l2.LOOPBACK_DRIVER, "OBS Cam", "platform:v4l2loopback-000", True, (), ())
    answers(monkeypatch, {"/dev/video2": loopback})
    source = open_source(CaptureSettings(source="auto", width=64, height=48))
    source.close()
    assert source.info.kind == "demo"


def test_listing_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    devices.list_cameras()
    with pytest.raises(SourceOpenError):
        open_source(CaptureSettings(source="camera:97"))
    assert capfd.readouterr() == ("", "")
