"""What an effect is: a part of the settings, taken for each frame, and a change of the matte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar, cast

from app.core.declaration import Model
from app.core.settings import FramingSettings, MattingSettings
from app.core.types import UNTURNED, Backdrop, Floats, MatteEdit, Orientation
from app.effects.light import Lighting


class FrameSettings(Protocol):
    """What effects know of the settings beside their own part: `app.settings` stands above them."""

    @property
    def framing(self) -> FramingSettings:
        """The manual crop that the frame shows."""

    @property
    def matting(self) -> MattingSettings:
        """With the edge controls, which follow the effects."""


@dataclass(frozen=True, slots=True)
class FrameContext:
    """What is known of a frame before it is matted."""

    settings: FrameSettings
    size: tuple[int, int]
    """(width, height) in pixels."""
    # On the clock of the stream, which may jump: films have their own.
    time_s: float
    backdrop: Backdrop
    # The stable id of the source; empty where that is unknown.
    camera: str = ""
    # How the frame was turned. Zones are kept for the camera's frame as it is before that.
    orientation: Orientation = UNTURNED

    @property
    def aspect(self) -> float:
        """Width divided by height."""
        return self.size[0] / self.size[1]


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """What an effect sees of a frame that the network has seen. No array may be modified."""

    small: Floats
    """(3, h, w) the network's input, RGB in 0..1."""
    alpha: Floats
    """(h, w) in 0..1, after the effects before this one."""
    step_s: float
    """Time since the last frame, at most `MAX_GAP_S` of `app.effects.table`."""
    # What the effects before this one do to the light;
    # an effect on the light adds its part to it.
    lighting: Lighting


Part = TypeVar("Part", bound=Model)


class Effect(Generic[Part]):
    """One effect on one stream of frames.

    Used on one thread. While it is off, nothing of it is called for a frame.
    """

    # Its part of the settings, each declared by `look(…)`. Nothing else names
    # them, so that an effect can be removed with its module and its row.
    part: ClassVar[type[Model]] = Model
    # The section of `Settings` that has this part, such as
    # `light`; the window shows what has a title there.
    section: ClassVar[str] = ""
    # An effect that follows one person names its switch and the setting with
    # the place of that person: a click in the preview sets the place.
    follows: ClassVar[tuple[str, str] | None] = None

    @classmethod
    def titled(cls) -> tuple[str, ...]:
        """Return its settings that have a row in the window, such as `light.match`."""
        names = [name for name, field in cls.part.model_fields.items() if field.title]
        return tuple(f"{cls.section}.{name}" for name in names)

    def own(self, frame: FrameContext) -> Part:
        """Return the part of the frame's settings that is this effect's."""
        return cast("Part", getattr(frame.settings, self.section))

    def is_on(self, frame: FrameContext) -> bool:
        """Return whether settings, camera, orientation and size of a frame switch this effect on.

        Asked only where one of them is another one than in the frame before: what changes with time
        is on all the time, and edits nothing until then.
        """
        raise NotImplementedError

    def begin_frame(self, frame: FrameContext, last: FrameContext | None, *, was_on: bool) -> None:
        """Take the next frame in which the effect is on.

        last: the frame before; None for the first one of a stream. was_on: whether the effect was
        on in that frame.
        """

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        """Return what becomes of the frame's matte; called while the effect is on."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget the stream: the next frame is of another one, or comes after a pause."""

    def start_scene(self) -> None:
        """Forget what belongs to one scene: the next frame comes after a cut."""
