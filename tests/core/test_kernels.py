"""Compiled functions on disk, what calls kernels that were compiled ahead, and how many threads may run."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from app.core import compiling, threads
from app.core.compiling import Array, kernel
from app.core.threads import cpu_share, thread_limit, usable_cores
from tests.stand_ins import always

SOURCE = """
from app.core.compiling import Array, compiled

def half(values):
    values //= 2

half = compiled(half, [Array("int64", 1, writable=True)], nogil=True)
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
        found.half(values := np.array([84]))
        assert values.tolist() == [42]
        return found

    return imported


def loaded(module: ModuleType) -> bool:
    """Return whether the function came from the disk."""
    return bool(module.half.stats.cache_hits)


@pytest.mark.parametrize("suffix", [".nbc", ".nbi"])
def test_a_damaged_file_or_one_that_cannot_be_written_compiles_the_function_again(
    module: Callable[[], ModuleType], tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert not loaded(module()) and loaded(module())
    (file,) = (tmp_path / "__pycache__").glob(f"halving.half-*{suffix}")
    content = file.read_bytes()
    for changed in (content[: len(content) // 2], b"", b"no pickle"):
        file.write_bytes(changed)
        assert not loaded(module())
    file.unlink()
    assert not loaded(module())
    assert loaded(module()), "the file is replaced"
    for written in (tmp_path / "__pycache__").glob("halving.half-*.nb?"):
        written.unlink()
        written.mkdir()  # cannot be replaced by a file, as on a full disk
    assert not loaded(module())
    if (
        sys.platform != "win32"
    ):  # there numba takes the error for one that another process has caused
        assert (
            "The compiled function half cannot be loaded or kept (IsADirectoryError" in caplog.text
        )


WORDS = ctypes.c_void_p
SIZES = ctypes.c_int64
# How numba passes an array of two dimensions.
ARRAY = (WORDS, WORDS, SIZES, SIZES, WORDS, SIZES, SIZES, SIZES, SIZES)


def test_a_kernel_writes_arrays_in_place_refuses_others_and_tells_its_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others are of another type, order or size, or protected."""
    statuses = iter((0, 1))

    def multiply(_result: int, _error: int, *given: float) -> int:
        _owner, _parent, count, itemsize, address, rows, columns, down, across, factor = given
        assert (itemsize, down, across) == (4, 4 * columns, 4) and count == rows * columns
        cells = (ctypes.c_float * int(count)).from_address(int(address))
        for index in range(int(count)):
            cells[index] *= factor
        return next(statuses)

    compiled = ctypes.CFUNCTYPE(ctypes.c_int32, WORDS, WORDS, *ARRAY, ctypes.c_double)(multiply)
    monkeypatch.setattr(compiling, "library", always(SimpleNamespace(scale=compiled)))
    scale = kernel("scale", (Array("float32", 2, writable=True), float))
    cells = np.arange(6, dtype=np.float32).reshape(2, 3)
    scale(cells, 2.0)
    assert cells.tolist() == [[0, 2, 4], [6, 8, 10]]
    good = np.zeros((4, 4), np.float32)
    protected = good.copy()
    protected.flags.writeable = False
    for wrong in (good.astype(np.float64), good[:, ::2], good.T[:2, :3], good[0], protected):
        with pytest.raises(TypeError, match="scale takes"):
            scale(wrong, 1.0)
    with pytest.raises(MemoryError, match="scale"):
        scale(good, 1.0)


@pytest.mark.linux("app.core.threads")
def test_a_processor_without_the_least_instructions_is_told_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The library "of this processor.so" was missing."""
    monkeypatch.setattr(compiling, "FOLDER", tmp_path)
    monkeypatch.setattr(compiling, "LEVELS", {"x86-64-v2": {"no such instruction"}})
    compiling.library.cache_clear()
    try:
        with pytest.raises(OSError, match=r"lacks instructions of x86-64-v2"):
            compiling.library()
    finally:
        compiling.library.cache_clear()


CORES = 16


@pytest.fixture(autouse=True)
def _cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_own_cores", always(CORES))


@pytest.mark.parametrize(
    ("groups", "quotas", "cores"),
    [
        ("0::/user.slice/app.scope\n", {}, CORES),
        ("0::/user.slice/app.scope\n", {"user.slice/app.scope": "50000 100000"}, 0.5),
        (
            "0::/user.slice/app.scope\n",
            {"user.slice/app.scope": "max 100000", "user.slice": "300000 100000"},
            3,
        ),
        (
            "0::/user.slice/app.scope\n",
            {"user.slice/app.scope": "400000 100000", "user.slice": "300000 100000"},
            3,
        ),
        ("0::/user.slice/app.scope\n", {"user.slice/other.scope": "50000 100000"}, CORES),
        pytest.param(
            "0::/a:b\n", {"a:b": "150000 100000"}, 1.5, marks=pytest.mark.posix("colons in names")
        ),
        ("0::/\n", {"": "200000 100000"}, 2),
        ("0::/\n", {"": "9900000 100000"}, CORES),
        ("0::/\n", {"": "?"}, CORES),
        ("0::/../../outside\n", {"": "200000 100000"}, 2),
        (None, {"": "200000 100000"}, 2),
    ],
)
def test_the_least_quota_of_the_nearest_group_and_of_all_above_counts(
    groups: str | None, quotas: dict[str, str], cores: float, tmp_path: Path
) -> None:
    """Only the quota at the top counted, which a container has; systemd and others set it on a group below."""
    membership = tmp_path / "membership"
    if groups is not None:
        membership.write_text(groups)
    for group, text in quotas.items():
        folder = tmp_path / "cgroup" / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(f"{text}\n")

    assert cpu_share(tmp_path / "cgroup", membership) == cores


@pytest.mark.parametrize(
    ("membership", "folder", "quota", "period", "cores"),
    [
        pytest.param(
            "4:cpu,cpuacct:/docker/1f\n", "cpu,cpuacct", 150000, 100000, 1.5, id="a container"
        ),
        pytest.param(
            "4:cpu,cpuacct:/docker/1f\n",
            "cpu,cpuacct/docker/1f",
            50000,
            100000,
            0.5,
            id="its group",
        ),
        pytest.param("1:cpu:/a/b\n0::/\n", "cpu/a", 100000, 50000, 2, id="a group above"),
        pytest.param(
            "4:cpuacct,cpu:/a\n", "cpu/a", 300000, 100000, 3, id="the link of the controller"
        ),
        pytest.param("4:cpu,cpuacct:/a\n", "cpu,cpuacct/a", -1, 100000, CORES, id="no quota"),
        pytest.param("4:cpu,cpuacct:/a\n", "cpu,cpuacct/a", 100000, 0, CORES, id="no period"),
        pytest.param("4:cpuset:/a\n", "cpuset/a", 50000, 100000, CORES, id="another controller"),
        pytest.param(
            "4:cpu,cpuacct:/a\n", "cpu,cpuacct/b", 50000, 100000, CORES, id="another group"
        ),
    ],
)
def test_quotas_of_control_groups_of_version_1_count(
    membership: str, folder: str, quota: int, period: int, cores: float, tmp_path: Path
) -> None:
    """Docker on older systems limited the processor unseen: as many threads as cores waited for their turn."""
    group = tmp_path / "cgroup" / folder
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (group / "cpu.cfs_period_us").write_text(f"{period}\n")
    (tmp_path / "membership").write_text(membership)

    assert cpu_share(tmp_path / "cgroup", tmp_path / "membership") == cores


@pytest.mark.parametrize(
    ("share", "cores", "limit"), [(0.2, 1, 1), (1.5, 2, 2), (CORES, CORES, None)]
)
def test_a_quota_limits_the_threads(
    share: float, cores: int, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All cores were taken, so that the quota was used up early and every step waited for the next period."""
    monkeypatch.setattr(threads, "cpu_share", always(share))
    assert (usable_cores(), thread_limit()) == (cores, limit)
