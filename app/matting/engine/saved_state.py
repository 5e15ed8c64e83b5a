"""The check of a saved state before a stream takes it over: it may come from a file."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import SupportsIndex

import numpy as np
from numpy.lib.npyio import NpzFile

from app.core.errors import ModelError
from app.matting.base.interface import EngineState

MOST_PIXELS = 8192 * 8192
BYTES_PER_PIXEL, LEAST_BYTES, MOST_BYTES = 128, 1 << 20, 1 << 30
"""Limits of all arrays together, per pixel of the frame and in all: some 70 bytes where the network sees all pixels."""


def checked_state(state: EngineState, own: str) -> EngineState:
    """Return the state with its arrays in memory and a size of integers. own: model of the stream.

    Raises TypeError for what is no state, and ModelError for one that no engine saves.
    """
    if not isinstance(state, EngineState):
        raise TypeError(f"state must be an EngineState, not {type(state).__name__}")
    other = ModelError(f"The state was saved with {state.model} under other settings; this stream runs {own}.")
    size = _size(state.size)
    if size is None or not isinstance(state.arrays, Mapping) or not _fits(state.arrays, *size):
        raise other
    try:
        arrays = dict(state.arrays)
    except Exception as error:  # NumPy raises anything on damaged bytes, from BadZipFile to TokenError
        raise other from error
    if not all(_is_saved(name, array) for name, array in arrays.items()):
        raise other
    return replace(state, size=size, arrays=arrays)


def _size(sides: Iterable[SupportsIndex]) -> tuple[int, int] | None:
    """Return (width, height), which JSON makes a list and NumPy an array; None for what is no size."""
    try:
        width, height = map(operator.index, sides)
    except (TypeError, ValueError):
        return None
    return (width, height) if min(width, height) > 0 and width * height <= MOST_PIXELS else None


def _fits(arrays: Mapping[str, object], width: int, height: int) -> bool:
    """Return whether a file of `numpy.savez` declares no more than a state has; each array is unpacked when read."""
    if not isinstance(arrays, NpzFile):
        return True
    declared = [member.file_size for member in arrays.zip.infolist()] if arrays.zip is not None else []
    return sum(declared) <= min(BYTES_PER_PIXEL * width * height + LEAST_BYTES, MOST_BYTES)


def _is_saved(name: object, array: object) -> bool:
    if not (isinstance(name, str) and isinstance(array, (np.ndarray, np.generic)) and array.dtype.kind in "biuf"):
        return False
    return array.size > 0 and bool(np.isfinite(array).all())  # one NaN would hide the person for ever
