"""Test frames for sinks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.core.types import AlphaImage, BgrImage, Outgoing, Picture, PictureKind
from app.output.base import FrameSink

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
