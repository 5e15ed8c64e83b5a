"""Loopback cameras of Linux, with a fake kernel, and who reads them: a file replaces the device there."""

from __future__ import annotations

import errno
import struct
import sys
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from app.core.errors import SinkOpenError
from app.core.process import LINUX
from app.output import camera_list, v4l2
from app.output.camera_list import ReaderWatch
from app.output.v4l2 import LoopbackWriter
from app.output.virtual_camera import VirtualCamera
from app.system.v4l2 import PixelSize
from mattecam.testing import FakeClock
from tests.fresh_python import program
from tests.output.conftest import FakeDriver

pytestmark = pytest.mark.skipif(not LINUX, reason="only Linux tells who has a device open")

QUERYCAP, STREAMON = 0x80685600, 0x40045612
G_FMT, S_FMT, S_PARM = 0xC0D05604, 0xC0D05605, 0xC0CC5616


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
            names, bits = (b"v4l2 loopback", b"Mattecam", b"platform:x"), (self.capabilities, self.device_capabilities)
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
    [(0x85200003, 0x05200003, True), (0x85200003, 0x05200001, False), (0x05200002, 0, True), (0x05200001, 0, False)],
)
def test_whether_a_producer_may_open_the_node(kernel: Kernel, capabilities: int, device: int, takes: bool) -> None:
    kernel.capabilities, kernel.device_capabilities = capabilities, device
    assert v4l2.takes_output("/dev/null") is takes


def test_the_format_is_read_at_its_offset(kernel: Kernel) -> None:
    kernel.answers[G_FMT] = struct.pack("I4xII4s", 2, 1280, 720, b"YU12")
    assert v4l2.current_format("/dev/null") == PixelSize(1280, 720, "YU12")
    kernel.errors[G_FMT] = errno.EINVAL
    assert v4l2.current_format("/dev/null") is None
    assert v4l2.current_format("/dev/none") is None


def test_reviving_survives_the_drivers_error(kernel: Kernel) -> None:
    kernel.errors[STREAMON] = errno.EINVAL
    v4l2.revive("/dev/null")
    with pytest.raises(FileNotFoundError):
        v4l2.revive("/dev/none")


def test_only_loopbacks_are_listed_and_hardware_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    denied, gone = PermissionError(errno.EACCES, "Permission denied"), OSError(errno.ENODEV, "No such device")
    drivers: dict[int, str | OSError] = {7: "v4l2 loopback", 10: "v4l2 loopback", 11: "akvcam"}
    drivers |= {12: denied, 13: denied, 14: gone}
    sysfs = tmp_path / "class"
    sysfs.mkdir()
    for number in (0, *drivers):
        home = tmp_path / "devices" / ("pci0/usb1" if number == 0 else "virtual") / f"video{number}"
        home.mkdir(parents=True)
        (home / "name").write_text(f"Cam {number}\n")
        (sysfs / f"video{number}").symlink_to(home)
    (tmp_path / "devices/virtual/video12/buffers").touch()
    monkeypatch.setattr(v4l2, "SYSFS", sysfs)

    def driver_and_caps(path: str) -> tuple[str, int]:
        answer = drivers[int(path.removeprefix("/dev/video"))]
        if isinstance(answer, OSError):
            raise answer
        return answer, 0

    monkeypatch.setattr(v4l2, "_driver_and_caps", driver_and_caps)
    assert list(v4l2.loopback_labels().items()) == [(f"/dev/video{n}", f"Cam {n}") for n in (7, 10, 12)]


@pytest.mark.parametrize(
    ("reads", "arrive"),
    [
        ([False] * 9, False),
        ([True, True] + [False] * 9, False),
        ([True, False, False, True], True),
        ([True] * 99, True),
    ],
)
def test_only_new_frames_count_as_arriving(monkeypatch: pytest.MonkeyPatch, reads: list[bool], arrive: bool) -> None:
    """The first frames may be old ones in the ring buffer; more than the largest ring holds must be new."""
    answers = iter(reads)
    monkeypatch.setattr(v4l2, "_read_one", lambda node: next(answers))
    monkeypatch.setattr(v4l2, "_LOOK_AGAIN_S", 0.01)
    assert v4l2.frames_arrive("/dev/null", 0.05) is arrive


def test_a_node_whose_only_place_for_a_reader_is_taken_has_a_producer(monkeypatch: pytest.MonkeyPatch) -> None:
    """v4l2loopback 0.15 refuses a second reader."""
    refuse = Mock(side_effect=OSError(errno.EBUSY, "Device or resource busy"))
    monkeypatch.setattr("app.output.v4l2.os.read", refuse)
    assert v4l2.frames_arrive("/dev/null")
    assert not v4l2.frames_arrive("/dev/none"), "a node that was removed"


@pytest.fixture
def device(tmp_path: Path) -> Path:
    (tmp_path / "video10").touch()
    return tmp_path / "video10"


@pytest.mark.parametrize(
    ("layout", "fourcc", "stride", "size"), [("I420", b"YU12", 64, 64 * 72), ("YUYV", b"YUYV", 128, 64 * 96)]
)
def test_format_rate_and_frames(
    kernel: Kernel, device: Path, layout: str, fourcc: bytes, stride: int, size: int
) -> None:
    writer = LoopbackWriter(64, 48, 29.97, device=str(device), layout=layout)  # type: ignore[arg-type]
    assert struct.unpack_from("I4xII4sIIII", kernel.asked[S_FMT]) == (2, 64, 48, fourcc, 1, stride, size, 1)
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


def test_a_driver_without_frame_rates_is_used_but_no_real_camera(kernel: Kernel, device: Path) -> None:
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
def test_auto_uses_v4l2_where_pyvirtualcam_is_missing_or_fails(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch, missing: bool
) -> None:
    if missing:
        monkeypatch.setitem(sys.modules, "pyvirtualcam", None)  # an import of it fails
    else:
        monkeypatch.setattr(sys.modules["pyvirtualcam"], "Camera", Mock(side_effect=RuntimeError("another reason")))
    VirtualCamera("auto", 64, 48, 30).close()
    assert len(driver.opened) == 1
    driver.refusals["/dev/video10"] = OSError(errno.EBUSY, "the reason of the driver")
    for backend, why in (("pyvirtualcam", "cannot be used"), ("auto", "Another program sends")):
        with pytest.raises(SinkOpenError, match=why):
            VirtualCamera("auto", 64, 48, 30, backend=backend)


def test_opening_and_closing_readers_are_noticed_but_no_producers_and_own_handles(device: Path) -> None:
    with program(device, "O_WRONLY"), device.open(), closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() == ()
        with program(device, "O_RDWR") as reader:
            assert [one.pid for one in watch.readers() or ()] == [reader]
        assert watch.readers() == ()


def test_processes_are_not_scanned_without_an_event(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search, clock = Mock(return_value=()), FakeClock(50.0)
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


def test_a_removed_device_has_no_readers_and_other_systems_cannot_tell(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(ReaderWatch(f"{device}-gone")) as watch:
        assert watch.readers() == ()
    watch.close()
    monkeypatch.setattr(camera_list, "LINUX", False)
    with closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() is None
