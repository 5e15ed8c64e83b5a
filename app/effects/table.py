"""The effects of the program, in the order in which they change a matte.

A new one is a module and a row here. The sections of the settings that effects have are put
together here too, each of the parts of its effects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import create_model

from app.core.declaration import Model
from app.core.types import WHOLE_VIEW, Floats, MatteEdit
from app.effects.auto_framing import AutoFraming
from app.effects.base import Effect, FrameContext, SeenFrame
from app.effects.brightness import Brightness
from app.effects.light import Lighting
from app.effects.light_match import LightMatch
from app.effects.only_me import OnlyMe
from app.effects.portrait_light import PortraitLight
from app.effects.zones import Zones, ZoneSettings

EFFECTS: tuple[type[Effect[Any]], ...] = (
    OnlyMe,
    AutoFraming,
    Zones,
    # The light of the background and the lamp light the person as the brightness shows it.
    Brightness,
    LightMatch,
    PortraitLight,
)


def _section(name: str) -> Any:
    """Return the class of a section of the settings: the parts of all effects of this section."""
    parts = [effect.part for effect in EFFECTS if effect.section == name]
    # Pydantic takes the fields of the last base first.
    bases = tuple(reversed(parts))
    # Other processes find the class by module and name, as pickle does.
    return create_model(f"{name.capitalize()}Settings", __base__=bases, __module__=__name__)


if TYPE_CHECKING:
    # For the type checker a section has no setting of an effect, so that
    # nothing else can name one. The window alone does: it paints zones.
    PeopleSettings = ZoneSettings
    LightSettings = Model
else:
    PeopleSettings = _section("people")
    LightSettings = _section("light")

_M = TypeVar("_M", bound=Model)
# Fractions of the width and the height of the camera's upright frame.
Place = tuple[float, float]


def follows_person(settings: Model) -> bool:
    """Return whether an effect is on that follows one person: a click then chooses who that is."""
    return any(getattr(getattr(settings, section), switch) for section, switch, _ in _following())


def with_person(settings: _M, place: Place | None, *, on: bool = True) -> _M:
    """Return the settings in which the effects that follow one person follow the one at this place.

    place: None: the largest person. on: whether they are on at all.
    """
    for section, switch, chosen in _following():
        settings = settings.replaced_at([section], **{switch: on, chosen: place})
    return settings


def _following() -> list[tuple[str, str, str]]:
    """Return section, switch and place of each effect that follows one person."""
    found = []
    for effect in EFFECTS:
        if effect.follows is not None:
            switch, place = effect.follows
            found.append((effect.section, switch, place))
    return found


# A longer gap between two frames counts as this much time: after
# a pause, patience and smoothing must not be over at once.
MAX_GAP_S = 0.5


class Effects:
    """The effects on one stream. Used on one thread; `begin_frame` precedes every step.

    Implements `app.core.types.MatteEditor`.
    """

    def __init__(self) -> None:
        self._effects = [make() for make in EFFECTS]
        self._active: list[Effect[Any]] = []
        self._frame: FrameContext | None = None
        self._last_edit_s = 0.0
        # The part of the last frame that its matte shows, if the network can crop.
        self.view = WHOLE_VIEW
        # The network's alpha of the last frame that was edited, of the whole frame: an
        # engine that takes over begins with it. None while nothing is edited.
        self.alpha: Floats | None = None
        # Whether an effect hid everybody in the last frame.
        self.hides_everybody = False

    def begin_frame(self, frame: FrameContext) -> Effects | None:
        """Take the settings of the next frame; return this object for its step, None if no effect
        is on.
        """
        last = self._frame
        active = self._active
        # What decides whether an effect is on; the settings are the same value until one changes.
        if (
            last is None
            or frame.settings is not last.settings
            or frame.camera != last.camera
            or frame.orientation != last.orientation
            or frame.size != last.size
        ):
            active = [effect for effect in self._effects if effect.is_on(frame)]
        for effect in active:
            effect.begin_frame(frame, last, was_on=effect in self._active)
        # Only now: where an effect fails, all are asked again for the next frame.
        self._active = active
        self._frame = frame
        if active:
            return self
        self.alpha = None
        self.view = WHOLE_VIEW
        self.hides_everybody = False
        return None

    def edit(self, small: Floats, alpha: Floats) -> MatteEdit:
        """Return the change of this frame's matte; see `MatteEditor`."""
        frame = self._frame
        assert frame is not None
        self.alpha = alpha
        step_s = min(max(frame.time_s - self._last_edit_s, 0.0), MAX_GAP_S)
        self._last_edit_s = frame.time_s
        gain = None
        view = None
        lights: tuple[Floats, ...] = ()
        lighting = Lighting(small, alpha)
        self.hides_everybody = False
        for effect in self._active:
            change = effect.edit(frame, SeenFrame(small, alpha, step_s, lighting))
            view = change.view or view
            lights += change.lights
            if change.gain is None:
                continue
            gain = change.gain if gain is None else gain * change.gain
            # The effects after this one see the matte that it leaves.
            alpha = alpha * change.gain
            lighting.alpha = alpha
            self.hides_everybody |= not change.gain.any()
        self.view = view or WHOLE_VIEW
        return MatteEdit(gain, view, lights + lighting.maps())

    def reset(self) -> None:
        """Forget the stream: the next frame is of another one, or comes after a pause."""
        self.alpha = None
        if self._frame is not None:
            self._last_edit_s = self._frame.time_s
        for effect in self._effects:
            effect.reset()

    def start_scene(self) -> None:
        """Forget what belongs to one scene; see `MatteEditor`."""
        for effect in self._active:
            effect.start_scene()
