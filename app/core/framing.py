"""Digital zoom and pan: which part of a picture is used, and how dragging and zooming change that."""

from __future__ import annotations

import cv2
import numpy as np

from app.core.settings import MAX_ZOOM, FramingSettings
from app.core.types import BgrImage

WHOLE = FramingSettings()


def cutout(framing: FramingSettings, width: int, height: int) -> tuple[int, int, int, int]:
    """(left, top, width, height) of the part of a picture that is used: inside it, and of its shape."""
    part_width, part_height = max(1, round(width / framing.zoom)), max(1, round(height / framing.zoom))
    left = round((width - part_width) * (framing.pan_x + 1) / 2)
    top = round((height - part_height) * (framing.pan_y + 1) / 2)
    return left, top, part_width, part_height


def framed(image: BgrImage, framing: FramingSettings) -> BgrImage:
    """The part that is used, enlarged to the size of the whole; the image itself where that is all of it."""
    height, width = image.shape[:2]
    left, top, part_width, part_height = cutout(framing, width, height)
    if (part_width, part_height) == (width, height):
        return image
    part = image[top : top + part_height, left : left + part_width]
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def dragged(framing: FramingSettings, right: float, down: float) -> FramingSettings:
    """After the picture seen was pulled so far, in parts of its width and height."""
    return _look_at(framing, framing.zoom, _edge(framing.pan_x, framing.zoom) - right / framing.zoom,
                    _edge(framing.pan_y, framing.zoom) - down / framing.zoom)  # fmt: skip


def zoomed(framing: FramingSettings, factor: float, x: float = 0.5, y: float = 0.5) -> FramingSettings:
    """Zoomed by `factor`; what is seen at (x, y), in parts of width and height, stays there as far as it can."""
    zoom = min(MAX_ZOOM, max(1.0, framing.zoom * factor))
    shrunk = 1 / framing.zoom - 1 / zoom
    return _look_at(
        framing,
        zoom,
        _edge(framing.pan_x, framing.zoom) + x * shrunk,
        _edge(framing.pan_y, framing.zoom) + y * shrunk,
    )


def _edge(pan: float, zoom: float) -> float:
    """Where the part begins, in parts of the whole."""
    return (1 - 1 / zoom) * (pan + 1) / 2


def _look_at(framing: FramingSettings, zoom: float, left: float, top: float) -> FramingSettings:
    room = 1 - 1 / zoom
    if room <= 0:
        return framing.replace(zoom=zoom)
    pans = [min(1.0, max(-1.0, 2 * edge / room - 1)) for edge in (left, top)]
    return framing.replace(zoom=zoom, pan_x=pans[0], pan_y=pans[1])
