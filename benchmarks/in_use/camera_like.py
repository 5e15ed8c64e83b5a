"""Stand-ins for the devices of a machine without any: a source like a camera, and a virtual camera."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from threading import Event

import cv2
import numpy as np
from numpy.typing import NDArray

from app.capture.base import FrameSource
from app.capture.delivered import FrameShaper, is_blank
from app.capture.demo import DemoSource
from app.core.settings import CaptureSettings
from app.core.types import Frame, Outgoing, Picture, SourceInfo
from app.media.jpeg import MjpgDecoder
from app.output.base import FrameSink, Packer, sendable

Jpeg = NDArray[np.uint8]
QUALITY = 90


def camera_frames(
    width: int, height: int, fps: float, count: int, motion: float = 1.0
) -> list[Jpeg]:
    """Return JPEG frames of the demo scene in 4:2:2, as a camera sends them. motion: see
    `DemoSource`.
    """
    source = DemoSource(width, height, fps, realtime=False, motion=motion)
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x211111]
    try:
        frames = [source.read() for _ in range(count)]
        return [
            np.asarray(cv2.imencode(".jpg", frame.image, options)[1], np.uint8)
            for frame in frames
            if frame
        ]
    finally:
        source.close()


class CameraLikeSource(FrameSource):
    """Delivers JPEG frames back and forth at a constant rate, decoded and checked as those of a
    camera.
    """

    is_live = True

    def __init__(
        self,
        frames: Sequence[Jpeg],
        width: int,
        height: int,
        fps: float,
        now: Callable[[], float] = time.perf_counter,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """now, wait: the clock, and what waits for so many seconds of it; other ones in tests."""
        self._frames = frames
        self.info = SourceInfo("camera", "benchmark", "benchmark", width, height, fps, "MJPG")
        """Size and frame rate."""
        self._decoder = MjpgDecoder()
        self._shaper = FrameShaper(CaptureSettings(width=width, height=height))
        self._now, self._started_s = now, now()
        self._count = 0
        self._closed = Event()
        self._wait_for = wait or self._closed.wait
        self.missed = 0
        """Frames that were due while an earlier one was still being decoded."""

    def read(self) -> Frame | None:
        """Wait for the next frame and decode it; overdue frames are dropped."""
        self._wait()
        grabbed_s = self._now()
        turn = self._count % (2 * len(self._frames))
        image = self._decoder.decode(self._frames[min(turn, 2 * len(self._frames) - 1 - turn)])
        if image is None or is_blank(image):
            return None
        return Frame(self._shaper.shape(image), self._count, grabbed_s)

    def skip(self) -> bool:
        """Wait for the next frame."""
        self._wait()
        return True

    def _wait(self) -> None:
        interval_s = 1 / self.info.fps
        overdue = int((self._now() - self._started_s) / interval_s)
        self.missed += max(0, overdue - self._count - 1)
        self._count = max(self._count + 1, overdue)
        self._wait_for(max(0.0, self._started_s + self._count * interval_s - self._now()))

    def close(self) -> None:
        """End a wait for the next frame. Idempotent."""
        self._closed.set()


class StandInCamera(FrameSink):
    """Converts frames as a virtual camera does and writes them to memory in place of a device."""

    def __init__(self, width: int, height: int) -> None:
        self.name = self.device = "stand-in"
        self._packer = Packer(sendable(width, height))
        self._file = (
            os.memfd_create("camera")
            if hasattr(os, "memfd_create")
            else os.open(os.devnull, os.O_WRONLY)
        )

    def send(self, picture: Outgoing) -> None:
        """Convert a new frame, and write it or the last one."""
        packed = self._packer.pack(picture, "YUYV")
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, packed.data)

    def close(self) -> None:
        """Release the memory."""
        os.close(self._file)


class MeasuredCamera(FrameSink):
    """Passes frames on to a sink and notes when each composite had been sent, and its age then."""

    def __init__(self, camera: FrameSink | None) -> None:
        """camera: None notes frames that go nowhere."""
        self.name = "none" if camera is None else camera.name
        self.device = "none" if camera is None else camera.device
        self._camera = camera
        self._last: Picture | None = None
        self.sent: list[tuple[float, float]] = []
        """(time.perf_counter() after the write, age of the frame in seconds) of each new composite.
        """

    def send(self, picture: Outgoing) -> None:
        """Send a frame."""
        if self._camera is not None:
            self._camera.send(picture)
        if picture is not self._last and picture.frame is not None:
            now_s = time.perf_counter()
            self.sent.append((now_s, now_s - picture.frame.captured_at_s))
        self._last = picture

    def close(self) -> None:
        """Release the device."""
        if self._camera is not None:
            self._camera.close()
