"""What an effect is: it has a part of the settings, takes them for each frame of a stream, and changes its matte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar, cast

from app.core.declaration import Model
from app.core.edits import MatteEdit
from app.core.settings import FramingSettings, MattingSettings
from app.core.types import UNTURNED, Backdrop, Floats, Orientation
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
    time_s: float
    """On the clock of the stream."""
    backdrop: Backdrop
    camera: str = ""
    """The stable id of its source; empty where that is unknown."""
    orientation: Orientation = UNTURNED
    """How it was turned."""

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
    """Time since the last frame."""
    lighting: Lighting
    """What the effects before this one do to the light; an effect on the light adds its part."""


Part = TypeVar("Part", bound=Model)


class Effect(Generic[Part]):
    """One effect on one stream of frames. Used on one thread; `begin_frame` precedes every frame."""

    part: ClassVar[type[Model]] = Model
    """Its part of the settings, each declared by `look(…)`; nothing else names them."""
    section: ClassVar[str] = ""
    """Section of `Settings` that has this part, such as `light`; the window shows what has a title there."""
    follows: ClassVar[tuple[str, str] | None] = None
    """Of an effect that follows one person: the switch of its part, and the setting with the place of that person."""

    @classmethod
    def titled(cls) -> tuple[str, ...]:
        """Return its settings that have a row in the window, such as `light.match`."""
        return tuple(f"{cls.section}.{name}" for name, field in cls.part.model_fields.items() if field.title)

    def own(self, frame: FrameContext) -> Part:
        """Return the part of the frame's settings that is this effect's."""
        return cast("Part", getattr(frame.settings, self.section))

    def begin_frame(self, frame: FrameContext, last: FrameContext | None) -> bool:
        """Take the settings of the next frame; return whether they switch this effect on.

        last: the frame before; None for the first one of a stream.
        """
        raise NotImplementedError

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        """Return what becomes of the frame's matte; called while the effect is on."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget the stream: the next frame is of another one, or comes after a pause."""

    def start_scene(self) -> None:
        """Forget what belongs to one scene: the next frame comes after a cut."""
