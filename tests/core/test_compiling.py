"""Compiled functions on disk: a damaged, missing or unwritable file costs time and nothing else."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SOURCE = """
from app.core.compiling import compiled
from app.core.native_kernels import Array

def half(values):
    return values // 2

half = compiled(half, [Array("int64", 1)], Array("int64", 1, writable=True), nogil=True)
"""


@pytest.fixture
def module(tmp_path: Path) -> Callable[[], ModuleType]:
    """Return a function that imports a module with a compiled function, as a new process does."""
    file = tmp_path / "halving.py"
    file.write_text(SOURCE)

    def imported() -> ModuleType:
        spec = importlib.util.spec_from_file_location("halving", file)
        assert spec is not None and spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
        assert found.half(np.array([84])).tolist() == [42]
        return found

    return imported


def files(folder: Path) -> list[Path]:
    return sorted((folder / "__pycache__").glob("halving.half-*.nb?"))


def loaded(module: ModuleType) -> bool:
    """Return whether the function came from the disk."""
    return bool(module.half.stats.cache_hits)


def test_a_function_is_compiled_once(module: Callable[[], ModuleType], tmp_path: Path) -> None:
    assert not loaded(module())
    assert [file.suffix for file in files(tmp_path)] == [".nbc", ".nbi"]
    assert loaded(module())


def damaged(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


@pytest.mark.parametrize("suffix", [".nbc", ".nbi"])
def test_a_damaged_file_compiles_the_function_again(
    module: Callable[[], ModuleType], tmp_path: Path, suffix: str
) -> None:
    module()
    (file,) = (file for file in files(tmp_path) if file.suffix == suffix)
    content = file.read_bytes()
    for changed in (damaged(content, 1), damaged(content, len(content) - 40), content[:-1], b""):
        file.write_bytes(changed)
        assert not loaded(module())
    file.unlink()
    assert not loaded(module())
    assert loaded(module()), "the file is replaced"


def test_where_nothing_can_be_written_every_start_compiles(
    module: Callable[[], ModuleType], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    module()
    for file in files(tmp_path):
        file.unlink()
        file.mkdir()  # cannot be replaced by a file, as on a full disk
    assert not loaded(module())
    assert f"cannot be kept in {tmp_path}" in caplog.text
    assert ": a folder has this name; choose another name." in caplog.text
