"""A camera with a fake driver."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import cv2
import numpy as np
import pytest

from app.capture.camera import CameraSource, CameraTiming
from app.capture.devices import CameraDevice
from app.core.errors import SourceLostError
from app.core.settings import CaptureSettings
from app.core.types import BgrImage, Frame, SourceInfo
from tests.media.damaged_jpegs import encode

FAST = CameraTiming(start_s=0.1, read_s=0.05, silence_s=0.2)
PATIENT = CameraTiming(start_s=30.0, read_s=30.0)
WEBCAM = CameraDevice("usb-webcam", "Webcam", "/dev/null", 0, ((640, 480),), ("YUYV", "MJPG"))


def picture(width: int = 64, height: int = 48) -> BgrImage:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


class FakeCapture:
    """Replaces cv2.VideoCapture; `set` always succeeds, as with the real one."""

    opens = True
    fps = 25.0
    shows: dict[str, BgrImage | None]
    """The frame in each format; None for no frame."""
    made: list[FakeCapture]
    undecoded: list[bytes]
    """MJPG frames, one after another, the last one repeating; if empty, what `shows` has is encoded."""

    def __init__(self) -> None:
        self.code = 0
        self.asked: dict[int, float] = {}
        self.converts = True
        self.released = False
        self.made.append(self)

    def open(self, path: str, backend: int) -> bool:
        return self.opens

    def set(self, key: int, value: float) -> bool:
        self.asked[key] = value
        if key == cv2.CAP_PROP_FOURCC:
            self.code = int(value)
        if key == cv2.CAP_PROP_CONVERT_RGB:
            self.converts = bool(value)
        return True

    def get(self, key: int) -> float:
        return float(self.code) if key == cv2.CAP_PROP_FOURCC else self.fps

    @property
    def image(self) -> BgrImage | None:
        return self.shows.get(self.code.to_bytes(4, "little").decode())

    def grab(self) -> bool:
        return self.image is not None and not self.released

    def retrieve(self) -> tuple[bool, BgrImage | None]:
        if self.converts or self.image is None:
            return self.image is not None, self.image
        frames = self.undecoded or [encode(self.image)]
        return True, np.frombuffer(frames.pop(0) if len(frames) > 1 else frames[0], np.uint8)[None]

    def release(self) -> None:
        self.released = True


def opened(timing: CameraTiming = FAST, **capture: Any) -> closing[CameraSource]:
    return closing(CameraSource("0", CaptureSettings(**capture), timing))


def first_frame(timing: CameraTiming = PATIENT, **capture: Any) -> tuple[Frame, SourceInfo]:
    """Return the first frame of a camera that is opened for it, and what the camera says of itself."""
    with opened(timing, **capture) as source:
        frame = source.read()
        assert frame is not None
        return frame, source.info


def lost(read: Callable[[], object], reason: str, most: int = 50) -> None:
    """Read nothing until the camera is lost."""
    with pytest.raises(SourceLostError, match=reason):
        for _ in range(most):
            assert not read()
