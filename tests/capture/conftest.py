"""A camera with a fake driver, video devices of a played kernel, and time that passes only while a source waits."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from app.capture import devices
from app.capture.camera import CameraSource, CameraTiming
from app.capture.devices import CameraDevice, NodeAnswer
from app.core.errors import SourceLostError
from app.core.settings import CaptureSettings
from app.core.types import BgrImage, Frame, SourceInfo
from app.system.v4l2 import LOOPBACK_DRIVER
from mattecam.testing import FakeClock
from tests.media.damaged_jpegs import encode

FAST = CameraTiming(start_s=0.1, read_s=0.05, silence_s=0.2)
PATIENT = CameraTiming(start_s=30.0, read_s=30.0)
WEBCAM = CameraDevice("usb-webcam", "Webcam", "/dev/null", 0, ((640, 480),), ("YUYV", "MJPG"))


def picture(width: int = 64, height: int = 48) -> BgrImage:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


class FakeCapture:
    """Replaces cv2.VideoCapture; `set` always succeeds, as with the real one."""

    device = WEBCAM
    opens = True
    fps = 25.0
    shows: dict[str, BgrImage | None]
    """The frame in each format; None for no frame."""
    made: list[FakeCapture]
    has_signal: bool | None = None
    signal_asked: int = 0
    undecoded: list[bytes]
    """MJPG frames, one after another, the last one repeating; if empty, what `shows` has is encoded."""

    def __init__(self) -> None:
        self.asked: dict[int, float] = {}
        self.released = False
        self.made.append(self)

    @classmethod
    def source(cls, timing: CameraTiming = FAST, **capture: Any) -> closing[CameraSource]:
        """Open the camera."""
        settings = CaptureSettings(**capture)
        source = CameraSource(cls.device, settings, timing, cls, ask_signal=cls.ask_signal)  # type: ignore[arg-type]
        return closing(source)

    @classmethod
    def ask_signal(cls, path: str) -> bool | None:
        assert path == cls.device.path
        cls.signal_asked += 1
        return cls.has_signal

    @classmethod
    def first_frame(
        cls, timing: CameraTiming = PATIENT, **capture: Any
    ) -> tuple[Frame, SourceInfo]:
        """Return the first frame of a camera that is opened for it, and what the camera says of itself."""
        with cls.source(timing, **capture) as source:
            frame = source.read()
            assert frame is not None
            return frame, source.info

    def open(self, path: str, backend: int) -> bool:
        self.released = not self.opens
        return self.opens

    def set(self, key: int, value: float) -> bool:
        self.asked[key] = value
        return True

    def get(self, key: int) -> float:
        return self.asked.get(key, 0.0) if key == cv2.CAP_PROP_FOURCC else self.fps

    @property
    def format(self) -> str:
        return int(self.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode()

    @property
    def image(self) -> BgrImage | None:
        return self.shows.get(self.format)

    def grab(self) -> bool:
        return self.image is not None and not self.released

    def retrieve(self) -> tuple[bool, BgrImage | None]:
        if self.image is None or self.asked.get(cv2.CAP_PROP_CONVERT_RGB, 1):
            return self.image is not None, self.image
        frames = self.undecoded or [encode(self.image)]
        return True, np.frombuffer(frames.pop(0) if len(frames) > 1 else frames[0], np.uint8)[None]

    def release(self) -> None:
        self.released = True


Driver = type[FakeCapture]


def lost(read: Callable[[], object], reason: str, most: int = 50) -> None:
    """Read nothing until the camera is lost."""
    with pytest.raises(SourceLostError, match=reason):
        for _ in range(most):
            assert not read()


class Kernel:
    """A fake sysfs folder of video devices, and what they answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._answers: dict[str, NodeAnswer | OSError] = {}

    def plug(
        self,
        number: int,
        name: str,
        formats: tuple[str, ...] = (),
        driver: str = "uvcvideo",
        *,
        bus: str = "",
        node: int = 0,
        is_camera: bool = True,
        has_signal: bool = True,
        error: OSError | None = None,
    ) -> None:
        """Connect a device. error: what opening it raises."""
        folder = self.folder / "sys" / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
        (folder / "index").write_text(f"{node}\n")
        if driver == LOOPBACK_DRIVER:
            (folder / "max_openers").write_text("10\n")
        answer = NodeAnswer(
            driver, bus or f"bus-{number}", is_camera, ((640, 480),), formats, has_signal
        )
        self._answers[f"/dev/video{number}"] = error or answer

    def unplug(self, number: int) -> None:
        shutil.rmtree(self.folder / "sys" / f"video{number}")

    def query(self, path: str) -> NodeAnswer:
        answer = self._answers[path]
        if isinstance(answer, OSError):
            raise answer
        return answer


def played_time(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> FakeClock:
    """Replace the clock and the events of `module`; return the clock."""
    clock = FakeClock(100.0)

    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            clock.now_s += 0 if self.is_set() else timeout or 0
            return self.is_set()

    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=clock))
    monkeypatch.setattr(module, "threading", SimpleNamespace(Event=Event), raising=False)
    return clock


@pytest.fixture(autouse=True)
def _webcam_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows opens only what an interface of its own lists."""
    if sys.platform == "win32":
        listed = SimpleNamespace(name=WEBCAM.name, path=WEBCAM.path, index=WEBCAM.index)
        lists = {cv2.CAP_MSMF: [listed]}
        listing = SimpleNamespace(enumerate_cameras=lambda backend: lists.get(backend, []))
        monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", listing)


@pytest.fixture
def driver() -> Iterator[Driver]:
    class Played(FakeCapture):
        shows: dict[str, BgrImage | None] = {"MJPG": picture(), "YUYV": picture()}  # noqa: RUF012
        made: list[FakeCapture] = []  # noqa: RUF012
        undecoded: list[bytes] = []  # noqa: RUF012

    yield Played
    assert all(capture.released for capture in Played.made)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel(tmp_path)
    (tmp_path / "sys").mkdir()
    for folder in ("by-id", "by-path", "udev"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(devices, "SYS_CLASS", tmp_path / "sys")
    monkeypatch.setattr(devices, "LINK_FOLDERS", (tmp_path / "by-id", tmp_path / "by-path"))
    monkeypatch.setattr(devices, "UDEV_DATA", tmp_path / "udev")
    monkeypatch.setattr(devices, "UDEV_S", 0.0)
    monkeypatch.setattr(devices, "query", made.query)
    monkeypatch.setattr(devices, "SYSTEM", "Linux")
    return made
