"""The virtual camera, with a fake driver that behaves as observed on the real one."""

from __future__ import annotations

import errno
import os
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.core.errors import SinkLostError, SinkOpenError
from app.core.process import Holder
from app.core.types import BgrImage
from app.doctor.proof import bar_error
from app.media import yuv
from app.output import camera_list, virtual_camera
from app.output.base import MAX_SIZE
from app.output.camera_list import VirtualCameraDevice, list_virtual_cameras
from app.output.virtual_camera import VirtualCamera
from app.system.v4l2 import PixelSize
from tests.fresh_python import printed_by
from tests.output.conftest import FakeCamera, FakeDriver
from tests.output.pictures import picture

OURS, OTHER = "/dev/video10", "/dev/video7"
BOTH = {OTHER: "Cam 7", OURS: "Mattecam"}


def loopback_error(text: str) -> RuntimeError:
    """What pyvirtualcam raises on Linux."""
    return RuntimeError(f"'v4l2loopback' backend: {text}")


def shown(camera: FakeCamera) -> BgrImage:
    """The picture that a reader sees, BGR, converted as readers do (BT.601, limited range)."""
    data, (w, h) = camera.sent[-1], (camera.width, camera.height)
    codes = {"I420": cv2.COLOR_YUV2BGR_I420, "YUYV": cv2.COLOR_YUV2BGR_YUY2, "UYVY": cv2.COLOR_YUV2BGR_UYVY}
    planes = data.reshape(h * 3 // 2, w) if camera.fmt.name == "I420" else data.reshape(h, w, 2)
    return cv2.cvtColor(planes, codes[camera.fmt.name]).astype(np.uint8, copy=False)


@pytest.mark.parametrize("backend", ["pyvirtualcam", "v4l2"])
def test_bars_arrive_with_their_colours(driver: FakeDriver, backend: str) -> None:
    camera = VirtualCamera("auto", 640, 480, 30, backend=backend)
    camera.send(picture(640, 480))
    assert [one.fmt.name for one in driver.opened] == ["YUYV"], "OBS takes no I420 through the camera portal"
    assert camera.name == "Mattecam (/dev/video10)" and camera.device == "/dev/video10" and camera.size == (640, 480)
    assert bar_error(shown(driver.opened[0])) <= 2


@pytest.mark.parametrize(
    ("fourcc", "held", "backend"),
    [("YU12", False, "pyvirtualcam"), ("YUYV", False, "pyvirtualcam"), ("UYVY", False, "pyvirtualcam"),
     ("YU12", True, "pyvirtualcam"), ("YUYV", True, "pyvirtualcam"), ("YU12", True, "v4l2"), ("YUYV", True, "v4l2")],
)  # fmt: skip
def test_the_format_of_the_device_is_used_also_where_a_reader_holds_it(
    driver: FakeDriver, fourcc: str, held: bool, backend: str
) -> None:
    driver.kept, driver.refuses_others = PixelSize(320, 240, fourcc), held
    camera = VirtualCamera("auto", 640, 480, 30, backend=backend)
    camera.send(picture(640, 480))
    assert camera.size == (320, 240)
    assert bar_error(shown(driver.opened[-1])) <= 3
    assert [one.closed for one in driver.opened] == ([0] if held else [1, 0])


def test_an_unsupported_format_is_rejected(driver: FakeDriver) -> None:
    for kept in (PixelSize(320, 240, "MJPG"), PixelSize(321, 240, "YU12")):
        driver.kept = kept
        with pytest.raises(SinkOpenError, match=kept.fourcc):
            VirtualCamera("auto", 640, 480, 30)
    assert all(one.closed for one in driver.opened)


def test_a_size_that_the_driver_clamps_is_letterboxed(driver: FakeDriver) -> None:
    camera = VirtualCamera("auto", 3840, 1600, 30)
    camera.send(picture(3840, 1600, grey=200))
    assert camera.size == (1920, 1080)
    image = shown(driver.opened[-1])
    assert abs(int(image[image.shape[0] // 2, 960, 0]) - 200) <= 2 and image[5].max() <= 2


@pytest.mark.parametrize(
    ("asked", "given"), [((641, 481), (640, 480)), ((1, 1), (2, 2)), ((20_000, 10_000), (7680, 3840))]
)
def test_sizes_are_even_and_bounded(driver: FakeDriver, asked: tuple[int, int], given: tuple[int, int]) -> None:
    driver.largest = MAX_SIZE
    assert VirtualCamera("auto", *asked, 0).size == given
    assert driver.opened[0].fps >= 1, "a rate of 0 is a division by zero in the driver"


def test_a_new_size_reopens_the_camera_without_readers(driver: FakeDriver) -> None:
    camera = VirtualCamera("auto", 64, 48, 30)
    camera.send(picture(64, 48))
    camera.send(picture(128, 96))
    assert camera.size == (128, 96) and driver.opened[0].closed == 1
    assert not driver.opened[1].sent, "the user may have paused while the camera was reopened"
    camera.send(picture(128, 96))
    assert bar_error(shown(driver.opened[1])) <= 6


def test_a_new_size_is_letterboxed_with_readers(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = VirtualCamera("auto", 64, 48, 30)
    monkeypatch.setattr(virtual_camera, "holders", lambda device: (Holder(1, "chromium", False),))
    camera.send(picture(200, 50, grey=200))
    assert camera.size == (64, 48) and len(driver.opened) == 1
    assert shown(driver.opened[0])[2].max() <= 2


def test_a_repeated_frame_is_converted_once(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = VirtualCamera("auto", 64, 48, 30)
    pack = Mock(wraps=yuv.to_yuv)
    monkeypatch.setattr(yuv, "to_yuv", pack)
    for one in (picture(), picture()):
        for _ in range(5):
            camera.send(one)
    assert pack.call_count == 2 and len(driver.opened[0].sent) == 10


def test_a_device_is_revived_after_another_program_and_for_the_next(driver: FakeDriver) -> None:
    driver.used_up = {"/dev/video10"}
    camera = VirtualCamera("auto", 64, 48, 30)
    assert driver.revived == ["/dev/video10"] and "/dev/video10" in driver.used_up
    camera.close()
    camera.close()
    assert driver.used_up == set() and driver.opened[0].closed == 1


def test_auto_prefers_our_device_and_tries_the_next_on_failure(driver: FakeDriver) -> None:
    driver.labels, driver.sending = BOTH, {OURS, OTHER}
    for wanted in ("auto", OURS):
        with pytest.raises(SinkOpenError, match=f"Another program sends to the virtual camera {OURS}"):
            VirtualCamera(wanted, 64, 48, 30)
    assert driver.opened == [] and driver.revived == []
    for driver.sending, device in (({OURS}, OTHER), (set(), OURS)):
        assert VirtualCamera("auto", 64, 48, 30).device == device
    for wanted in (OTHER, "Cam 7", "7"):
        assert VirtualCamera(wanted, 64, 48, 30).device == OTHER
    driver.refusals = {OURS: loopback_error("Device could not be opened: Device or resource busy")}
    assert VirtualCamera("auto", 64, 48, 30).device == OTHER
    driver.refusals[OTHER] = RuntimeError("another reason")
    with pytest.raises(SinkOpenError, match="Another program"):
        VirtualCamera("auto", 64, 48, 30)


def test_an_unknown_device_is_reported_with_the_known_ones(driver: FakeDriver) -> None:
    with pytest.raises(SinkOpenError, match=r"camera Nobody; choose one of /dev/video10 \(Mattecam\)"):
        VirtualCamera("Nobody", 64, 48, 30)
    with pytest.raises(SinkOpenError, match="real camera"):
        VirtualCamera("/dev/null", 64, 48, 30)
    driver.labels = {}
    for wanted in ("auto", "Nobody", "/dev/video10"):
        with pytest.raises(SinkOpenError, match="modprobe v4l2loopback") as failure:
            VirtualCamera(wanted, 64, 48, 30)
        assert ". " not in str(failure.value), "one sentence"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (loopback_error("No v4l2 loopback device found at /dev/video[0-99]. Did you …"), "modprobe v4l2loopback"),
        (loopback_error("Device /dev/video10 does not exist."), "does not exist; choose another"),
        (loopback_error("Device /dev/video10 is not a video output device."), "another program sends"),
        (loopback_error("Device /dev/video10 could not be opened: Device or resource busy"), "Another program sends"),
        (
            loopback_error("Could not access /dev/video0 due to missing permissions."),
            "sudo usermod -aG video",
        ),
        (RuntimeError("'obs' backend: device not found! Did you install OBS?"), "There is no virtual camera"),
        (RuntimeError("'obs' backend: virtual camera output could not be started"), "does not start"),
        (ZeroDivisionError("division by zero"), "cannot be used; choose another"),
        (KeyError("v4l3"), "cannot be used; choose another"),
        (ValueError("one line\nanother"), "cannot be used; choose another"),
        (ImportError("No module named 'pyvirtualcam'"), "cannot be used; choose another"),
        (RuntimeError(""), "cannot be used; choose another"),
        (OSError(errno.EBUSY, "Device or resource busy"), "Another program sends"),
        (OSError(errno.EACCES, "Permission denied"), "sudo usermod -aG video"),
        (OSError(errno.ENODEV, "No such device"), "does not exist"),
        (OSError(errno.EINVAL, "Invalid argument"), "accepts no frames"),
        (OSError(errno.EIO, "Input/output error"), "cannot be used; choose another"),
    ],
)
def test_driver_errors_become_one_sentence(driver: FakeDriver, error: Exception, words: str) -> None:
    driver.refusals = {"/dev/video10": error}
    with pytest.raises(SinkOpenError, match=words) as caught:
        VirtualCamera("auto", 64, 48, 30)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and "backend" not in message
    assert type(error).__name__ not in message and (not str(error) or str(error.args[-1]) not in message)
    assert "/dev/video10" in message or "There is no virtual camera" in message


def test_a_frame_that_the_driver_rejects_loses_the_sink(driver: FakeDriver) -> None:
    camera = VirtualCamera("auto", 64, 48, 30)
    driver.opened[0].fails = RuntimeError("write failed: No such device")
    with pytest.raises(SinkLostError, match="/dev/video10 cannot be used; choose another"):
        camera.send(picture())
    camera.close()


def test_the_list_has_our_device_first_and_knows_busy_ones(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.labels = BOTH
    driver.sending = {OTHER}
    ours, other = list_virtual_cameras()
    assert (ours.id, ours.label, ours.path, ours.busy) == ("/dev/video10", "Mattecam", "/dev/video10", False)
    assert (other.label, other.busy) == ("Cam 7", True)
    monkeypatch.setattr(camera_list, "holders", lambda path: (Holder(1, "obs", True),))
    assert all(one.busy for one in list_virtual_cameras())
    monkeypatch.setattr(camera_list, "holders", lambda path: (Holder(os.getpid(), "mattecam", True),))
    assert not any(one.busy for one in list_virtual_cameras()), "what this program sends to is not busy"


def test_other_systems_receive_bgr_of_fixed_size(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    """OBS's camera on Windows and macOS converts by itself and tells nobody who reads."""
    obs = VirtualCameraDevice("OBS Virtual Camera", "OBS Virtual Camera", "", False)
    monkeypatch.setattr(virtual_camera, "LINUX", False)
    monkeypatch.setattr(virtual_camera, "list_virtual_cameras", lambda probe: (obs,))
    camera = VirtualCamera("auto", 64, 48, 30)
    camera.send(picture())
    camera.send(picture(200, 50, grey=200))
    camera.close()
    assert camera.name == camera.device == "OBS Virtual Camera" and camera.size == (64, 48)
    sent = [one.reshape(48, 64, 3) for one in driver.opened[0].sent]
    assert bar_error(sent[0]) == 0 and sent[1][2].max() == 0 and (sent[1][24] == 200).all()
    assert driver.revived == []


def test_other_systems_are_told_of_obs_and_have_one_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_camera, "LINUX", False)
    monkeypatch.setattr(camera_list, "LINUX", False)
    assert list_virtual_cameras() == ()
    for backend, words in (("auto", "install OBS Studio"), ("v4l2", "on Linux only")):
        with pytest.raises(SinkOpenError, match=words):
            VirtualCamera("auto", 64, 48, 30, backend=backend)


def test_the_driver_is_imported_only_when_a_camera_is_opened() -> None:
    code = (
        "import sys, app.output.virtual_camera as v; v.list_virtual_cameras(); "
        "print({'pyvirtualcam', 'torch'} & sys.modules.keys())"
    )
    assert printed_by(code) == "set()\n"


@pytest.mark.parametrize("wanted", ["auto", "Cam 7"])
def test_nothing_is_sent_to_the_camera_that_is_the_source(driver: FakeDriver, wanted: str) -> None:
    driver.labels = {OTHER: "Cam 7", "/dev/video8": "Cam 7", OURS: "Mattecam"}
    for avoided, device in (({OURS, OTHER}, "/dev/video8"), ({OTHER}, OURS if wanted == "auto" else "/dev/video8")):
        assert VirtualCamera(wanted, 64, 48, 30, avoided=avoided.copy).device == device
    for named in (wanted, "/dev/video7", "7"):
        driver.labels = {OTHER: "Cam 7"}
        with pytest.raises(SinkOpenError, match=f"{OTHER} is the camera that the picture comes from"):
            VirtualCamera(named, 64, 48, 30, avoided={OTHER}.copy)
    assert OTHER not in [one.device for one in driver.opened]


def test_the_source_is_not_looked_for_without_a_virtual_camera(driver: FakeDriver) -> None:
    """Opening is retried every two seconds; listing the cameras opens each, which wakes those that sleep."""
    driver.labels = {}
    with pytest.raises(SinkOpenError, match="There is no virtual camera"):
        VirtualCamera("auto", 64, 48, 30, avoided=lambda: pytest.fail("the cameras are listed"))


@pytest.mark.parametrize("label", ["DroidCam", "Iriun Webcam", "droidcam v4l2", "EpocCam", "My iPhone", "scrcpy"])
def test_nothing_is_sent_to_the_camera_of_a_phone(driver: FakeDriver, label: str) -> None:
    driver.labels = {"/dev/null": label}
    for named in ("auto", label, "/dev/null"):
        with pytest.raises(SinkOpenError):
            VirtualCamera(named, 64, 48, 30)
    driver.labels[OTHER] = "Cam 7"
    assert VirtualCamera("auto", 64, 48, 30).device == OTHER
    assert [one.device for one in driver.opened] == [OTHER]
    assert [one.id for one in list_virtual_cameras(probe=False)] == [OTHER]
