"""Compiling kernels: by numba in a copy of the sources, ahead in a package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from app.core import native_kernels
from app.core.native_kernels import Argument

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(
    function: Function, arguments: Sequence[Argument] | None = None, result: Argument | None = None, **options: object
) -> Function:
    """Return a compiled function: for these types, or together with its callers without them.

    result: None if the function returns nothing. options: of `numba.njit`.
    """
    if native_kernels.library() is not None:
        if arguments is None:
            return function  # part of what calls it
        return cast("Function", native_kernels.kernel(function.__name__, arguments, result))
    from app.core.numba_compiling import compiled_now

    return compiled_now(function, arguments, result, options)
