"""Sends colour bars through the program's own virtual camera."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

from app.doctor.proof import colour_bars
from app.output.virtual_camera import VirtualCamera
from app.types import Picture, PictureKind

FPS = 30.0


def send_bars(size: str, device: str, tell: Callable[[str], None]) -> None:
    """Send until SIGTERM; `tell` is called once, after the first picture. SIGUSR1 switches to a wider, larger picture
    (1280x720 for 640x480) and back. Raises SinkError."""
    width, height = map(int, size.split("x"))
    end, other = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    signal.signal(signal.SIGUSR1, lambda *_: other.clear() if other.is_set() else other.set())
    small = Picture(colour_bars(width, height), PictureKind.STANDBY)
    large = Picture(colour_bars(width * 2, height * 3 // 2), PictureKind.STANDBY)
    camera = VirtualCamera(device, width, height, FPS)
    try:
        started_s, sent = time.monotonic(), 0
        while not end.wait(max(0.0, started_s + sent / FPS - time.monotonic())):
            camera.send(large if other.is_set() else small)
            sent += 1
            if sent == 1:
                tell(f"sending {camera.size[0]}x{camera.size[1]} to {camera.name}")
    finally:
        camera.close()
