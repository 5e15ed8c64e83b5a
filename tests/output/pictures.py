"""Test frames for sinks."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.core.types import AlphaImage, BgrImage, Outgoing, Picture, PictureKind
from app.output.base import FrameSink
from tests.vm import marks

BARS = (
    (235, 235, 235),
    (16, 235, 235),
    (235, 235, 16),
    (16, 235, 16),
    (235, 16, 235),
    (16, 16, 235),
    (235, 16, 16),
    (16, 16, 16),
)
"""Blue, green, red of each bar, from the left."""


def bars(width: int, height: int) -> BgrImage:
    """Eight upright bars."""
    image = np.empty((height, width, 3), np.uint8)
    for number, colour in enumerate(BARS):
        image[:, number * width // 8 : (number + 1) * width // 8] = colour
    return image


def picture(width: int = 64, height: int = 48, grey: int | None = None, alpha: AlphaImage | None = None) -> Outgoing:
    """Bars, or all of one grey."""
    image = bars(width, height) if grey is None else np.full((height, width, 3), grey, np.uint8)
    return Outgoing(Picture(image, PictureKind.COMPOSITE, alpha=alpha))


def bar_error(image: BgrImage) -> float:
    """The largest difference between the mean of a bar's inner half and its colour, 0..255."""
    height, width = image.shape[:2]
    worst = 0.0
    for number, colour in enumerate(BARS):
        left, right = number * width // 8, (number + 1) * width // 8
        margin = (right - left) // 4
        inner = image[height // 4 : height * 3 // 4, left + margin : right - margin].reshape(-1, 3)
        worst = max(worst, float(np.abs(inner.mean(0) - colour).max()))
    return worst


Make = Callable[[Path], FrameSink]


FPS = 30.0


@contextmanager
def sender(pictures: Outgoing | Callable[[], Outgoing], *cameras: FrameSink) -> Iterator[None]:
    """Send to all cameras inside the context, at `FPS`; close them at its end. pictures: one, or what makes the next.

    The first frame is sent when the context begins.
    """
    stop = threading.Event()

    def send() -> None:
        one = pictures() if callable(pictures) else pictures
        for camera in cameras:
            camera.send(one)

    def keep_sending() -> None:
        began_s, sent = time.monotonic(), 1
        while not stop.wait(max(0.0, began_s + sent / FPS - time.monotonic())):
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
    """Return what makes bars with the next number and the time drawn into them. width: at least 600 pixels."""
    numbers = itertools.count(1)

    def one() -> Outgoing:
        image = bars(width, height)
        marks.draw(image, next(numbers))
        return Outgoing(Picture(image, PictureKind.COMPOSITE))

    return one
