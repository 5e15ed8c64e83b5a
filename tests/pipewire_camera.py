"""A camera of another program in PipeWire, which sends bars."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction

import cv2
import numpy as np

from app.doctor.proof import colour_bars
from app.output.pipewire import PipeWireNode
from app.system.pipewire.connection import OWN_NODE, Connection, list_cameras
from app.system.pipewire.video_format import Layout, VideoFormat
from tests.waiting import eventually

LAYOUTS: tuple[Layout, ...] = (
    *("YUY2", "UYVY", "I420", "NV12", "BGRx", "BGRA", "RGBx", "RGBA", "RGB", "BGR"),
    "MJPG",
)


def packed(layout: Layout, width: int = 64, height: int = 48) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Bars as a camera sends them."""
    image = colour_bars(width, height)
    if layout == "NV12":
        planar = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
        u, v = planar[height:].reshape(2, -1)
        return np.concatenate([planar[:height].ravel(), np.stack([u, v], 1).ravel()])
    if layout == "MJPG":
        return np.asarray(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1], np.uint8)
    codes = {"YUY2": cv2.COLOR_BGR2YUV_YUY2, "I420": cv2.COLOR_BGR2YUV_I420, "RGB": cv2.COLOR_BGR2RGB}
    codes |= {"UYVY": cv2.COLOR_BGR2YUV_UYVY, **dict.fromkeys(("BGRx", "BGRA"), cv2.COLOR_BGR2BGRA)}
    codes |= dict.fromkeys(("RGBx", "RGBA"), cv2.COLOR_BGR2RGBA)
    return image if layout == "BGR" else np.asarray(cv2.cvtColor(image, codes[layout]), np.uint8)


@contextmanager
def camera(name: str, layout: Layout = "YUY2", title: str = "") -> Iterator[Callable[[], None]]:
    """Another camera of PipeWire, which sends bars; gives a function that removes it."""
    stop = threading.Event()
    node = PipeWireNode(VideoFormat(layout, 64, 48, Fraction(30)), name=name, title=title or name)
    frame = packed(layout)

    eventually(lambda: name == OWN_NODE or is_listed(name))

    def send() -> None:
        while not stop.wait(1 / 60):
            node.send(frame)

    def remove() -> None:
        stop.set()
        thread.join()
        node.close()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield remove
    finally:
        remove()


def is_listed(name: str) -> bool:
    connection = Connection()
    try:
        return name in [one.name for one in list_cameras(connection)]
    finally:
        connection.close()
