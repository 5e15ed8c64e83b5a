"""What passes between the engines of mattes and the effects: the edit of a matte, and the arrays of a saved state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.core.geometry import View
from app.core.types import Floats

D = TypeVar("D", bound=np.generic)
StateArrays = Mapping[str, NDArray[Any]]
"""Arrays by name. They belong to the state: neither side writes to them."""


@dataclass(frozen=True, slots=True, eq=False)
class MatteEdit:
    """The change of one matte between the network and the composite."""

    gain: Floats | None = None
    """(h, w) factor of alpha, at the size of the network's input, in 0..1; None: 1."""
    view: View | None = None
    """The part of the frame that the composite shows; None: the whole frame."""
    lights: tuple[Floats, ...] = ()
    """Gains (3) and biases (3), RGB, (6, h', w') each and C-contiguous, applied in turn: the person's colours in 0..1
    become gain * colour + bias."""


class MatteEditor(Protocol):
    """Decides per frame what is done to the matte between the network and the composite."""

    def start_scene(self) -> None:
        """Forget what belongs to one scene: the next frame comes after a cut, or has another size."""

    def edit(self, small: Floats, alpha: Floats) -> MatteEdit:
        """Return the change of this frame's matte; called once per step, on the thread that runs it.

        small: (3, h, w) the network's input, RGB in 0..1. alpha: (h, w) in 0..1. Neither may be modified.
        """


def prefixed(prefix: str, arrays: StateArrays) -> dict[str, NDArray[Any]]:
    """Return the arrays under `prefix.name`."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def under(prefix: str, arrays: StateArrays) -> dict[str, NDArray[Any]]:
    """Return the arrays whose names begin with `prefix.`, without it."""
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def copy_into(target: NDArray[Any], source: NDArray[Any]) -> None:
    """Copy a saved array. Raises ValueError if the shape differs, which numpy would broadcast."""
    if target.shape != source.shape:
        raise ValueError(f"a saved array is {source.shape} in place of {target.shape}")
    np.copyto(target, source)


def saved(arrays: StateArrays, name: str, shape: tuple[int, ...], dtype: type[D]) -> NDArray[D] | None:
    """Return a copy of a saved array, None if there is none. Raises ValueError or TypeError if it does not fit."""
    if name not in arrays:
        return None
    copy_into(copy := np.empty(shape, dtype), arrays[name])
    return copy
