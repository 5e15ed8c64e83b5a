"""Shapes the mattes of a stream after the user's settings: connects people, framing and the matte."""

from __future__ import annotations

from app.core.settings import FramingSettings, PeopleSettings, Zone
from app.core.shaping import WHOLE_VIEW, Plane, Shape, View
from app.people.auto_framing import AutoFraming
from app.people.regions import find_people
from app.people.zones import ZonePlanes, zone_planes

MAX_GAP_S = 0.5
"""A longer gap between two frames counts as this much time."""


class PeopleShaper:
    """Implements `app.matting.base.MatteShaper`. Used on the inference thread."""

    def __init__(self) -> None:
        self._settings = PeopleSettings()
        self._zones: tuple[Zone, ...] = ()
        self._framing, self._camera = FramingSettings(), ""
        self._auto: AutoFraming | None = None
        self._planes: tuple[object, ZonePlanes] | None = None
        """The planes of the zones, and what they depend on."""
        self._now_s = self._last_s = 0.0
        self._aspect = 1.0
        self.view = WHOLE_VIEW
        """The part of the last frame that was shown."""
        self.alpha: Plane | None = None
        """The network's alpha of the last frame that was shaped, of the whole frame; None while nothing is shaped."""

    def begin(
        self, settings: PeopleSettings, framing: FramingSettings, size: tuple[int, int], camera: str, now_s: float
    ) -> bool:
        """Prepare for the next frame; return whether its matte is to be shaped.

        framing: the manual crop of the frame, which overrides auto-framing. size: (width, height) of the frame in
        pixels. camera: its stable id. now_s: when the frame was captured.
        """
        if settings is not self._settings or camera != self._camera:
            self._zones = settings.zones_of(camera)
        self._settings, self._framing, self._camera, self._now_s = settings, framing, camera, now_s
        aspect = size[0] / size[1]
        follows = settings.auto_framing != "off" and framing.zoom == 1
        if not follows or aspect != self._aspect or now_s < self._last_s:
            self._auto = None
        self._aspect = aspect
        shapes = follows or bool(self._zones)
        if not shapes:
            self.alpha = None
        return shapes

    @property
    def keeps_room(self) -> bool:
        """Whether keep zones show a part of the room."""
        return any(zone.kind == "keep" for zone in self._zones)

    def forget(self) -> None:
        """Forget the stream: the next frame is of another one."""
        self._auto, self.alpha = None, None

    def shape(self, small: Plane, alpha: Plane) -> Shape:
        """Return the change of this frame's matte; see `MatteShaper`."""
        self.alpha = alpha
        self.view = self._next_view(alpha)
        view = None if self.view.is_whole else self.view
        if not self._zones:
            return Shape(view=view)
        planes = self._zone_planes(alpha.shape[0], alpha.shape[1])
        return Shape(planes.gain, planes.keep, view)

    def _zone_planes(self, rows: int, columns: int) -> ZonePlanes:
        depends_on = self._zones, self._framing, self._aspect, rows, columns
        if self._planes is None or self._planes[0] != depends_on:
            self._planes = depends_on, zone_planes(self._zones, self._framing, self._aspect, (rows, columns))
        return self._planes[1]

    def _next_view(self, alpha: Plane) -> View:
        style = self._settings.auto_framing
        if style == "off" or self._framing.zoom != 1:
            return WHOLE_VIEW
        if self._auto is None:
            self._auto, self._last_s = AutoFraming(style, self._aspect), self._now_s
        self._auto.set_style(style)
        step_s, self._last_s = min(self._now_s - self._last_s, MAX_GAP_S), self._now_s
        return self._auto.follow(find_people(alpha), step_s)
