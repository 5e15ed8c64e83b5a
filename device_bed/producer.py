"""Send to a loopback camera: colour bars with the program's virtual camera, or frames with number
and time.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import pyvirtualcam

from app.core.types import Picture, PictureKind
from app.doctor.proof import colour_bars
from app.output.virtual_camera import VirtualCamera
from device_bed import marks

FPS = 30.0


def backend() -> str:
    """Return the output backend that is checked."""
    return os.environ.get("BACKEND", "pyvirtualcam")


def ticks() -> Iterator[int]:
    """Yield the number of each frame when it is due, until SIGTERM."""
    # a plain flag: a handler that sets an Event deadlocks if it interrupts a wait for that Event
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, end)
    started_s = time.monotonic()
    for number in itertools.count():
        time.sleep(max(0.0, started_s + number / FPS - time.monotonic()))
        if ended:
            return
        yield number


def send_bars(size: str, device: str, tell: Callable[[str], None]) -> None:
    """Send until SIGTERM; call `tell` once, after the first frame. SIGUSR1 switches to a wider,
    larger frame (1280x720 for 640x480) and back. Raises SinkError.
    """
    width, height = map(int, size.split("x"))
    larger = False

    def change_size(*_: object) -> None:
        nonlocal larger
        larger = not larger

    signal.signal(signal.SIGUSR1, change_size)
    small = Picture(colour_bars(width, height), PictureKind.STANDBY)
    large = Picture(colour_bars(width * 2, height * 3 // 2), PictureKind.STANDBY)
    camera = VirtualCamera(device, width, height, FPS, backend=backend())
    with closing(camera):
        for number in ticks():
            camera.send(large if larger else small)
            if number == 0:
                tell(f"sending {camera.size[0]}x{camera.size[1]} to {camera.name}")


def feed(device: str, tell: Callable[[str], None]) -> None:
    """Send 640x480 frames until SIGTERM; call `tell` once, after the first frame."""
    base = np.full((480, 640, 3), 96, np.uint8)
    with pyvirtualcam.Camera(
        640, 480, FPS, device=device, fmt=pyvirtualcam.PixelFormat.BGR
    ) as camera:
        for number in ticks():
            image = base.copy()
            marks.draw(image, number)
            camera.send(image)
            if number == 0:
                tell("feeding")
