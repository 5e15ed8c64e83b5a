"""Compiling with numba, with a cache on disk that does not trust its files.

Numba runs the machine code of a damaged file, or ends with whatever its unpickler raises. Here each file ends with its
SHA-256, and one that is damaged counts as missing: the function is compiled again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

Function = TypeVar("Function", bound=Callable[..., object])

log = logging.getLogger(__name__)
_DIGEST_BYTES = hashlib.sha256().digest_size


def compiled(function: Function, *signature: object, **options: object) -> Function:
    """Compile a function: now for the types of `signature`, or together with its callers without one.

    options: of `numba.njit`.
    """
    dispatcher = numba.njit(**options)(function)
    if dispatcher is function:  # NUMBA_DISABLE_JIT
        return function
    with contextlib.suppress(RuntimeError):  # there is no folder for the cache: every process compiles
        dispatcher._cache = CheckedFunctionCache(function)  # noqa: SLF001 - numba has no public way to another cache
    if signature:
        dispatcher.compile(*signature)
        dispatcher.disable_compile()
    return cast("Function", dispatcher)


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
            log.warning("A compiled function cannot be kept in %s: %s.", self._cache_path, error.strerror)


class _CheckedFiles(IndexDataCacheFile):  # type: ignore[misc]
    """The index and the data files of a function. Each ends with the SHA-256 of what is before it."""

    def _load_index(self) -> dict[object, str]:
        try:
            version, stamp, overloads = pickle.loads(_checked(Path(self._index_path)))  # noqa: S301 - checked
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("%s", error)
            return {}
        return overloads if (version, stamp) == (self._version, self._source_stamp) else {}

    def _save_index(self, overloads: dict[object, str]) -> None:
        self._write(self._index_path, (self._version, self._source_stamp, overloads))

    def _load_data(self, name: str) -> object:
        return pickle.loads(_checked(Path(self._data_path(name))))  # noqa: S301 - checked

    def _save_data(self, name: str, data: object) -> None:
        self._write(self._data_path(name), data)

    def _write(self, path: str, value: object) -> None:
        content = self._dump(value)
        with self._open_for_write(path) as file:
            file.write(content + hashlib.sha256(content).digest())


def _checked(path: Path) -> bytes:
    """Return the content without its SHA-256. Raises OSError, or ValueError for a damaged file."""
    data = path.read_bytes()
    content = data[:-_DIGEST_BYTES]
    if hashlib.sha256(content).digest() != data[-_DIGEST_BYTES:]:
        raise ValueError(f"The file {path} is damaged; its function is compiled again.")
    return content
