"""Zones: parts of the camera's frame in which nothing is ever shown."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.declaration import Fraction, Hides, Model, look
from app.core.edits import MatteEdit
from app.core.geometry import cutout
from app.core.settings import FramingSettings
from app.core.types import Floats
from app.effects.base import Effect, FrameContext, SeenFrame

MAX_ZONES = 200


class Zone(Model):
    """A part of the camera's frame that is always hidden; not cropped by the framing."""

    kind: Literal["drop"] = "drop"
    points: Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=1, max_length=1000)]
    """A brush stroke or an outline: (x, y) in fractions of the frame's width and height.

    The frame is that of the camera before `CaptureSettings.orientation` turns it: what a zone hides stays hidden.
    """
    radius: Annotated[float, Field(ge=0, le=0.5)] = 0.03
    """Of the brush, as a fraction of the frame's height."""
    filled: bool = False
    """Whether the points are an outline that is filled."""
    camera: str = ""
    """Stable id of the camera that it was painted for; empty: any camera."""


class ZonesFile(Model):
    """A file of zones."""

    zones: tuple[Zone, ...] = Field(max_length=MAX_ZONES)


class ZoneSettings(Model):
    """What is always hidden."""

    zones: tuple[Zone, ...] = look(
        (),
        "JSON file of zones of the frame that are always hidden.",
        option="--zones",
        values="FILE",
        hides=Hides("hidden", lambda zones, others: not set(others) <= set(zones)),
        file=ZonesFile,
        is_merged=True,
        max_length=MAX_ZONES,
    )

    def zones_of(self, camera: str) -> tuple[Zone, ...]:
        """Return the zones of a camera, given by its stable id, and those of cameras that may be the same one.

        An id gets a port (`#usb-2`) only while two cameras share it, so that without it nobody can tell them apart.
        """
        shared = _without_port(camera)

        def may_be_of(zone: Zone) -> bool:
            return _without_port(zone.camera) == shared or camera.endswith(f"#{zone.camera}")

        return tuple(zone for zone in self.zones if zone.camera in ("", camera) or may_be_of(zone))

    def with_zone(self, zone: Zone) -> ZoneSettings:
        """Return these settings with one more zone; unchanged where there are `MAX_ZONES`, so that none is shown."""
        return self.replace(zones=(*self.zones, zone)) if len(self.zones) < MAX_ZONES else self


def _without_port(camera: str) -> str:
    return re.sub(r"#(\d+|(pci|platform|usb)-[\w.:-]+)$", "", camera)


CANVAS_HEIGHT = 540
"""Zones are drawn at this height, then cropped and scaled to the matte."""
SOFT = 0.02
"""Width of the soft edge relative to the height of the matte."""
_SHIFT = 4
"""Fractional bits of OpenCV's coordinates."""


def zone_gain(zones: NDArray[np.uint8], framing: FramingSettings, size: tuple[int, int], grow: float = 0.0) -> Floats:
    """Return the factor of alpha for a matte of `size` (rows, columns): 0 inside the zones, soft outside.

    zones: of `draw_zones`. framing: the manual crop that the matte shows. grow: by how much of its height the edge
    controls then widen it.
    """
    rows, columns = size
    left, top, width, height = cutout(framing, zones.shape[1], zones.shape[0])
    part = zones[top : top + height, left : left + width].astype(np.float32)
    shrinks = rows <= height and columns <= width
    flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    touched = np.asarray(cv2.resize(part, (columns, rows), interpolation=flags)) > 0  # what touches a cell hides it
    radius = max(1, round(SOFT * rows))
    # One cell more than the blur and the edge controls reach: upsampling interpolates.
    square = np.ones((2 * (radius + 1 + math.ceil(grow * rows)) + 1,) * 2, np.uint8)
    hard = cv2.dilate(touched.astype(np.float32), square)
    soft = cv2.blur(hard, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REPLICATE)
    hidden = np.asarray(soft, np.float32)
    # Box sums of OpenCV carry rounding errors, which must not show a hidden pixel.
    hidden[hidden < 1e-4] = 0
    hidden[hidden > 1 - 1e-4] = 1
    return 1 - hidden


def draw_zones(zones: Sequence[Zone], aspect: float) -> NDArray[np.uint8]:
    """Draw zones over the whole frame of the camera; return (`CANVAS_HEIGHT`, W), 255 inside.

    aspect: width of the camera's frame divided by its height.
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


class Zones(Effect[ZoneSettings]):
    """Hides what the user has painted over."""

    section = "people"
    part = ZoneSettings

    def __init__(self) -> None:
        self._zones: tuple[Zone, ...] = ()
        """Those of the camera."""
        self._drawn: tuple[object, NDArray[np.uint8]] | None = None
        self._gain: tuple[object, Floats] | None = None
        """The zones, drawn and as a factor of alpha, and what each depends on."""

    def begin_frame(self, frame: FrameContext, last: FrameContext | None) -> bool:
        own = self.own(frame)
        if last is None or own is not self.own(last) or frame.camera != last.camera:
            self._zones = own.zones_of(frame.camera)
        return bool(self._zones)

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        orientation, aspect = frame.orientation, frame.aspect
        drawn_of = self._zones, aspect, orientation
        if self._drawn is None or self._drawn[0] != drawn_of:
            drawn = draw_zones(self._zones, 1 / aspect if orientation.is_sideways else aspect)
            self._drawn, self._gain = (drawn_of, orientation.upright(drawn)), None
        grow = max(0, frame.settings.matting.edges.grow_px) / frame.size[1]
        depends_on = frame.settings.framing, seen.alpha.shape, grow
        if self._gain is None or self._gain[0] != depends_on:
            rows, columns = seen.alpha.shape
            self._gain = depends_on, zone_gain(self._drawn[1], frame.settings.framing, (rows, columns), grow)
        return MatteEdit(self._gain[1])
