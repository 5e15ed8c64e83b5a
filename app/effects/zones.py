"""Zones: parts of the camera's frame in which nothing is ever shown."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.declaration import Fraction, Hides, Model, look
from app.core.geometry import cutout
from app.core.settings import FramingSettings
from app.core.types import Floats, MatteEdit, Orientation
from app.effects.base import Effect, FrameContext, SeenFrame

MAX_ZONES = 200


class Zone(Model):
    """A part of the camera's frame that is always hidden; not cropped by the framing."""

    kind: Literal["drop"] = "drop"
    # Of the camera's frame before `CaptureSettings.orientation`
    # turns it: what a zone hides stays hidden.
    points: Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=1, max_length=1000)]
    """A brush stroke or an outline: (x, y) in fractions of the frame's width and height."""
    radius: Annotated[float, Field(ge=0, le=0.5)] = 0.03
    """Of the brush, as a fraction of the frame's height."""
    # Whether the points are an outline that is filled.
    filled: bool = False
    # Stable id of the camera that it was painted for; empty: any camera.
    camera: str = ""


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
        """Return the zones of a camera and of those that may be the same one.

        camera: its stable id. An id gets a port (`#usb-2`) only while two cameras share it, so that
        without it nobody can tell them apart.
        """
        shared = _without_port(camera)

        def may_be_of(zone: Zone) -> bool:
            return _without_port(zone.camera) == shared or camera.endswith(f"#{zone.camera}")

        return tuple(zone for zone in self.zones if zone.camera in ("", camera) or may_be_of(zone))

    def with_zone(self, zone: Zone) -> ZoneSettings:
        """Return these settings with one more zone; unchanged where there are `MAX_ZONES`."""
        # An old zone that made room for the new one would show what it hides.
        if len(self.zones) >= MAX_ZONES:
            return self
        return self.replace(zones=(*self.zones, zone))


def _without_port(camera: str) -> str:
    return re.sub(r"#(\d+|(pci|platform|usb)-[\w.:-]+)$", "", camera)


# Zones are drawn at this height, then cropped and scaled to the matte.
CANVAS_HEIGHT = 540
# Width of the soft edge relative to the height of the matte.
SOFT = 0.02
# Fractional bits of OpenCV's coordinates.
_SHIFT = 4


def zone_gain(
    zones: NDArray[np.uint8],
    framing: FramingSettings,
    size: tuple[int, int],
    grow: float = 0.0,
) -> Floats:
    """Return the factor of alpha, (h, w): 0 inside the zones, soft outside.

    zones: of `draw_zones`. framing: the manual crop that the matte shows. size: (rows, columns) of
    the matte. grow: by how much of its height the edge controls then widen it.
    """
    rows, columns = size
    left, top, width, height = cutout(framing, zones.shape[1], zones.shape[0])
    part = zones[top : top + height, left : left + width].astype(np.float32)
    shrinks = rows <= height and columns <= width
    flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    # A zone that touches a cell hides all of it.
    touched = np.asarray(cv2.resize(part, (columns, rows), interpolation=flags)) > 0
    radius = max(1, round(SOFT * rows))
    # One cell more than the blur and the edge controls reach: upsampling interpolates.
    reach = radius + 1 + math.ceil(grow * rows)
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
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
    """
    height = CANVAS_HEIGHT
    width = max(1, round(CANVAS_HEIGHT * aspect))
    canvas = np.zeros((height, width), np.uint8)
    # The lines of all brushes of one size are drawn thinly and widened at once
    # by their distance: drawing 200,000 wide ones takes seconds.
    lines_of: dict[int, NDArray[np.uint8]] = {}
    scale = np.array((width, height)) * (1 << _SHIFT)
    for zone in zones:
        points = np.round(np.array(zone.points) * scale).astype(np.int32)
        radius = round(zone.radius * height)
        if zone.filled and len(points) > 2:
            cv2.fillPoly(canvas, [points], 255, shift=_SHIFT)
        if radius >= 1:
            lines = lines_of.setdefault(radius, np.full((height, width), 255, np.uint8))
            if len(points) == 1:
                points = points.repeat(2, axis=0)  # OpenCV draws no line of a single point
            cv2.polylines(lines, [points], zone.filled, 0, shift=_SHIFT)
    for radius, lines in lines_of.items():
        distance = cv2.distanceTransform(lines, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        canvas[distance <= radius + 0.5] = 255
    return canvas


@dataclass(frozen=True, slots=True)
class DrawnZones:
    """The zones of a camera over its whole frame, and what they were drawn for."""

    zones: tuple[Zone, ...]
    aspect: float
    orientation: Orientation
    image: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ZoneGain:
    """The factor of alpha of the drawn zones, and what it was made for."""

    framing: FramingSettings
    shape: tuple[int, ...]
    grow: float
    gain: Floats


class Zones(Effect[ZoneSettings]):
    """Hides what the user has painted over."""

    section = "people"
    part = ZoneSettings

    def __init__(self) -> None:
        self._zones_of_camera: tuple[Zone, ...] = ()
        # Kept until something changes that they depend on: drawing takes milliseconds.
        self._drawn: DrawnZones | None = None
        self._gain: ZoneGain | None = None

    def is_on(self, frame: FrameContext) -> bool:
        return bool(self.own(frame).zones_of(frame.camera))

    def begin_frame(self, frame: FrameContext, last: FrameContext | None, *, was_on: bool) -> None:
        own = self.own(frame)
        is_same = last is not None and own is self.own(last) and frame.camera == last.camera
        if not was_on or not is_same:
            self._zones_of_camera = own.zones_of(frame.camera)

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        drawn = self._drawn_zones(frame)
        if drawn is not self._drawn:
            self._drawn = drawn
            self._gain = None
        self._gain = self._gain_of(drawn, frame, seen)
        return MatteEdit(self._gain.gain)

    def _drawn_zones(self, frame: FrameContext) -> DrawnZones:
        """Return the zones drawn for a frame: the last ones where they are for such a frame."""
        zones = self._zones_of_camera
        aspect = frame.aspect
        orientation = frame.orientation
        drawn = self._drawn
        wanted = (zones, aspect, orientation)
        if drawn is not None and (drawn.zones, drawn.aspect, drawn.orientation) == wanted:
            return drawn
        camera_aspect = 1 / aspect if orientation.is_sideways else aspect
        image = orientation.upright(draw_zones(zones, camera_aspect))
        return DrawnZones(zones, aspect, orientation, image)

    def _gain_of(self, drawn: DrawnZones, frame: FrameContext, seen: SeenFrame) -> ZoneGain:
        """Return the factor for a frame: the last one where it is for such a frame."""
        framing = frame.settings.framing
        shape = seen.alpha.shape
        grow = max(0, frame.settings.matting.edges.grow_px) / frame.size[1]
        last = self._gain
        if last is not None and (last.framing, last.shape, last.grow) == (framing, shape, grow):
            return last
        rows, columns = shape
        gain = zone_gain(drawn.image, framing, (rows, columns), grow)
        return ZoneGain(framing, shape, grow, gain)
