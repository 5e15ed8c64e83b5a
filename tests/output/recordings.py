"""Composites for recordings, the clock that times them, and what a finished file holds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import av
import numpy as np
from av.error import InvalidDataError

from app.core.types import BgrImage, Frame, Outgoing, Picture, PictureKind


def read(path: Path) -> tuple[list[BgrImage], list[float]]:
    """Return the frames and their times in seconds, up to where the file breaks off."""
    images: list[BgrImage] = []
    times = []
    with av.open(str(path)) as container, suppress(InvalidDataError):
        for frame in container.decode(video=0):
            images.append(frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False))
            times.append(float(frame.time or 0))
    return images, times


def composite(captured_at_s: float, number: int = 0) -> Outgoing:
    """Return a composite whose frame was captured at this time."""
    image = np.full((48, 64, 3), 20 * number % 256, np.uint8)
    return Outgoing(Picture(image, PictureKind.COMPOSITE, frame=Frame(image, number, captured_at_s)))
