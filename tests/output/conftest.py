"""Stand-in for pyvirtualcam.Camera and for loopback devices of Linux, in place of the driver.

It keeps what was sent, and behaves as the real driver was seen to: it may keep another size without
a word.
"""

from __future__ import annotations

import enum
import errno
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.errors import SinkOpenError
from app.output import camera_list, v4l2
from app.output.virtual_camera import VirtualCamera
from app.system.v4l2 import PixelSize

FOURCC = {"I420": "YU12", "YUYV": "YUYV", "UYVY": "UYVY", "BGR": "BGR3"}
# The layouts of pyvirtualcam, which takes no names of them.
Format = enum.Enum("Format", ("I420", "YUYV", "UYVY", "BGR"))
# One of the classes that every Windows has registered: stands for that of OBS Studio's filter.
CLASS_OF_SHORTCUTS = "{00021401-0000-0000-C000-000000000046}"
# Of a pixel.
BYTES = {"I420": 1.5, "YUYV": 2, "UYVY": 2, "BGR": 3}


# Device files: the one that is ours, and that of another program.
OURS = "/dev/video10"
OTHER = "/dev/video7"


@dataclass
class FakeDriver:
    """The devices, and what happened to them."""

    labels: dict[str, str] = field(default_factory=partial(dict, {OURS: "Mattecam"}))
    # The format that devices are held in, whatever is asked for.
    kept: PixelSize | None = None
    # Other formats than the kept one are refused, as v4l2loopback 0.13 does while a program reads.
    refuses_others: bool = False
    # Devices that take no producer until they are revived.
    used_up: set[str] = field(default_factory=set)
    # Devices that another program sends to.
    sending: set[str] = field(default_factory=set)
    refusals: dict[str, Exception] = field(default_factory=dict)
    opened: list[FakeCamera] = field(default_factory=list)
    revived: list[str] = field(default_factory=list)
    # Devices that were revived while a producer was sending to them.
    disturbed: list[str] = field(default_factory=list)
    formats: dict[str, PixelSize] = field(default_factory=dict)

    def camera(
        self,
        width: int,
        height: int,
        fps: float,
        *,
        device: str,
        fmt: Format | None = None,
        layout: str = "",
    ) -> FakeCamera:
        """What pyvirtualcam.Camera(…, fmt=…) and LoopbackWriter(…, layout=…) give."""
        layout = layout if fmt is None else fmt.name
        if device in self.refusals:
            raise self.refusals[device]
        if device in self.used_up or self._has_producer(device):
            raise RuntimeError(
                f"'v4l2loopback' backend: Device {device} is not a video output device."
            )
        if (
            self.refuses_others
            and self.kept is not None
            and self.kept != PixelSize(width, height, FOURCC[layout])
        ):
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.formats[device] = self.kept or PixelSize(width, height, FOURCC[layout])
        self.used_up.add(device)
        self.opened.append(FakeCamera(self, device, width, height, fps, layout))
        return self.opened[-1]

    def revive(self, path: str) -> None:
        """A device takes a producer again; one that has a producer refuses, as with
        `exclusive_caps=1`.
        """
        if self._has_producer(path):
            self.disturbed.append(path)
            raise OSError(errno.EBUSY, "Device or resource busy", path)
        self.revived.append(path)
        self.used_up.discard(path)

    def loopback_labels(self) -> dict[str, str]:
        """In place of what the kernel lists."""
        return self.labels

    def takes_output(self, path: str) -> bool:
        """Whether a producer may open the device."""
        return path not in self.used_up | self.sending

    def frames_arrive(self, path: str) -> bool:
        """Whether another program sends to the device."""
        return path in self.sending

    def current_format(self, path: str) -> PixelSize | None:
        """The format in which the device is held."""
        return self.formats.get(path, self.kept)

    def _has_producer(self, path: str) -> bool:
        is_open = any(camera.device == path and not camera.closed for camera in self.opened)
        return is_open or path in self.sending


@dataclass
class FakeCamera:
    """An open device."""

    driver: FakeDriver
    device: str
    width: int
    height: int
    fps: float
    layout: str
    sent: list[NDArray[np.uint8]] = field(default_factory=list)
    closed: int = 0
    fails: Exception | None = None

    def send(self, frame: NDArray[np.uint8]) -> None:
        """Take a frame as the real one does."""
        if self.fails is not None:
            raise self.fails
        assert (
            frame.size == self.width * self.height * BYTES[self.layout] and frame.dtype == np.uint8
        )
        real = self.driver.formats[self.device]
        assert (real.width, real.height) == (self.width, self.height), "readers would see garbage"
        self.sent.append(frame.copy())

    def close(self) -> None:
        """Release it."""
        self.closed += 1


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """The stand-in, in place of the drivers."""
    driver = FakeDriver()
    module = SimpleNamespace(Camera=driver.camera, PixelFormat=Format)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    monkeypatch.setattr(v4l2, "LoopbackWriter", driver.camera)
    monkeypatch.setattr(v4l2, "loopback_labels", driver.loopback_labels)
    monkeypatch.setattr(v4l2, "takes_output", driver.takes_output)
    monkeypatch.setattr(v4l2, "frames_arrive", driver.frames_arrive)
    monkeypatch.setattr(v4l2, "current_format", driver.current_format)
    monkeypatch.setattr(v4l2, "revive", driver.revive)
    monkeypatch.setattr(camera_list, "WINDOWS_CLASSES", {"OBS Virtual Camera": CLASS_OF_SHORTCUTS})
    return driver


def loopback_error(text: str) -> RuntimeError:
    """What pyvirtualcam raises on Linux."""
    return RuntimeError(f"'v4l2loopback' backend: {text}")


def refusal(wanted: str = "auto", **options: Any) -> str:
    """Return why there is no virtual camera."""
    with pytest.raises(SinkOpenError) as caught:
        VirtualCamera(wanted, 64, 48, 30, **options)
    return str(caught.value)


@pytest.fixture
def device(tmp_path: Path) -> Path:
    (tmp_path / "video10").touch()
    return tmp_path / "video10"
