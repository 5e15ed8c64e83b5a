"""A camera whose frames carry their number and time."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import numpy as np
import pyvirtualcam

from tests.vm import marks

FPS = 30


def feed(device: str, tell: Callable[[str], None]) -> None:
    """Send 640x480 frames until SIGTERM; call `tell` once, after the first frame."""
    ended = False  # a plain flag: a handler that sets an Event deadlocks if it interrupts a wait for that Event

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, end)
    base = np.full((480, 640, 3), 96, np.uint8)
    with pyvirtualcam.Camera(640, 480, FPS, device=device, fmt=pyvirtualcam.PixelFormat.BGR) as camera:
        started_s, number = time.monotonic(), 0
        while not ended:
            time.sleep(max(0.0, started_s + number / FPS - time.monotonic()))
            image = base.copy()
            marks.draw(image, number)
            camera.send(image)
            number += 1
            if number == 1:
                tell("feeding")
