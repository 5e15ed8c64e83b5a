"""The check of a saved state before a stream takes it over: it may come from a file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.core.errors import ModelError
from app.core.messages.command_line import ApiText
from app.matting.base.interface import EngineState


def check_state(state: EngineState, own: str) -> None:
    """Raise TypeError for what is no state, and ModelError for one that no engine saves. own: model of the stream."""
    if not isinstance(state, EngineState):
        raise TypeError(f"state must be an EngineState, not {type(state).__name__}")
    whole = _is_size(state.size) and isinstance(state.arrays, Mapping)
    if not whole or not all(_is_saved(name, array) for name, array in state.arrays.items()):
        raise ModelError(ApiText.OTHER_STATE(model=state.model, own=own))


def _is_size(size: object) -> bool:
    return isinstance(size, tuple) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)


def _is_saved(name: object, array: object) -> bool:
    if not (isinstance(name, str) and isinstance(array, (np.ndarray, np.generic)) and array.dtype.kind in "biuf"):
        return False
    # one NaN would hide the person for ever; the region checks its own, which stand for a picture without people
    return name.startswith("region.") or bool(np.isfinite(array).all())
