"""Edits the mattes of a stream after the user's settings: connects people, framing, zones and the matte."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.geometry import WHOLE_VIEW, MatteEdit, Plane, View, cutout, from_camera
from app.core.settings import FramingSettings, PeopleSettings, Settings, Zone
from app.core.types import UNTURNED, AlphaImage, Matte, Orientation
from app.effects.auto_framing import AutoFraming
from app.effects.finding import find_people
from app.effects.only_me import OnlyMe

CANVAS_HEIGHT = 540
"""Zones are drawn at this height, then cropped and scaled to the matte."""
SOFT = 0.02
"""Width of the soft edge relative to the height of the matte."""
_SHIFT = 4
"""Fractional bits of OpenCV's coordinates."""


def zone_gain(zones: NDArray[np.uint8], framing: FramingSettings, size: tuple[int, int], grow: float = 0.0) -> Plane:
    """Return the factor of alpha for a matte of `size` (rows, columns): 0 inside the zones, soft outside.

    zones: of `draw_zones`. framing: the manual crop that the matte shows. grow: by how much of its height the edge
    controls then widen it.
    """
    radius = max(1, round(SOFT * size[0]))
    # One cell more than the blur and the edge controls reach: upsampling interpolates.
    square = np.ones((2 * (radius + 1 + math.ceil(grow * size[0])) + 1,) * 2, np.uint8)
    touched = (_plane(zones, framing, size) > 0).astype(np.float32)  # what touches a cell hides it
    return 1 - _blurred(np.asarray(cv2.dilate(touched, square), np.float32), radius)


def _plane(canvas: NDArray[np.uint8], framing: FramingSettings, size: tuple[int, int]) -> Plane:
    """Return the share of each cell that the zones cover, 0..1."""
    left, top, width, height = cutout(framing, canvas.shape[1], canvas.shape[0])
    part = canvas[top : top + height, left : left + width].astype(np.float32) / 255
    rows, columns = size
    shrinks = rows <= height and columns <= width
    flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (columns, rows), interpolation=flags), np.float32)


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


def _blurred(plane: Plane, radius: int) -> Plane:
    """Return means over squares; a value that is constant within the radius stays exactly."""
    side = 2 * radius + 1
    blurred = np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)
    # Box sums of OpenCV carry rounding errors, which must not show a dropped pixel.
    blurred[blurred < 1e-4] = 0
    blurred[blurred > 1 - 1e-4] = 1
    return blurred


MAX_GAP_S = 0.5
"""A longer gap between two frames counts as this much time."""


class PeopleEditor:
    """Follows the people of one stream. Used on one thread; `begin` precedes every step.

    Implements `app.matting.base.interface.MatteEditor`.
    """

    def __init__(self) -> None:
        self._settings = PeopleSettings()
        self._zones: tuple[Zone, ...] = ()
        self._framing, self._camera = FramingSettings(), ""
        self._orientation: Orientation | None = None
        """Of the last frame."""
        self._auto: AutoFraming | None = None
        self._only_me: OnlyMe | None = None
        self._selected: tuple[float, float] | None = None
        self._elsewhere: tuple[float, float] | None = None
        """The selection, if it was made in the picture of another camera, or before the camera was turned: nobody is
        shown until the next one."""
        self._drawn: tuple[object, NDArray[np.uint8]] | None = None
        self._zone_gain: tuple[object, Plane] | None = None
        """The zones, drawn and as a factor of alpha, and what each depends on."""
        self._now_s = self._last_s = 0.0
        self._aspect, self._grow = 1.0, 0.0
        """Of the frame: width divided by height, and by how much of its height the edge controls widen the matte."""
        self.edits = False
        """Whether the matte of this frame is edited, so that its alpha is not the network's."""
        self.view = WHOLE_VIEW
        """The part of the last frame that auto-framing chose."""
        self.alpha: Plane | None = None
        """The network's alpha of the last frame that was edited, of the whole frame; None while nothing is edited."""

    def begin(
        self,
        settings: Settings,
        framing: FramingSettings,
        size: tuple[int, int],
        camera: str,
        now_s: float,
        orientation: Orientation = UNTURNED,
    ) -> PeopleEditor | None:
        """Prepare for the next frame; return this object for its step, None if its matte is not edited.

        framing: the manual crop of the frame, which overrides auto-framing. size: (width, height) of the frame in
        pixels. camera: its stable id. now_s: time of the frame on the stream's clock. orientation: how it was turned.
        """
        people, selected = settings.people, settings.selected
        if (self._camera and camera != self._camera) or self._orientation not in (None, orientation):
            self._elsewhere = selected
        elif selected != self._elsewhere:
            self._elsewhere = None
        self._prepare_only_me(people.only_me, framing, selected)
        if people is not self._settings or camera != self._camera:
            self._zones = people.zones_of(camera)
        self._settings, self._framing, self._camera, self._now_s = people, framing, camera, now_s
        self._orientation = orientation
        aspect = size[0] / size[1]
        follows = people.auto_framing != "off" and framing.zoom == 1
        if not follows or aspect != self._aspect or now_s < self._last_s:
            self._auto = None
        self._aspect, self._grow = aspect, max(0, settings.matting.edges.grow_px) / size[1]
        self.edits = follows or bool(self._zones) or people.only_me
        if not self.edits:
            self.alpha, self.view = None, WHOLE_VIEW
        return self if self.edits else None

    def whole_alpha(self, matte: Matte) -> AlphaImage:
        """Return alpha of the whole frame before it was edited, which may be smaller than the frame."""
        return matte.alpha if self.alpha is None else (self.alpha * 255).astype(np.uint8)

    def view_of(self, matte: Matte) -> View:
        """Return the part of the last frame that its matte shows."""
        return WHOLE_VIEW if matte.frame is None else self.view  # networks that refine cells show the whole frame

    @property
    def hides_person(self) -> bool:
        """Whether nobody is shown because the selected person is not certain."""
        if self._only_me is None:
            return False
        return self._elsewhere is not None or not self._only_me.shown

    def forget(self) -> None:
        """Forget the stream: the next frame is of another one, or after a pause.

        A person who was clicked has to be found again by size and colours.
        """
        self._auto, self.alpha = None, None
        if self._selected is None:
            self._only_me = None
        elif self._only_me is not None:
            self._only_me.lose()
        self._last_s = self._now_s

    def _prepare_only_me(self, on: bool, framing: FramingSettings, selected: tuple[float, float] | None) -> None:
        if not on:
            self._only_me = None
            return
        point = None if selected is None else from_camera(framing, WHOLE_VIEW, *selected)
        if self._only_me is None or selected != self._selected:
            self._only_me = self._only_me or OnlyMe()
            self._only_me.select(point)
        elif framing != self._framing:
            self._only_me.reframe(self._framing, framing)
        self._selected = selected

    def edit(self, small: Plane, alpha: Plane) -> MatteEdit:
        """Return the change of this frame's matte; see `MatteEditor`."""
        self.alpha = alpha
        step_s, self._last_s = min(max(self._now_s - self._last_s, 0.0), MAX_GAP_S), self._now_s
        gain = None if self._only_me is None else self._only_me.gain(small, alpha, step_s)
        gain = gain if self._elsewhere is None or gain is None else np.zeros_like(gain)
        self.view = self._next_view(alpha if gain is None else alpha * gain, step_s)
        view = None if self.view.is_whole else self.view
        if self._zones:
            shown = self._gain_of_zones(alpha.shape[0], alpha.shape[1])
            gain = shown if gain is None else shown * gain
        return MatteEdit(gain, view)

    def _gain_of_zones(self, rows: int, columns: int) -> Plane:
        orientation = self._orientation or UNTURNED
        drawn_of = self._zones, self._aspect, orientation
        if self._drawn is None or self._drawn[0] != drawn_of:
            drawn = draw_zones(self._zones, 1 / self._aspect if orientation.is_sideways else self._aspect)
            self._drawn, self._zone_gain = (drawn_of, orientation.upright(drawn)), None
        depends_on = self._framing, rows, columns, self._grow
        if self._zone_gain is None or self._zone_gain[0] != depends_on:
            self._zone_gain = depends_on, zone_gain(self._drawn[1], self._framing, (rows, columns), self._grow)
        return self._zone_gain[1]

    def _next_view(self, alpha: Plane, step_s: float) -> View:
        style = self._settings.auto_framing
        if style == "off" or self._framing.zoom != 1:
            return WHOLE_VIEW
        if self._auto is None:
            self._auto = AutoFraming(style, self._aspect)
        self._auto.set_style(style)
        return self._auto.follow(find_people(alpha), step_s)
