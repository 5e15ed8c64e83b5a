"""Numba compilation decorators for the kernels."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from app.core.compiling import Function, compiled

Bytes = NDArray[np.uint8]

# Inputs may be read-only arrays. Explicit signatures prevent compilation during a frame.
READ, WRITE = (numba.types.Array(numba.uint8, 2, "C", readonly=readonly) for readonly in (True, False))
READ_FRAME = numba.types.Array(numba.uint8, 3, "C", readonly=True)
READ_STEPS = numba.types.Array(numba.int16, 1, "C", readonly=True)
READ_PLANES = numba.types.Array(numba.float32, 3, "C", readonly=True)
PLANES = numba.float32[:, :, ::1]
NUMBER = numba.float64
INDEX = numba.int64
_TOP_AND_BOTTOM = (numba.int64, numba.int64)
_OPTIONS: dict[str, object] = {"nogil": True, "error_model": "numpy"}
_FAST = {**_OPTIONS, "fastmath": {"nsz", "arcp", "contract", "afn", "reassoc"}}


def jit(function: Function) -> Function:
    """Decorate an inner function; it is compiled together with its callers."""
    return compiled(function, **_FAST)


def exact(function: Function) -> Function:
    """Decorate an inner function whose arithmetic is that of numpy: in the order of the source."""
    return compiled(function, **_OPTIONS)


def rows(*arguments: object) -> Callable[[Function], Function]:
    """Decorate a public function; it is compiled eagerly for these argument types plus the row range."""
    return lambda function: compiled(function, numba.void(*arguments, *_TOP_AND_BOTTOM), **_FAST)


def whole(signature: object) -> Callable[[Function], Function]:
    """Decorate a public function over whole arrays, with exact arithmetic; it is compiled eagerly."""
    return lambda function: compiled(function, signature, **_OPTIONS)
