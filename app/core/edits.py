"""What passes between the engines of mattes and the effects: the edit of a matte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.core.geometry import View
from app.core.types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class MatteEdit:
    """The change of one matte between the network and the composite."""

    gain: Floats | None = None
    """(h, w) factor of alpha, at the size of the network's input, in 0..1; None: 1."""
    # The part of the frame that the composite shows; None: the whole frame.
    view: View | None = None
    # Gains (3) and biases (3), RGB, (6, h', w') each and C-contiguous, applied in turn:
    # the person's colours in 0..1 become gain * colour + bias.
    lights: tuple[Floats, ...] = ()


UNCHANGED = MatteEdit()


class MatteEditor(Protocol):
    """Decides per frame what is done to the matte between the network and the composite."""

    def start_scene(self) -> None:
        """Forget what belongs to one scene.

        The next frame comes after a cut, or has another size.
        """

    def edit(self, small: Floats, alpha: Floats) -> MatteEdit:
        """Return the change of this frame's matte.

        Called once per step, on the thread that runs it.

        small: (3, h, w) the network's input, RGB in 0..1. alpha: (h, w) in 0..1. Neither may be
        modified.
        """
