"""Keep and drop zones as planes at the size of the network's input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.framing import cutout
from app.core.matte_edit import Plane
from app.core.settings import FramingSettings, Zone

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


class DrawnZones(NamedTuple):
    """Zones drawn over the whole frame of the camera: (`CANVAS_HEIGHT`, W) uint8, 255 inside."""

    drop: NDArray[np.uint8]
    keep: NDArray[np.uint8]


def draw_zones(zones: Sequence[Zone], aspect: float) -> DrawnZones:
    """Draw zones. aspect: width of the camera's frame divided by its height."""
    return DrawnZones(
        _drawn([zone for zone in zones if zone.kind == "drop"], aspect),
        _drawn([zone for zone in zones if zone.kind == "keep"], aspect),
    )


def zone_planes(zones: DrawnZones, framing: FramingSettings, size: tuple[int, int]) -> ZonePlanes:
    """Return the planes of a matte of `size` (rows, columns).

    framing: the manual crop that the matte shows. A drop zone is empty everywhere inside its border and soft outside; a
    keep zone shows nothing outside its border and is soft inside. Where both lie, the drop zone wins.
    """
    radius = max(1, round(SOFT * size[0]))
    drop, kept = (_plane(canvas, framing, size) for canvas in zones)
    square = np.ones((2 * radius + 3,) * 2, np.uint8)  # one cell more than the blur reaches: upsampling interpolates
    # What touches a cell counts for a drop zone; a keep zone needs the whole cell.
    hidden = _blurred(np.asarray(cv2.dilate((drop > 0).astype(np.float32), square), np.float32), radius)
    gain = 1 - hidden
    if not kept.any():
        return ZonePlanes(gain, None)
    whole = (kept > 0.999).astype(np.float32)
    shown = _blurred(np.asarray(cv2.erode(whole, square, borderValue=1), np.float32), radius) * gain
    return ZonePlanes(np.minimum(gain, 1 - shown), shown)


def _plane(canvas: NDArray[np.uint8], framing: FramingSettings, size: tuple[int, int]) -> Plane:
    """Return the share of each cell that the zones cover, 0..1."""
    left, top, width, height = cutout(framing, canvas.shape[1], canvas.shape[0])
    part = canvas[top : top + height, left : left + width].astype(np.float32) / 255
    rows, columns = size
    shrinks = rows <= height and columns <= width
    flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (columns, rows), interpolation=flags), np.float32)


def _drawn(zones: Sequence[Zone], aspect: float) -> NDArray[np.uint8]:
    """Draw zones of one kind.

    The lines of all brushes of one size are drawn thinly and widened at once by their distance: drawing 200,000 wide
    ones takes seconds.
    """
    size = CANVAS_HEIGHT, max(1, round(CANVAS_HEIGHT * aspect))
    canvas = np.zeros(size, np.uint8)
    lines_of: dict[int, NDArray[np.uint8]] = {}
    scale = np.array((size[1], size[0])) * (1 << _SHIFT)
    for zone in zones:
        points = np.round(np.array(zone.points) * scale).astype(np.int32)
        radius = round(zone.radius * size[0])
        if zone.filled and len(points) > 2:
            cv2.fillPoly(canvas, [points], 255, shift=_SHIFT)
        if radius >= 1:
            lines = lines_of.setdefault(radius, np.full(size, 255, np.uint8))
            ends = points if len(points) > 1 else points.repeat(2, axis=0)  # a single point is a line as well
            cv2.polylines(lines, [ends], zone.filled, 0, shift=_SHIFT)
    for radius, lines in lines_of.items():
        canvas[cv2.distanceTransform(lines, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius + 0.5] = 255
    return canvas


def _blurred(plane: Plane, radius: int) -> Plane:
    """Return means over squares; a value that is constant within the radius stays exactly."""
    side = 2 * radius + 1
    blurred = np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)
    # Box sums of OpenCV carry rounding errors, which must not show a dropped pixel.
    blurred[blurred < 1e-4] = 0
    blurred[blurred > 1 - 1e-4] = 1
    return blurred
