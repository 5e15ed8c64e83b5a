"""Test frames for sinks."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.core.types import AlphaImage, Outgoing, Picture, PictureKind
from app.doctor.proof import colour_bars
from app.output.base import FrameSink
from device_bed import marks

Make = Callable[[Path], FrameSink]
FPS = 30.0


def picture(
    width: int = 64, height: int = 48, grey: int | None = None, alpha: AlphaImage | None = None
) -> Outgoing:
    """Bars, or all of one grey."""
    image = (
        colour_bars(width, height) if grey is None else np.full((height, width, 3), grey, np.uint8)
    )
    return Outgoing(Picture(image, PictureKind.COMPOSITE, alpha=alpha))


@contextmanager
def sender(
    pictures: Outgoing | Callable[[], Outgoing], *cameras: FrameSink, fps: float = FPS
) -> Iterator[None]:
    """Send to all cameras inside the context; close them at its end.

    pictures: one, or what makes the next.
    The first frame is sent when the context begins.
    """
    stop = threading.Event()

    def send() -> None:
        one = pictures() if callable(pictures) else pictures
        for camera in cameras:
            camera.send(one)

    def keep_sending() -> None:
        began_s = time.monotonic()
        sent = 1
        while not stop.wait(max(0.0, began_s + sent / fps - time.monotonic())):
            send()
            sent += 1

    send()
    thread = threading.Thread(target=keep_sending)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for camera in cameras:
            camera.close()


def marked_bars(width: int, height: int) -> Callable[[], Outgoing]:
    """Return what makes bars with the next number and the time drawn into them.

    width: at least 600 pixels.
    """
    numbers = itertools.count(1)

    def one() -> Outgoing:
        image = colour_bars(width, height)
        marks.draw(image, next(numbers))
        return Outgoing(Picture(image, PictureKind.COMPOSITE))

    return one
