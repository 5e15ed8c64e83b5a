"""Loopback devices of Linux, with a fake kernel."""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from app.output import v4l2
from app.output.v4l2 import LoopbackWriter
from app.system.v4l2 import PixelSize

pytestmark = pytest.mark.linux("app.output.v4l2")
QUERYCAP = 0x80685600
STREAMON = 0x40045612
G_FMT = 0xC0D05604
S_FMT = 0xC0D05605
S_PARM = 0xC0CC5616


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
