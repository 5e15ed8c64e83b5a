"""What calls kernels that were compiled ahead; `tests/packaging/test_kernels.py` runs real ones."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.core import native_kernels
from app.core.native_kernels import Array, kernel

WORDS, SIZES = ctypes.c_void_p, ctypes.c_int64
ARRAY = (WORDS, WORDS, SIZES, SIZES, WORDS, SIZES, SIZES, SIZES, SIZES)
"""How numba passes an array of two dimensions."""


class Scaled:
    """Stands in for a library with one kernel: multiplies an array by a number, in place, and returns its columns."""

    status = 0

    def __init__(self) -> None:
        self.scale = ctypes.CFUNCTYPE(ctypes.c_int32, WORDS, WORDS, *ARRAY, ctypes.c_double)(self._scale)

    def _scale(self, result: int, _error: int, *given: float) -> int:
        _owner, _parent, count, itemsize, address, rows, columns, down, across, factor = given
        assert (itemsize, down, across) == (4, 4 * columns, 4) and count == rows * columns
        cells = (ctypes.c_float * int(count)).from_address(int(address))
        for index in range(int(count)):
            cells[index] *= factor
        ctypes.c_int64.from_address(result).value = int(columns)
        return self.status


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Scaled:
    library = Scaled()
    monkeypatch.setattr(native_kernels, "library", lambda: SimpleNamespace(scale=library.scale))
    return library


def test_a_kernel_writes_arrays_in_place_and_returns_a_number(library: Scaled) -> None:
    scale = kernel("scale", (Array("float32", 2, writable=True), float), int)
    cells = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert scale(cells, 2.0) == 3
    assert cells.tolist() == [[0, 2, 4], [6, 8, 10]]


@pytest.mark.usefixtures("library")
def test_arrays_of_another_type_order_or_protection_are_refused() -> None:
    scale = kernel("scale", (Array("float32", 2, writable=True), float), int)
    good = np.zeros((4, 4), np.float32)
    protected = good.copy()
    protected.flags.writeable = False
    for wrong in (good.astype(np.float64), good[:, ::2], good.T[:2, :3], good[0], protected):
        with pytest.raises(TypeError, match="scale takes"):
            scale(wrong, 1.0)


def test_a_kernel_that_fails_raises(library: Scaled) -> None:
    library.status = 1
    scale = kernel("scale", (Array("float32", 2, writable=True), float), int)
    with pytest.raises(MemoryError, match="scale"):
        scale(np.zeros((1, 1), np.float32), 1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/cpuinfo")
def test_a_processor_without_the_least_instructions_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library "of this processor.so" was missing."""
    monkeypatch.setattr(native_kernels, "FOLDER", tmp_path)
    monkeypatch.setattr(native_kernels, "LEVELS", {"x86-64-v2": {"no such instruction"}})
    native_kernels.library.cache_clear()
    try:
        with pytest.raises(OSError, match=r"lacks instructions of x86-64-v2"):
            native_kernels.library()
    finally:
        native_kernels.library.cache_clear()
