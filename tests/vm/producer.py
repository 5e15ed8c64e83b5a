"""Send colour bars with the program's virtual camera."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from app.core.types import Picture, PictureKind
from app.doctor.proof import colour_bars
from app.output.virtual_camera import VirtualCamera

FPS = 30.0


def backend() -> str:
    """Return the output backend that is checked."""
    return os.environ.get("BACKEND", "pyvirtualcam")


def send_bars(size: str, device: str, tell: Callable[[str], None]) -> None:
    """Send until SIGTERM; call `tell` once, after the first frame. SIGUSR1 switches to a wider, larger frame
    (1280x720 for 640x480) and back. Raises SinkError.
    """
    width, height = map(int, size.split("x"))
    # plain flags: a handler that sets an Event deadlocks if it interrupts a wait for the same Event
    ended = larger = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    def change_size(*_: object) -> None:
        nonlocal larger
        larger = not larger

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGUSR1, change_size)
    small = Picture(colour_bars(width, height), PictureKind.STANDBY)
    large = Picture(colour_bars(width * 2, height * 3 // 2), PictureKind.STANDBY)
    camera = VirtualCamera(device, width, height, FPS, backend=backend())
    try:
        started_s, sent = time.monotonic(), 0
        while not ended:
            time.sleep(max(0.0, started_s + sent / FPS - time.monotonic()))
            camera.send(large if larger else small)
            sent += 1
            if sent == 1:
                tell(f"sending {camera.size[0]}x{camera.size[1]} to {camera.name}")
    finally:
        camera.close()
