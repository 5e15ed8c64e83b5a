"""Compiling with numba; a cache on disk that cannot be read or written is no error: the function is compiled again."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import FunctionCache

from app.core.files.disk_errors import why_not_written

Function = TypeVar("Function", bound=Callable[..., object])

log = logging.getLogger(__name__)
kernels: list[Any] = []
"""Functions that were compiled for their types, as numba's dispatchers."""


def compiled_now(function: Function, signature: str | None, options: Mapping[str, object]) -> Function:
    """Compile a function, for the types of a signature or with its callers; see `app.core.compiling.compiled`."""
    dispatcher = numba.njit(**options)(function)
    if dispatcher is function:  # NUMBA_DISABLE_JIT
        return function
    with contextlib.suppress(RuntimeError):  # there is no folder for the cache: every process compiles
        dispatcher._cache = _Cache(function)  # noqa: SLF001 - numba has no public way to another cache
    if signature is not None:
        dispatcher.compile(signature)
        dispatcher.disable_compile()
        kernels.append(dispatcher)
    return cast("Function", dispatcher)


class _Cache(FunctionCache):  # type: ignore[misc]
    """The cache of one function; raises RuntimeError if there is no folder for it."""

    def load_overload(self, sig: object, target_context: object) -> object:
        """Return the compiled function, None if it must be compiled."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001 - unpickling and linking raise anything, up to MemoryError
            log.warning("The compiled function %s cannot be loaded and is compiled again (%r).", self._name, error)
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: object, data: object) -> None:
        """Keep a compiled function; a failure is logged."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            log.warning("A compiled function cannot be kept in %s: %s.", self._cache_path, why_not_written(error))
