"""The check of a saved state before a stream takes it over: it may come from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.lib.npyio import NpzFile

from app.core.errors import ModelError
from app.core.messages.command_line import ApiText
from app.matting.base.interface import EngineState

MOST_PIXELS = 8192 * 8192
BYTES_PER_PIXEL, LEAST_BYTES, MOST_BYTES = 128, 1 << 20, 1 << 30
"""Limits of all arrays together, per pixel of the frame and in all: some 70 bytes where the network sees all pixels."""


def checked_state(state: EngineState, own: str) -> EngineState:
    """Return the state with its arrays in memory. own: model of the stream.

    Raises TypeError for what is no state, and ModelError for one that no engine saves.
    """
    if not isinstance(state, EngineState):
        raise TypeError(f"state must be an EngineState, not {type(state).__name__}")
    other = ModelError(ApiText.OTHER_STATE(model=state.model, own=own))
    if not (_is_size(state.size) and isinstance(state.arrays, Mapping) and _fits(state.arrays, *state.size)):
        raise other
    try:
        arrays = dict(state.arrays)
    except Exception as error:  # NumPy raises anything on damaged bytes, from BadZipFile to TokenError
        raise other from error
    if not all(_is_saved(name, array) for name, array in arrays.items()):
        raise other
    return replace(state, arrays=arrays)


def _is_size(size: object) -> bool:
    if not (isinstance(size, tuple) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)):
        return False
    return bool(size[0] * size[1] <= MOST_PIXELS)


def _fits(arrays: Mapping[str, object], width: int, height: int) -> bool:
    """Return whether a file of `numpy.savez` declares no more than a state has; each array is unpacked when read."""
    if not isinstance(arrays, NpzFile):
        return True
    declared = [member.file_size for member in arrays.zip.infolist()] if arrays.zip is not None else []
    return sum(declared) <= min(BYTES_PER_PIXEL * width * height + LEAST_BYTES, MOST_BYTES)


def _is_saved(name: object, array: object) -> bool:
    if not (isinstance(name, str) and isinstance(array, (np.ndarray, np.generic)) and array.dtype.kind in "biuf"):
        return False
    # one NaN would hide the person for ever; the region checks its own, which stand for a picture without people
    return array.size > 0 and (name.startswith("region.") or bool(np.isfinite(array).all()))
