"""Compiling with numba, with a cache on disk that does not trust its files.

Numba runs the machine code of a damaged file, or ends with whatever its unpickler raises. Here each file ends with its
SHA-256, and one that is damaged counts as missing: the function is compiled again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

from app.core.files.disk_errors import why_not_written
from app.core.native_kernels import Argument, Array

Function = TypeVar("Function", bound=Callable[..., object])

log = logging.getLogger(__name__)
_DIGEST_BYTES = hashlib.sha256().digest_size
kernels: list[Any] = []
"""Functions that were compiled for their types, as numba's dispatchers."""


def compiled_now(
    function: Function, arguments: Sequence[Argument] | None, result: Argument | None, options: Mapping[str, object]
) -> Function:
    """Compile a function; see `app.core.compiling.compiled`."""
    dispatcher = numba.njit(**options)(function)
    if dispatcher is function:  # NUMBA_DISABLE_JIT
        return function
    with contextlib.suppress(RuntimeError):  # there is no folder for the cache: every process compiles
        dispatcher._cache = CheckedFunctionCache(function)  # noqa: SLF001 - numba has no public way to another cache
    if arguments is not None:
        dispatcher.compile(_numba(result)(*map(_numba, arguments)))
        dispatcher.disable_compile()
        kernels.append(dispatcher)
    return cast("Function", dispatcher)


def _numba(kind: Argument | None) -> Any:
    if isinstance(kind, Array):
        name = "boolean" if kind.dtype == "bool" else kind.dtype
        return numba.types.Array(getattr(numba, name), kind.ndim, "C", readonly=not kind.writable)
    return {None: numba.void, float: numba.float64, int: numba.int64, bool: numba.boolean}[kind]


class CheckedFunctionCache(FunctionCache):  # type: ignore[misc]
    """The cache of one function. No damaged, unreadable or unwritable file is an error."""

    def __init__(self, function: object) -> None:
        """Raises RuntimeError if there is no writable folder for the files."""
        super().__init__(function)
        self._cache_file = _CheckedFiles(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def load_overload(self, sig: object, target_context: object) -> object:
        """Return the compiled function, None if it must be compiled."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001 - unpickling and linking raise anything, up to MemoryError
            log.warning("The compiled function %s cannot be loaded and is compiled again (%r).", self._name, error)
            return None

    def save_overload(self, sig: object, data: object) -> None:
        """Keep a compiled function; a failure is logged."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            log.warning("A compiled function cannot be kept in %s: %s.", self._cache_path, why_not_written(error))


class _CheckedFiles(IndexDataCacheFile):  # type: ignore[misc]
    """The index and the data files of a function. Each ends with the SHA-256 of what is before it."""

    def _load_index(self) -> object:
        try:
            _check(self._index_path)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.info("%s", error)
            return {}
        return super()._load_index()

    def _load_data(self, name: str) -> object:
        _check(self._data_path(name))
        return super()._load_data(name)

    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[BinaryIO]:
        with super()._open_for_write(filepath) as file:
            yield file
            file.flush()
            file.write(hashlib.sha256(Path(file.name).read_bytes()).digest())


def _check(path: str) -> None:
    """Raise ValueError if the file does not end with the SHA-256 of the rest, OSError if it cannot be read."""
    data = Path(path).read_bytes()
    if hashlib.sha256(data[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
        raise ValueError(f"The file {path} is damaged; its function is compiled again.")
