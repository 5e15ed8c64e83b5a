"""The virtual camera, with a fake driver that behaves as observed."""

from __future__ import annotations

import errno
import sys
from types import SimpleNamespace
from typing import NoReturn
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.core.errors import SinkLostError
from app.core.process import Holder
from app.core.types import BgrImage, Bytes
from app.doctor.proof import bar_error
from app.media import yuv
from app.output import table, v4l2, virtual_camera
from app.output.base import Packer
from app.output.pipewire import NodeChoice
from app.output.virtual_camera import CameraChoice, VirtualCamera
from app.system.v4l2 import PixelSize
from tests.output.conftest import FakeCamera, FakeDriver, loopback_error, refusal
from tests.output.pictures import picture
from tests.stand_ins import always

pytestmark = pytest.mark.linux("app.output.v4l2")


def shown(camera: FakeCamera) -> BgrImage:
    """The picture that a reader sees, BGR, converted as readers do (BT.601, limited range)."""
    data = camera.sent[-1]
    w, h = (camera.width, camera.height)
    codes = {
        "I420": cv2.COLOR_YUV2BGR_I420,
        "YUYV": cv2.COLOR_YUV2BGR_YUY2,
        "UYVY": cv2.COLOR_YUV2BGR_UYVY,
    }
    planes = data.reshape(h * 3 // 2, w) if camera.layout == "I420" else data.reshape(h, w, 2)
    return cv2.cvtColor(planes, codes[camera.layout]).astype(np.uint8, copy=False)


@pytest.mark.parametrize("backend", ["pyvirtualcam", "v4l2"])
def test_bars_arrive_with_their_colours(driver: FakeDriver, backend: str) -> None:
    camera = VirtualCamera("auto", 640, 480, 30, backend=backend)
    camera.send(picture(640, 480))

    assert [one.layout for one in driver.opened] == ["YUYV"], (
        "OBS takes no I420 through the camera portal"
    )
    assert (
        camera.name == "Mattecam (/dev/video10)"
        and camera.device == "/dev/video10"
        and camera.size == (640, 480)
    )
    assert bar_error(shown(driver.opened[0])) <= 2


@pytest.mark.parametrize(
    ("fourcc", "held", "backend"),
    [("YU12", False, "pyvirtualcam"), ("YUYV", False, "pyvirtualcam"), ("UYVY", False, "pyvirtualcam"),
     ("YU12", True, "pyvirtualcam"), ("YUYV", True, "pyvirtualcam"), ("YU12", True, "v4l2"), ("YUYV", True, "v4l2")],
)  # fmt: skip
def test_the_format_that_the_device_keeps_is_used(
    driver: FakeDriver, fourcc: str, held: bool, backend: str
) -> None:
    driver.kept = PixelSize(320, 240, fourcc)
    driver.refuses_others = held
    camera = VirtualCamera("auto", 640, 480, 30, backend=backend)
    camera.send(picture(640, 480))

    assert camera.size == (320, 240)
    assert bar_error(shown(driver.opened[-1])) <= 3
    assert [one.closed for one in driver.opened] == ([0] if held else [1, 0])


def test_an_unsupported_format_is_rejected(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kept in (PixelSize(320, 240, "MJPG"), PixelSize(321, 240, "YU12")):
        driver.kept = kept
        assert kept.fourcc in refusal()
    changes = Mock(
        side_effect=[PixelSize(320, 240, "YU12"), PixelSize(160, 120, "YU12")]
    )  # when it is opened again
    monkeypatch.setattr(v4l2, "current_format", changes)
    assert "320×240 YU12" in refusal()
    assert all(one.closed for one in driver.opened)


@pytest.mark.parametrize(
    ("asked", "given"),
    [((641, 481), (640, 480)), ((1, 1), (2, 2)), ((20_000, 10_000), (7680, 3840))],
)
def test_sizes_are_even_and_bounded(
    driver: FakeDriver, asked: tuple[int, int], given: tuple[int, int]
) -> None:
    assert VirtualCamera("auto", *asked, 0).size == given
    assert driver.opened[0].fps >= 1, "a rate of 0 is a division by zero in the driver"


def test_a_new_size_reopens_the_camera_but_is_letterboxed_for_readers(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = VirtualCamera("auto", 64, 48, 30)
    with monkeypatch.context() as patch:
        patch.setattr(virtual_camera, "holders", always((Holder(1, "chromium", False),)))
        camera.send(picture(200, 50, grey=200))
    assert camera.size == (64, 48) and len(driver.opened) == 1
    assert shown(driver.opened[0])[2].max() <= 2
    camera.send(picture(128, 96))
    assert camera.size == (128, 96) and driver.opened[0].closed == 1
    assert not driver.opened[1].sent, "the user may have paused while the camera was reopened"
    camera.send(picture(128, 96))
    assert bar_error(shown(driver.opened[1])) <= 6


def test_a_repeated_frame_is_converted_once(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = VirtualCamera("auto", 64, 48, 30)
    pack = Mock(wraps=yuv.to_yuv)
    monkeypatch.setattr(yuv, "to_yuv", pack)
    for one in (picture(), picture()):
        for _ in range(5):
            camera.send(one)

    assert pack.call_count == 2 and len(driver.opened[0].sent) == 10


def test_only_cameras_that_take_yuv_load_its_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "load_kernels", load := Mock())
    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(__spec__=Mock()))
    specs = {spec.name: spec for spec in table.SINKS}
    for alpha, linux, loaded in ((True, False, 0), (False, True, 2)):
        monkeypatch.setattr(table, "LINUX", linux)
        specs["pipewire"].load(NodeChoice(required=False, alpha=alpha))
        specs["virtual_camera"].load(CameraChoice("auto"))
        assert load.call_count == loaded


def test_frames_are_packed_in_one_array_whose_half_written_content_is_never_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The memory of a new one for each frame made readers wait on a slow machine."""
    packer = Packer((64, 48))
    first, second, third = (picture(64, 48, grey=grey) for grey in (40, 90, 200))
    packed = packer.pack(first, "YUYV")
    assert (
        packer.pack(second, "YUYV") is packed and (packed == yuv.to_yuv(second.image, "YUYV")).all()
    )
    planes = packer.pack(second, "I420")
    assert (
        not np.shares_memory(planes, packed) and (planes == yuv.to_yuv(second.image, "I420")).all()
    )

    def half_written(*_: object, target: Bytes) -> NoReturn:
        target.fill(1)
        raise MemoryError

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(yuv, "to_yuv", half_written)
        packer.pack(third, "I420")
    assert (packer.pack(second, "I420") == yuv.to_yuv(second.image, "I420")).all()


def test_a_device_is_revived_after_another_program_and_for_the_next(driver: FakeDriver) -> None:
    driver.used_up = {"/dev/video10"}
    camera = VirtualCamera("auto", 64, 48, 30)
    assert driver.revived == ["/dev/video10"] and "/dev/video10" in driver.used_up
    camera.close()
    camera.close()
    assert driver.used_up == set() and driver.opened[0].closed == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            loopback_error("No v4l2 loopback device found at /dev/video[0-99]. Did you …"),
            "modprobe v4l2loopback",
        ),
        (loopback_error("Device /dev/video10 does not exist."), "does not exist; choose another"),
        (
            loopback_error("Device /dev/video10 is not a video output device."),
            "another program sends",
        ),
        (
            loopback_error("Device /dev/video10 could not be opened: Device or resource busy"),
            "Another program sends",
        ),
        (
            loopback_error("Could not access /dev/video0 due to missing permissions."),
            "sudo usermod -aG video",
        ),
        (
            RuntimeError("'obs' backend: device not found! Did you install OBS?"),
            "There is no virtual camera",
        ),
        (
            RuntimeError("'obs' backend: virtual camera output could not be started"),
            "does not start",
        ),
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
def test_driver_errors_become_one_sentence(
    driver: FakeDriver, error: Exception, words: str
) -> None:
    driver.refusals = {"/dev/video10": error}

    message = refusal()

    assert words in message
    assert "\n" not in message and message.endswith(".") and "backend" not in message
    assert type(error).__name__ not in message and (
        not str(error) or str(error.args[-1]) not in message
    )
    assert "/dev/video10" in message or "There is no virtual camera" in message


def test_a_frame_that_the_driver_rejects_loses_the_sink(driver: FakeDriver) -> None:
    camera = VirtualCamera("auto", 64, 48, 30)
    driver.opened[0].fails = RuntimeError("write failed: No such device")
    with pytest.raises(SinkLostError, match="/dev/video10 cannot be used; choose another"):
        camera.send(picture())
    camera.close()


@pytest.mark.parametrize("missing", [True, False])
def test_v4l2_replaces_pyvirtualcam(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch, missing: bool
) -> None:
    if missing:
        monkeypatch.setitem(sys.modules, "pyvirtualcam", None)  # an import of it fails
    else:
        monkeypatch.setattr(
            sys.modules["pyvirtualcam"], "Camera", Mock(side_effect=RuntimeError("another reason"))
        )
    VirtualCamera("auto", 64, 48, 30).close()
    assert len(driver.opened) == 1
    driver.refusals["/dev/video10"] = OSError(errno.EBUSY, "the reason of the driver")
    for backend, why in (("pyvirtualcam", "cannot be used"), ("auto", "Another program sends")):
        assert why in refusal(backend=backend)
