"""A camera whose frames are bars with their time drawn into them, and the age of frames in a web page."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.core.types import Outgoing, Picture, PictureKind
from app.output.pipewire.sink import PipeWireCamera
from tests.output.pictures import bars
from tests.vm import marks

WIDTH, HEIGHT, FPS = 640, 480, 30


@contextmanager
def sending() -> Iterator[PipeWireCamera]:
    """Send frames from a thread of its own, as the program does."""
    camera, stop = PipeWireCamera(WIDTH, HEIGHT, FPS), threading.Event()

    def send() -> None:
        number = 0
        while not stop.wait(1 / FPS):
            image = bars(WIDTH, HEIGHT)
            marks.draw(image, number := number + 1)
            camera.send(Outgoing(Picture(image, PictureKind.COMPOSITE)))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield camera
    finally:
        stop.set()
        thread.join()
        camera.close()


def ages_of(report: dict[str, Any]) -> list[float]:
    """Return the ages in milliseconds of the frames that `page.html` has seen."""
    ahead_us = marks.now_us() - time.time_ns() // 1000
    found = (marks.decode(bits, round(seen_ms * 1000) + ahead_us) for bits, seen_ms in report["marks"])
    return [mark[1] for mark in found if mark is not None]
