"""A camera whose frames carry their number and time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyvirtualcam

from device_bed import marks, producer


def feed(device: str, tell: Callable[[str], None]) -> None:
    """Send 640x480 frames until SIGTERM; call `tell` once, after the first frame."""
    base = np.full((480, 640, 3), 96, np.uint8)
    with pyvirtualcam.Camera(640, 480, producer.FPS, device=device, fmt=pyvirtualcam.PixelFormat.BGR) as camera:
        for number in producer.ticks():
            image = base.copy()
            marks.draw(image, number)
            camera.send(image)
            if number == 0:
                tell("feeding")
