"""Kernels of the frame step for CPUs, compiled by numba: their types and decorators.

Loops are fast with unsigned indices, since numba handles negative ones, which prevents
vectorization, and with arrays that are indexed, not sliced, since each slice counts references with
an atomic instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.core.compiling import Argument, Array, Function, compiled

# Inputs may be read-only arrays. Explicit signatures prevent compilation during a frame.
READ = Array("uint8", 2)
WRITE = Array("uint8", 2, writable=True)
READ_FRAME = Array("uint8", 3)
READ_STEPS = Array("int16", 1)
READ_PLANES = Array("float32", 3)
PLANES = Array("float32", 3, writable=True)
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nsz", "arcp", "contract", "afn", "reassoc"},
}


def jit(function: Function) -> Function:
    """Decorate an inner function; it is compiled together with its callers."""
    return compiled(function, **_OPTIONS)


def rows(*arguments: Argument) -> Callable[[Function], Function]:
    """Decorate a public function of these argument types, and of the rows from top to bottom.

    It is compiled as it is defined.
    """
    return lambda function: compiled(function, (*arguments, int, int), **_OPTIONS)
