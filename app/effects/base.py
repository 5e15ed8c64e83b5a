"""What an effect is: it takes the settings of each frame of a stream, and changes the frame's matte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.core.edits import MatteEdit
from app.core.types import UNTURNED, Backdrop, Floats, Orientation
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class FrameContext:
    """What is known of a frame before it is matted."""

    settings: Settings
    """With the manual crop that the frame shows."""
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


class Effect:
    """One effect on one stream of frames. Used on one thread; `prepare` precedes every frame."""

    settings: ClassVar[tuple[str, ...]] = ()
    """Its settings that the window shows, such as `edges.light_match`."""

    def prepare(self, frame: FrameContext, last: FrameContext | None) -> bool:
        """Take the settings of the next frame; return whether they switch this effect on.

        last: the frame before; None for the first one of a stream.
        """
        raise NotImplementedError

    def edit(self, frame: FrameContext, small: Floats, alpha: Floats, step_s: float) -> MatteEdit:
        """Return what becomes of the frame's matte; called while the effect is on.

        small: (3, h, w) the network's input, RGB in 0..1. alpha: (h, w) in 0..1, after the effects before this one.
        Neither may be modified. step_s: time since the last frame.
        """
        raise NotImplementedError

    def reset(self) -> None:
        """Forget the stream: the next frame is of another one, or comes after a pause."""

    def start_scene(self) -> None:
        """Forget what belongs to one scene: the next frame comes after a cut."""
