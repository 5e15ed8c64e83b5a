"""The description of the machine in benchmark results."""

from __future__ import annotations

import sys
from pathlib import Path

from app.cli.bench.machine import nvidia_driver

MISSING = ("no-such-program-of-nvidia",)


def test_the_driver_is_named_by_nvidia_smi(tmp_path: Path) -> None:
    query = (sys.executable, "-c", "print('580.65.06, 9.0')")
    assert nvidia_driver(query, tmp_path / "none") == "580.65.06"


def test_the_driver_is_named_by_the_kernel_without_nvidia_smi(tmp_path: Path) -> None:
    mark = tmp_path / "version"
    mark.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024")
    assert nvidia_driver(MISSING, mark) == "550.54.14"


def test_without_a_driver_none_is_named(tmp_path: Path) -> None:
    assert nvidia_driver(MISSING, tmp_path / "none") is None
