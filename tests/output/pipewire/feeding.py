"""A camera that is fed on a thread of its own, and readers of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from app.core.types import BgrImage, Outgoing
from app.output.pipewire import PipeWireCamera
from app.system.pipewire.stream import NodeReader
from app.system.pipewire.video_format import RawFrame
from tests.output.pictures import picture, sender

WIDTH = 64
HEIGHT = 48


@dataclass
class Feeder:
    """A camera, the picture that it is sent again and again, and how often it was."""

    camera: PipeWireCamera
    picture: Outgoing
    sent: int = 0

    def __call__(self) -> Outgoing:
        self.sent += 1
        return self.picture

    def readers(self) -> int:
        return self.camera.readers

    def size(self) -> tuple[int, int]:
        return self.camera.size

    def has_sent(self, more_than: int) -> bool:
        return self.sent > more_than


@contextmanager
def feeding(width: int = WIDTH, height: int = HEIGHT, fps: float = 60) -> Iterator[Feeder]:
    """Feed a camera inside the context."""
    feeder = Feeder(PipeWireCamera(width, height, fps), picture(width, height))
    with sender(feeder, feeder.camera, fps=fps):
        yield feeder


def reading(size: tuple[int, int] = (WIDTH, HEIGHT)) -> AbstractContextManager[NodeReader]:
    return closing(NodeReader("mattecam", size, Fraction(30), follows=True))


def next_frame(reader: NodeReader) -> RawFrame:
    frame = reader.read(60)
    assert frame is not None, "no frame within a minute"
    return frame


def image_of(frame: RawFrame) -> BgrImage:
    """The picture that a reader shows: BT.601, limited range, as the node declares."""
    assert frame.video.layout == "YUY2"
    packed = np.frombuffer(frame.data, np.uint8).reshape(frame.video.height, frame.video.width, 2)
    return cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_YUY2).astype(np.uint8, copy=False)
