"""Thresholds of strict mode as an argument of compiled kernels."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np


class Limits(NamedTuple):
    """Thresholds; see `app.matting.strict.rules`. As an argument: numba's cache does not see a change of constants."""

    empty_alpha: np.float32
    present_alpha: np.float32
    opaque_alpha: np.float32
    core_alpha: np.float32
    body_alpha: np.float32
    agreement: np.float32
    exact: np.float32
    pattern: np.float32
    changed: np.float32
    motion: np.float32
    cut_change: np.float32
    uncovered_cells: np.float32
    strong_pattern: np.float32
    unmoved: np.float32
    unmoved_cells: np.float32
    reference_rate: np.float32
    least_frames: np.float32
    most_frames: np.float32
    change_cost: np.float32
    cut: float
    cut_share: float
    darkest: float
    brightest: float
    light_share: float
    agreeing_share: float
    beginning_share: float
    moved_share: float
    first_moved_share: float
    unmoved_share: float
    moving_share: float
    repeated_share: float


_DOUBLES = 12
LIMITS = numba.types.NamedTuple([numba.float32] * (len(Limits._fields) - _DOUBLES) + [numba.float64] * _DOUBLES, Limits)
