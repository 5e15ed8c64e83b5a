"""The virtual camera, with a fake driver that behaves as observed; loopback devices, with a fake
kernel; readers.
"""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.core.errors import SinkLostError, SinkOpenError, Stage
from app.core.process import LINUX, Holder, holders
from app.core.types import BgrImage, Bytes
from app.doctor.proof import bar_error
from app.media import yuv
from app.output import camera_list, table, v4l2, virtual_camera
from app.output.base import Packer
from app.output.camera_list import ReaderWatch, VirtualCameraDevice, list_virtual_cameras
from app.output.pipewire import NodeChoice
from app.output.v4l2 import LoopbackWriter
from app.output.virtual_camera import CameraChoice, VirtualCamera, open_virtual_camera
from app.runtime.pipeline import Pipeline
from app.system.v4l2 import PixelSize
from mattecam.testing import FakeClock
from tests.fakes.world import BASE, IMPATIENT, FakeWorld, apply, live
from tests.fresh_python import program
from tests.output.conftest import FakeCamera, FakeDriver
from tests.output.pictures import picture
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(not LINUX, reason="loopback devices of Linux")
OURS = "/dev/video10"
OTHER = "/dev/video7"
BOTH = {OTHER: "Cam 7", OURS: "Mattecam"}
SECOND = "/dev/video11"
OURS_TWICE = {OTHER: "Cam 7", OURS: "Mattecam", SECOND: "Mattecam 2"}
QUERYCAP = 0x80685600
STREAMON = 0x40045612
G_FMT = 0xC0D05604
S_FMT = 0xC0D05605
S_PARM = 0xC0CC5616


def loopback_error(text: str) -> RuntimeError:
    """What pyvirtualcam raises on Linux."""
    return RuntimeError(f"'v4l2loopback' backend: {text}")


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


def refusal(wanted: str = "auto", **options: Any) -> str:
    """Return why there is no virtual camera."""
    with pytest.raises(SinkOpenError) as caught:
        VirtualCamera(wanted, 64, 48, 30, **options)
    return str(caught.value)


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
        patch.setattr(virtual_camera, "holders", lambda device: (Holder(1, "chromium", False),))
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


def device_of(wanted: str) -> str:
    """Open this camera and close it again; return its device."""
    with closing(VirtualCamera(wanted, 64, 48, 30)) as camera:
        return camera.device


@pytest.mark.parametrize("wanted", ["auto", OURS])
def test_devices_that_other_programs_send_to_are_left_alone(
    driver: FakeDriver, wanted: str
) -> None:
    driver.labels = BOTH
    driver.sending = {OURS, OTHER}

    assert f"Another program sends to the virtual camera {OURS}" in refusal(wanted)
    assert driver.opened == []
    assert driver.revived == driver.disturbed == []


@pytest.mark.parametrize(
    "label", ["Cam 7", "Intel MIPI Camera", "OBS Virtual Camera", "Dummy video device (0x0000)"]
)
def test_auto_sends_to_no_camera_of_another_program(driver: FakeDriver, label: str) -> None:
    """That of v4l2-relayd is silent while nobody reads it: the program wrote into the camera of
    the laptop.
    """
    driver.labels = {OTHER: label}

    message = refusal("auto")

    assert "No virtual camera is named Mattecam, and others may belong to other programs" in message
    assert f"choose one of {OTHER} ({label}) with --virtual-camera" in message
    assert driver.opened == []
    assert device_of(OTHER) == OTHER, "the user may name it"


def test_only_a_camera_that_auto_may_send_to_shows_the_picture_to_programs(
    driver: FakeDriver,
) -> None:
    settings = BASE.replaced_at(["output"], virtual_camera="auto", pipewire="off")
    driver.labels = {OTHER: "Intel MIPI Camera"}
    assert not table.has_camera(settings)

    driver.labels = BOTH

    assert table.has_camera(settings)


def test_auto_takes_our_device_and_tries_our_next_one_where_it_is_busy(driver: FakeDriver) -> None:
    driver.labels = OURS_TWICE
    assert device_of("auto") == OURS

    driver.sending = {OURS}

    assert device_of("auto") == SECOND


@pytest.mark.parametrize("wanted", [OTHER, "Cam 7", "7"])
def test_a_device_is_found_by_file_label_and_number(driver: FakeDriver, wanted: str) -> None:
    driver.labels = BOTH

    assert device_of(wanted) == OTHER


def test_auto_tries_the_next_on_failure_and_reports_the_first(driver: FakeDriver) -> None:
    driver.labels = OURS_TWICE
    driver.refusals = {OURS: loopback_error("Device could not be opened: Device or resource busy")}
    assert device_of("auto") == SECOND

    driver.refusals[SECOND] = RuntimeError("another reason")

    assert "Another program" in refusal()


def sends_to(pipeline: Pipeline, device: str) -> bool:
    """Whether the virtual camera that the settings ask for is open, or has failed to open, and
    this one is in use.
    """
    return pipeline.outputs_decided and pipeline.status().virtual_camera == device


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"virtual_camera": OURS}, id="by its file, as the window lists it"),
        pytest.param({"virtual_camera": "Mattecam"}, id="by its label"),
        pytest.param({"virtual_camera_backend": "v4l2"}, id="with another backend"),
    ],
)
def test_the_camera_in_use_is_closed_before_it_is_opened_under_another_name(
    driver: FakeDriver, world: FakeWorld, change: dict[str, str]
) -> None:
    """The driver refused the second handle: the program said for ever that another one sends to
    the camera.
    """
    parts = world.parts().with_sinks(virtual_camera=open_virtual_camera)
    settings = BASE.replaced_at(["output"], virtual_camera="auto")
    with live(world, settings, parts=parts, timing=IMPATIENT) as pipeline:
        eventually(lambda: sends_to(pipeline, OURS))

        apply(pipeline, settings.replaced_at(["output"], **change))
        eventually(lambda: len(driver.opened) == 2 and sends_to(pipeline, OURS))
        eventually(lambda: len(driver.opened[-1].sent) > 0)

        assert pipeline.status().problems == ()
        assert pipeline.status().errors == ()
    assert driver.disturbed == []
    assert [camera.closed for camera in driver.opened] == [1, 1]


def test_the_camera_in_use_is_opened_again_where_another_backend_fails_and_is_then_left_alone(
    driver: FakeDriver, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = Mock(side_effect=RuntimeError("a backend that does not work here"))
    parts = world.parts().with_sinks(virtual_camera=open_virtual_camera)
    settings = BASE.replaced_at(["output"], virtual_camera="auto", virtual_camera_backend="v4l2")
    with live(world, settings, parts=parts, timing=IMPATIENT) as pipeline:
        eventually(lambda: sends_to(pipeline, OURS))
        monkeypatch.setattr(sys.modules["pyvirtualcam"], "Camera", attempts)

        apply(
            pipeline,
            settings.replaced_at(
                ["output"], virtual_camera=OURS, virtual_camera_backend="pyvirtualcam"
            ),
        )
        eventually(lambda: len(driver.opened) == 2 and sends_to(pipeline, OURS))
        eventually(lambda: len(driver.opened[-1].sent) > 20)

        assert [problem.stage for problem in pipeline.status().problems] == [Stage.VIRTUAL_CAMERA]
        assert attempts.call_count == 1, "its readers would be interrupted at every attempt"
    assert driver.disturbed == []


def test_another_device_that_fails_does_not_interrupt_the_one_in_use(
    driver: FakeDriver, world: FakeWorld
) -> None:
    driver.labels = BOTH
    driver.sending = {OTHER}
    parts = world.parts().with_sinks(virtual_camera=open_virtual_camera)
    settings = BASE.replaced_at(["output"], virtual_camera="auto")
    with live(world, settings, parts=parts, timing=IMPATIENT) as pipeline:
        eventually(lambda: sends_to(pipeline, OURS))

        apply(pipeline, settings.replaced_at(["output"], virtual_camera=OTHER))
        eventually(lambda: bool(pipeline.status().problems))

        assert [camera.closed for camera in driver.opened] == [0]
        driver.sending = set()
        eventually(lambda: sends_to(pipeline, OTHER))


def test_an_unknown_device_is_reported_with_the_known_ones(driver: FakeDriver) -> None:
    assert "camera Nobody; choose one of /dev/video10 (Mattecam)" in refusal("Nobody")
    assert "real camera" in refusal("/dev/null")
    driver.labels = {}
    for wanted in ("auto", "Nobody", "/dev/video10"):
        message = refusal(wanted)
        assert "modprobe v4l2loopback" in message and ". " not in message, "one sentence"


def test_the_advice_names_a_number_that_is_free(
    driver: FakeDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Number 10 is that of a decoder on a Raspberry Pi."""
    driver.labels = {}
    monkeypatch.setattr(v4l2, "SYSFS", tmp_path)
    assert "video_nr=10 " in refusal()

    (tmp_path / "video10").mkdir()
    (tmp_path / "video11").mkdir()

    assert "video_nr=12 " in refusal()


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


def test_the_list_has_our_device_first_and_knows_busy_ones(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.labels = BOTH
    driver.sending = {OTHER}
    ours, other = list_virtual_cameras()
    assert (ours.id, ours.label, ours.path, ours.busy) == (
        "/dev/video10",
        "Mattecam",
        "/dev/video10",
        False,
    )
    assert (other.label, other.busy) == ("Cam 7", True)
    monkeypatch.setattr(camera_list, "holders", lambda path: (Holder(1, "obs", True),))
    assert all(one.busy for one in list_virtual_cameras())
    monkeypatch.setattr(
        camera_list, "holders", lambda path: (Holder(os.getpid(), "mattecam", True),)
    )
    assert not any(one.busy for one in list_virtual_cameras()), (
        "what this program sends to is not busy"
    )


def test_other_systems_receive_bgr_of_fixed_size(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OBS's camera on Windows and macOS converts by itself and tells nobody who reads."""
    obs = VirtualCameraDevice("OBS Virtual Camera", "OBS Virtual Camera", "", False)
    monkeypatch.setattr(virtual_camera, "LINUX", False)
    monkeypatch.setattr(camera_list, "LINUX", False)
    monkeypatch.setattr(virtual_camera, "list_virtual_cameras", lambda probe: (obs,))
    camera = VirtualCamera("auto", 64, 48, 30)
    camera.send(picture())
    camera.send(picture(200, 50, grey=200))
    camera.close()
    assert camera.name == camera.device == "OBS Virtual Camera" and camera.size == (64, 48)
    sent = [one.reshape(48, 64, 3) for one in driver.opened[0].sent]
    assert bar_error(sent[0]) == 0 and sent[1][2].max() == 0 and (sent[1][24] == 200).all()
    assert driver.revived == []


def test_other_systems_are_told_of_obs_and_have_one_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(virtual_camera, "LINUX", False)
    monkeypatch.setattr(camera_list, "LINUX", False)
    assert list_virtual_cameras() == ()
    for backend, words in (("auto", "install OBS Studio"), ("v4l2", "on Linux only")):
        assert words in refusal(backend=backend)


@pytest.mark.parametrize(
    ("wanted", "label"),
    [("auto", "Mattecam"), ("Mattecam", "Mattecam"), ("Cam 7", "Cam 7")],
    ids=["auto", "our label", "another label"],
)
def test_nothing_is_sent_to_the_camera_that_is_the_source(
    driver: FakeDriver, wanted: str, label: str
) -> None:
    driver.labels = {OTHER: label, "/dev/video8": label, OURS: "Cam 10"}
    with closing(VirtualCamera(wanted, 64, 48, 30, avoided={OURS, OTHER}.copy)) as camera:
        assert camera.device == "/dev/video8"

    driver.labels = {OTHER: label}
    for named in (wanted, "/dev/video7", "7"):
        assert f"{OTHER} is the camera that the picture comes from" in refusal(
            named, avoided={OTHER}.copy
        )
    assert OTHER not in [one.device for one in driver.opened]


def test_the_source_is_not_looked_for_without_a_virtual_camera(driver: FakeDriver) -> None:
    """Opening is retried every two seconds; listing the cameras opens each, which wakes those
    that sleep.
    """
    driver.labels = {}
    assert "There is no virtual camera" in refusal(
        avoided=lambda: pytest.fail("the cameras are listed")
    )


@pytest.mark.parametrize(
    "label", ["DroidCam", "Iriun Webcam", "droidcam v4l2", "EpocCam", "My iPhone", "scrcpy"]
)
def test_nothing_is_sent_to_the_camera_of_a_phone(driver: FakeDriver, label: str) -> None:
    driver.labels = {"/dev/null": label}
    for named in ("auto", label, "/dev/null"):
        assert refusal(named)
    driver.labels[OTHER] = "Mattecam"
    assert VirtualCamera("auto", 64, 48, 30).device == OTHER
    assert [one.device for one in driver.opened] == [OTHER]
    assert [one.id for one in list_virtual_cameras(probe=False)] == [OTHER]


@dataclass
class Kernel:
    """Answers ioctls and keeps what was asked."""

    capabilities: int = 0x85200002
    device_capabilities: int = 0x05200002
    answers: dict[int, bytes] = field(default_factory=dict)
    errors: dict[int, int] = field(default_factory=dict)
    asked: dict[int, bytes] = field(default_factory=dict)

    def ioctl(self, node: int, request: int, argument: bytearray) -> int:
        if request in self.errors:
            raise OSError(self.errors[request], "refused")
        self.asked[request] = bytes(argument)
        if request == QUERYCAP:
            names = (b"v4l2 loopback", b"Mattecam", b"platform:x")
            bits = (self.capabilities, self.device_capabilities)
            argument[:] = struct.pack("16s32s32sIII12x", *names, 0x60100, *bits)
        elif request in self.answers:
            argument[: len(self.answers[request])] = self.answers[request]
        return 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr("app.system.v4l2.fcntl.ioctl", kernel.ioctl)
    return kernel


@pytest.mark.parametrize(
    ("capabilities", "device", "takes"),
    [
        (0x85200003, 0x05200003, True),
        (0x85200003, 0x05200001, False),
        (0x05200002, 0, True),
        (0x05200001, 0, False),
    ],
)
def test_whether_a_producer_may_open_the_node(
    kernel: Kernel, capabilities: int, device: int, takes: bool
) -> None:
    kernel.capabilities = capabilities
    kernel.device_capabilities = device
    assert v4l2.takes_output("/dev/null") is takes


def test_the_format_is_read_at_its_offset_and_errors_of_the_driver_are_survived(
    kernel: Kernel,
) -> None:
    kernel.answers[G_FMT] = struct.pack("I4xII4s", 2, 1280, 720, b"YU12")
    assert v4l2.current_format("/dev/null") == PixelSize(1280, 720, "YU12")
    kernel.errors = dict.fromkeys((G_FMT, STREAMON), errno.EINVAL)
    assert v4l2.current_format("/dev/null") is v4l2.current_format("/dev/none") is None
    v4l2.revive("/dev/null")
    with pytest.raises(FileNotFoundError):
        v4l2.revive("/dev/none")


def test_loopbacks_are_listed_that_have_a_device_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is opened, which would wake a real camera; a container sees devices of the host
    that it does not have.
    """
    for number, attribute in (
        (10, "max_openers"),
        (7, "max_openers"),
        (0, "index"),
        (11, "max_openers"),
    ):
        (tmp_path / f"class/video{number}").mkdir(parents=True)
        (tmp_path / f"class/video{number}" / attribute).touch()
        (tmp_path / f"class/video{number}/name").write_text(f"Cam {number}\n")
    for number in (0, 7, 10):
        (tmp_path / f"video{number}").touch()
    monkeypatch.setattr(v4l2, "SYSFS", tmp_path / "class")
    monkeypatch.setattr(v4l2, "DEVICES", tmp_path)
    monkeypatch.setattr(v4l2, "v4l2", None)
    assert list(v4l2.loopback_labels().items()) == [
        ("/dev/video7", "Cam 7"),
        ("/dev/video10", "Cam 10"),
    ]


NEW = b"frame"
NONE = BlockingIOError()


@pytest.mark.parametrize(
    ("reads", "arrive"),
    [
        ([NONE] * 9, False),
        ([NEW, NEW] + [NONE] * 9, False),
        ([NEW, NONE, NONE, NEW], True),
        ([NEW] * 99, True),
        ([OSError(errno.EBUSY, "the only place for a reader is taken")], True),
        ([OSError(errno.EIO, "it was removed")], False),
    ],
)
def test_only_new_frames_count_as_arriving(
    monkeypatch: pytest.MonkeyPatch, reads: list[bytes | OSError], arrive: bool
) -> None:
    """The first frames may be old ones in the ring buffer; more than the largest ring holds must
    be new.
    """
    monkeypatch.setattr("app.output.v4l2.os.read", Mock(side_effect=reads))
    monkeypatch.setattr(v4l2, "_LOOK_AGAIN_S", 0.01)
    assert v4l2.frames_arrive("/dev/null", 0.05) is arrive


@pytest.fixture
def device(tmp_path: Path) -> Path:
    (tmp_path / "video10").touch()
    return tmp_path / "video10"


@pytest.mark.parametrize(
    ("layout", "fourcc", "stride", "size"),
    [("I420", b"YU12", 64, 64 * 72), ("YUYV", b"YUYV", 128, 64 * 96)],
)
def test_format_rate_frames(
    kernel: Kernel, device: Path, layout: str, fourcc: bytes, stride: int, size: int
) -> None:
    writer = LoopbackWriter(64, 48, 29.97, device=str(device), layout=layout)  # type: ignore[arg-type]
    assert struct.unpack_from("I4xII4sIIII", kernel.asked[S_FMT]) == (
        2,
        64,
        48,
        fourcc,
        1,
        stride,
        size,
        1,
    )
    rate = struct.unpack_from("IIIII", kernel.asked[S_PARM])
    assert rate[0] == 2 and rate[4] / rate[3] == pytest.approx(29.97, abs=1e-4)
    frame = np.arange(size, dtype=np.uint32).astype(np.uint8)
    writer.send(frame)
    writer.send(frame)
    with pytest.raises(ValueError, match="bytes"):
        writer.send(frame[:-1])
    writer.close()
    writer.close()
    assert device.read_bytes() == frame.tobytes() * 2
    with pytest.raises(OSError, match="Bad file descriptor"):
        writer.send(frame)


def test_a_driver_without_frame_rates_is_used_but_no_real_camera(
    kernel: Kernel, device: Path
) -> None:
    open_writer = partial(LoopbackWriter, 64, 48, 30, device=str(device), layout="I420")
    kernel.errors[S_PARM] = errno.ENOTTY
    open_writer().close()
    kernel.errors[S_PARM] = errno.EIO
    with pytest.raises(OSError, match="refused"):
        open_writer()
    kernel.device_capabilities = 0x05200001
    with pytest.raises(OSError, match="not a video output"):
        open_writer()


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


def test_opening_and_closing_readers_are_noticed_but_no_producers_and_own_handles(
    device: Path,
) -> None:
    with program(device, "O_WRONLY"), device.open(), closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() == ()
        with program(device, "O_RDWR") as reader:
            assert [one.pid for one in watch.readers() or ()] == [reader]
        assert watch.readers() == ()


def test_processes_are_not_scanned_without_an_event(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Mock(return_value=())
    clock = FakeClock(50.0)
    monkeypatch.setattr(camera_list, "holders", search)
    with closing(ReaderWatch(str(device), clock)) as watch:
        for _ in range(100):
            watch.readers()
        assert search.call_count == 1
        with device.open():
            watch.readers()
        watch.readers()
        assert 2 <= search.call_count <= 3, "opening and closing are one search each at most"
        clock.now_s += 6
        watch.readers()
        assert search.call_count >= 3, "from time to time it looks without being told"


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Processes whose files cannot be listed, as those of another user."""
    pids: set[int] = set()
    monkeypatch.setattr(
        camera_list,
        "holders",
        lambda path: tuple(one for one in holders(path) if one.pid not in pids),
    )
    return pids


def test_a_reader_that_cannot_be_seen_is_unknown_until_it_closes_the_device(
    device: Path, hidden: set[int]
) -> None:
    """A container of root, or a daemon, counted as nobody: the camera rested, and it saw the
    card for ever.
    """
    with device.open("wb"), closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() == ()

        with program(device, "O_RDWR") as reader:
            hidden.add(reader)
            assert watch.readers() is None
            assert watch.readers() is None, "nothing has changed since"

        assert watch.readers() == ()


def test_a_reader_that_cannot_be_seen_stays_unknown_after_one_that_can(
    device: Path, hidden: set[int]
) -> None:
    with (
        closing(ReaderWatch(str(device))) as watch,
        device.open("wb") as sent,
        program(device, "O_RDWR") as unseen,
    ):
        hidden.add(unseen)
        sent.write(b"a frame")
        sent.flush()
        with program(device, "O_RDWR") as seen:
            assert [one.pid for one in watch.readers() or ()] == [seen]

        assert watch.readers() is None


def test_what_opens_the_device_for_a_moment_is_no_unknown_reader(device: Path) -> None:
    """Browsers and PipeWire look at all cameras again and again, as this program does."""
    with closing(ReaderWatch(str(device))) as watch:
        for _ in range(5):
            device.read_bytes()
        with device.open(), device.open():
            pass

        assert watch.readers() == ()


def test_a_killed_reader_with_several_handles_leaves_nobody(device: Path) -> None:
    """The kernel reports its closed handles as one event."""
    code = "import sys; files = [open(sys.argv[1], 'r+b') for _ in range(3)]; print('open', flush=True); input()"
    with closing(ReaderWatch(str(device))) as watch:
        command = [sys.executable, "-c", code, str(device)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
            assert reader.stdout is not None
            reader.stdout.readline()
            assert [one.pid for one in watch.readers() or ()] == [reader.pid]
            reader.kill()

        assert watch.readers() == ()


def test_readers_of_a_removed_device_and_of_other_systems(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(ReaderWatch(f"{device}-gone")) as watch:
        assert watch.readers() == ()
    watch.close()
    monkeypatch.setattr(camera_list, "LINUX", False)
    with closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() is None
