"""A PipeWire camera whose frames are bars with their time drawn into them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.output.pipewire import PipeWireCamera
from tests.output.pictures import FPS, marked_bars, sender

WIDTH, HEIGHT = 640, 480


@contextmanager
def marked_camera() -> Iterator[PipeWireCamera]:
    """Feed a camera inside the context."""
    camera = PipeWireCamera(WIDTH, HEIGHT, FPS)
    with sender(marked_bars(WIDTH, HEIGHT), camera):
        yield camera
