"""Compiling kernels: by numba in a copy of the sources, ahead in a package, which lacks numba.

A cache of numba on disk that cannot be read or written is no error: the function is compiled again.
A package has a library per level of x86-64, called by way of ctypes; `tools.packages.kernels` makes
them. A call releases the interpreter lock, as one of numba does.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import importlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

log = logging.getLogger(__name__)
Function = TypeVar("Function", bound=Callable[..., object])
# Folder of the libraries in a package; not in a copy of the sources, where numba compiles.
FOLDER = Path(__file__).with_name("kernels")
SUFFIX = ".dll" if sys.platform == "win32" else ".so"
# Instruction sets that each level needs, as Linux lists them, beside those of the levels below.
LEVELS = {
    "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "x86-64-v3": {"avx2", "bmi1", "bmi2", "fma", "f16c", "abm", "movbe"},
    "x86-64-v2": {"cx16", "popcnt", "sse4_1", "sse4_2", "ssse3"},
}


@dataclass(frozen=True, slots=True)
class Array:
    """An argument that is an array without gaps, in the order of C."""

    dtype: str
    ndim: int
    writable: bool = False


Argument = Array | type[float] | type[int] | type[bool]
_SCALARS: dict[object, type[Any]] = {
    float: ctypes.c_double,
    int: ctypes.c_int64,
    bool: ctypes.c_int8,
}
# Where kernels write what nobody reads.
_UNREAD = ctypes.create_string_buffer(16)
# Functions that numba compiled for their types, as its dispatchers.
kernels: list[Any] = []


def compiled(
    function: Function,
    arguments: Sequence[Argument] | None = None,
    **options: object,
) -> Function:
    """Return a compiled function.

    For these types and without a result, or together with its callers without them.

    options: of `numba.njit`.
    """
    if library() is not None:
        if arguments is None:
            return function  # part of what calls it
        return cast("Function", kernel(function.__name__, arguments))
    import numba  # slow to import

    dispatcher = numba.njit(**options)(function)
    if arguments is None or dispatcher is function:  # the latter: NUMBA_DISABLE_JIT
        return cast("Function", dispatcher)
    # There is no folder for the cache: every process compiles.
    with contextlib.suppress(RuntimeError):
        dispatcher.enable_caching()
    signature = f"void({', '.join(map(_numba, arguments))})"
    try:
        dispatcher.compile(signature)
    except Exception as error:  # noqa: BLE001 - a file that is damaged or cannot be written raises anything
        log.warning(
            "The compiled function %s cannot be loaded or kept (%r).",
            function.__name__,
            error,
        )
        with contextlib.suppress(OSError):
            dispatcher._cache.flush()  # noqa: SLF001 - numba has no public way to empty a cache
        dispatcher = numba.njit(**options)(function)
        dispatcher.compile(signature)
    dispatcher.disable_compile()
    kernels.append(dispatcher)
    return cast("Function", dispatcher)


def folders() -> set[Path]:
    """Return where numba keeps the kernels of this process; none where it cannot, or in a package."""
    found = {dispatcher.stats.cache_path for dispatcher in kernels}
    return {Path(path) for path in found if path is not None}


def holds_kernels(folder: Path) -> bool:
    """Return whether numba keeps kernels in this folder."""
    return any(folder.glob("*.nbi"))


_lock = threading.Lock()
# One for each load that is under way.
_loads: list[None] = []


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Import modules with kernels inside, which takes seconds where they are not compiled yet.

    A collection of all objects that numba brings along stops every thread for 60 to 120 ms: there
    is none meanwhile, and later ones never look at what exists then.
    """
    with _lock:  # not held while modules are imported, which have locks of their own
        _loads.append(None)
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _loads.pop()
            if not _loads:
                gc.freeze()
                gc.enable()


def _numba(kind: Argument) -> str:
    """Return the name of a type in signatures of numba."""
    if isinstance(kind, Array):
        name = "boolean" if kind.dtype == "bool" else kind.dtype
        return f"Array({name}, {kind.ndim}, 'C', readonly={not kind.writable})"
    return {float: "float64", int: "int64", bool: "boolean"}[kind]


@functools.cache
def library() -> ctypes.CDLL | None:
    """Return the best library for this processor; None in a copy of the sources.

    Raises OSError if none fits it.
    """
    if not FOLDER.is_dir():
        return None
    instructions = _instructions()
    for level, needed in LEVELS.items():
        if needed <= instructions:
            return ctypes.CDLL(str(FOLDER / f"{level}{SUFFIX}"))
    lowest = list(LEVELS)[-1]
    raise OSError(f"This processor lacks instructions of {lowest}, which Mattecam needs.")


def _instructions() -> set[str]:
    """Return the instruction sets of this processor, as Linux lists them."""
    found: set[str] = set()
    if sys.platform == "win32":
        # Windows has no word for some of them, such as bmi1; numpy has asked the
        # processor, and knows the levels.
        features = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__
        for level, needed in LEVELS.items():
            if features.get(level.replace("x86-64-v", "X86_V")):
                found |= needed
    else:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        # One line for each core; all have the same.
        found.update(next((line for line in lines if line.startswith("flags")), "").split())
    return found


def kernel(name: str, arguments: Sequence[Argument]) -> Callable[..., None]:
    """Return a kernel of the library.

    Like numba's, it raises TypeError for an array of another type.
    """
    symbol = getattr(library(), name)
    symbol.restype = ctypes.c_int32
    symbol.argtypes = [
        ctypes.c_void_p,
        ctypes.c_void_p,
        *chain.from_iterable(_passed(argument) for argument in arguments),
    ]
    # None for a number. Made once: a kernel is called for each strip of each frame.
    expected: list[tuple[np.dtype[Any], Array] | None] = []
    for argument in arguments:
        if isinstance(argument, Array):
            expected.append((np.dtype(argument.dtype), argument))
        else:
            expected.append(None)

    def call(*values: Any) -> None:
        flat: list[object] = []
        for value, kind in zip(values, expected, strict=True):
            if kind is None:
                flat.append(value)
                continue
            dtype, array = kind
            flags = value.flags
            fits = value.dtype == dtype and value.ndim == array.ndim and flags.c_contiguous
            if not fits or (array.writable and not flags.writeable):
                raise TypeError(f"{name} takes {array}")
            address = value.__array_interface__["data"][0]
            flat += (None, None, value.size, value.itemsize, address, *value.shape, *value.strides)
        if symbol(ctypes.addressof(_UNREAD), ctypes.addressof(_UNREAD), *flat) != 0:
            raise MemoryError(name)

    return call


def _passed(argument: Argument) -> list[type[Any]]:
    """Return the types in which numba passes an argument.

    Of an array owner, parent, sizes, address, shape, strides.
    """
    if not isinstance(argument, Array):
        return [_SCALARS[argument]]
    owners = [ctypes.c_void_p] * 2
    sizes = [ctypes.c_int64] * 2
    return [*owners, *sizes, ctypes.c_void_p, *([ctypes.c_int64] * (2 * argument.ndim))]
