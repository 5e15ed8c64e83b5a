"""Saving and restoring the recurrent state of a stream, so that it resumes bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

StateArrays = Mapping[str, NDArray[Any]]
"""Arrays by name. They belong to the state: neither side writes to them."""


@dataclass(frozen=True, slots=True)
class EngineState:
    """Everything that an engine remembers of the frames of its stream."""

    model: str
    executor: str
    precision: str
    size: tuple[int, int]
    """(width, height) of the frames."""
    downsample_ratio: float
    arrays: StateArrays


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
