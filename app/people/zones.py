"""Keep and drop zones as planes at the size of the network's input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.framing import cutout
from app.core.settings import FramingSettings, Zone
from app.core.shaping import Plane

CANVAS_HEIGHT = 540
"""Zones are drawn at this height, then cropped and scaled to the matte."""
SOFT = 0.02
"""Width of the soft edge relative to the height of the matte."""
_SHIFT = 4
"""Fractional bits of OpenCV's coordinates."""


class ZonePlanes(NamedTuple):
    """What zones do to alpha: alpha * gain + keep."""

    gain: Plane
    keep: Plane | None
    """None if there is no keep zone."""


def zone_planes(zones: Sequence[Zone], framing: FramingSettings, aspect: float, size: tuple[int, int]) -> ZonePlanes:
    """Return the planes of a matte of `size` (rows, columns).

    framing: the manual crop that the matte shows. aspect: width of the camera's frame divided by its height. A drop
    zone is empty everywhere inside its border and soft outside; a keep zone shows nothing outside its border and is
    soft inside. Where both lie, the drop zone wins.
    """
    radius = max(1, round(SOFT * size[0]))
    drop = _plane([zone for zone in zones if zone.kind == "drop"], framing, aspect, size)
    kept = _plane([zone for zone in zones if zone.kind == "keep"], framing, aspect, size)
    square = np.ones((2 * radius + 3,) * 2, np.uint8)  # one cell more than the blur reaches: upsampling interpolates
    # What touches a cell counts for a drop zone; a keep zone needs the whole cell.
    hidden = _blurred(np.asarray(cv2.dilate((drop > 0).astype(np.float32), square), np.float32), radius)
    gain = 1 - hidden
    if not kept.any():
        return ZonePlanes(gain, None)
    whole = (kept > 0.999).astype(np.float32)
    shown = _blurred(np.asarray(cv2.erode(whole, square, borderValue=1), np.float32), radius) * gain
    return ZonePlanes(np.minimum(gain, 1 - shown), shown)


def _plane(zones: Sequence[Zone], framing: FramingSettings, aspect: float, size: tuple[int, int]) -> Plane:
    """Return the share of each cell that the zones cover, 0..1."""
    if not zones:
        return np.zeros(size, np.float32)
    canvas = np.zeros((CANVAS_HEIGHT, max(1, round(CANVAS_HEIGHT * aspect))), np.uint8)
    for zone in zones:
        _draw(canvas, zone)
    left, top, width, height = cutout(framing, canvas.shape[1], canvas.shape[0])
    part = canvas[top : top + height, left : left + width].astype(np.float32) / 255
    rows, columns = size
    shrinks = rows <= height and columns <= width
    flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (columns, rows), interpolation=flags), np.float32)


def _draw(canvas: NDArray[np.uint8], zone: Zone) -> None:
    height, width = canvas.shape
    scale = 1 << _SHIFT
    points = np.round(np.array(zone.points) * (width * scale, height * scale)).astype(np.int32)
    radius = round(zone.radius * height)
    if zone.filled and len(points) > 2:
        cv2.fillPoly(canvas, [points], 255, shift=_SHIFT)
    if radius < 1:
        return
    for x, y in points:
        cv2.circle(canvas, (int(x), int(y)), radius * scale, 255, -1, shift=_SHIFT)
    cv2.polylines(canvas, [points], zone.filled, 255, max(1, 2 * radius), shift=_SHIFT)


def _blurred(plane: Plane, radius: int) -> Plane:
    """Return means over squares; a value that is constant within the radius stays exactly."""
    side = 2 * radius + 1
    blurred = np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)
    # Box sums of OpenCV carry rounding errors, which must not show a dropped pixel.
    blurred[blurred < 1e-4] = 0
    blurred[blurred > 1 - 1e-4] = 1
    return blurred
