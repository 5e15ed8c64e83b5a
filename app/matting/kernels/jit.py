"""Numba compilation decorators for the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Function = TypeVar("Function", bound=Callable[..., object])

# Inputs may be read-only arrays. Explicit signatures prevent compilation during a frame.
READ, WRITE = (numba.types.Array(numba.uint8, 2, "C", readonly=readonly) for readonly in (True, False))
READ_FRAME = numba.types.Array(numba.uint8, 3, "C", readonly=True)
READ_STEPS = numba.types.Array(numba.int16, 1, "C", readonly=True)
READ_PLANES = numba.types.Array(numba.float32, 3, "C", readonly=True)
PLANES = numba.float32[:, :, ::1]
NUMBER = numba.float64
INDEX = numba.int64
_TOP_AND_BOTTOM = (numba.int64, numba.int64)
_OPTIONS = {"nogil": True, "fastmath": {"nsz", "arcp", "contract", "afn", "reassoc"}, "error_model": "numpy"}


def jit(function: Function) -> Function:
    """Decorate an inner function; it is compiled together with its callers."""
    return _compiled(function)


def rows(*arguments: object) -> Callable[[Function], Function]:
    """Decorate a public function; it is compiled eagerly for these argument types plus the row range."""
    return lambda function: _compiled(function, numba.void(*arguments, *_TOP_AND_BOTTOM))


def _compiled(function: Function, *signature: object) -> Function:
    try:
        compiled: Function = numba.njit(*signature, cache=True, **_OPTIONS)(function)
    except RuntimeError:
        # No writable cache folder: compile in every process.
        compiled = numba.njit(*signature, **_OPTIONS)(function)
    return compiled
