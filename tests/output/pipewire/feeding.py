"""A camera that is fed on a thread of its own, and readers of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from fractions import Fraction

import cv2
import numpy as np

from app.core.types import BgrImage, Outgoing
from app.output.pipewire import PipeWireCamera
from app.system.pipewire.stream import NodeReader
from app.system.pipewire.video_format import RawFrame
from tests.output.pictures import picture, sender
from tests.waiting import eventually

WIDTH, HEIGHT, FPS = 64, 48, 60.0


class Feeder:
    """Makes the pictures of a camera: `picture`, or while it `counts` grey ones, each of another level."""

    def __init__(self, camera: PipeWireCamera) -> None:
        self.camera = camera
        self.picture = picture(*camera.size)
        self.sent_at_s: dict[int, float] = {}
        """When the frame of each grey level was sent; filled while `counts`."""
        self.counts = False
        self.sent = 0
        """Frames sent while `counts`."""

    def __call__(self) -> Outgoing:
        if not self.counts:
            return self.picture
        self.sent += 1
        level = 20 + self.sent % 200
        self.sent_at_s[level] = time.monotonic()
        return picture(*self.camera.size, grey=level)


@contextmanager
def feeding(width: int = WIDTH, height: int = HEIGHT, fps: float = FPS) -> Iterator[Feeder]:
    """Feed a camera inside the context."""
    feeder = Feeder(PipeWireCamera(width, height, fps))
    with sender(feeder, feeder.camera, fps=fps):
        yield feeder


def reading(*, follows: bool = True, size: tuple[int, int] = (WIDTH, HEIGHT)) -> AbstractContextManager[NodeReader]:
    return closing(NodeReader("mattecam", size, Fraction(30), follows=follows))


def sends_to(feeder: Feeder, *readers: NodeReader, frames: int = 60, lost: int = 0) -> None:
    """Send more frames, and wait until each reader has them, but for a few that may be lost."""
    before = [reader.received for reader in readers]
    goal, feeder.counts = feeder.sent + frames, True
    eventually(lambda: feeder.sent >= goal)
    feeder.counts = False
    eventually(lambda: all(one.received - had >= frames - lost for one, had in zip(readers, before, strict=True)))


def next_frame(reader: NodeReader, timeout_s: float = 60.0) -> RawFrame:
    frame = reader.read(timeout_s)
    assert frame is not None, f"no frame within {timeout_s:g} s"
    return frame


def image_of(frame: RawFrame) -> BgrImage:
    """The picture that a reader shows: BT.601, limited range, as the node declares."""
    assert frame.video.layout == "YUY2"
    packed = np.frombuffer(frame.data, np.uint8).reshape(frame.video.height, frame.video.width, 2)
    return cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_YUY2).astype(np.uint8, copy=False)
