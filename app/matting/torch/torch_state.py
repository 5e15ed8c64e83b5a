"""The state of a torch executor as arrays, for saving."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from app.matting.base.state import StateArrays
from app.matting.torch.core import State

PREVIOUS_ALPHA = "previous_alpha"


def to_arrays(state: Sequence[Tensor], previous_alpha: Tensor | None) -> StateArrays:
    """Return float32 copies; every supported precision is exact in float32."""
    named = {f"state{index}": tensor for index, tensor in enumerate(state)}
    if previous_alpha is not None:
        named[PREVIOUS_ALPHA] = previous_alpha
    return {name: tensor.float().cpu().numpy().copy() for name, tensor in named.items()}


def from_arrays(arrays: StateArrays, like: State) -> tuple[State, Tensor | None]:
    """Return the state on the devices and in the precisions of `like`, and the previous alpha.

    Raises ValueError if the shapes differ from those of `like`.
    """
    state = []
    for index, current in enumerate(like):
        saved = torch.from_numpy(arrays[f"state{index}"].copy())
        if saved.shape != current.shape:
            raise ValueError(f"a saved array is {tuple(saved.shape)} in place of {tuple(current.shape)}")
        state.append(saved.to(current))
    alpha = arrays.get(PREVIOUS_ALPHA)
    return tuple(state), None if alpha is None else torch.from_numpy(alpha.copy()).to(like[-1].device)
