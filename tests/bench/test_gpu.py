"""The checks for a GPU start where only torch, numpy, OpenCV, pydantic and safetensors are installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import gpu_checks
from benchmarks.gpu import Record, run
from benchmarks.gpu_checks import Row
from benchmarks.gpu_parts import Bench
from tests.paths import ROOT

ABSENT = ("av", "openvino", "numba", "PyQt6", "platformdirs", "psutil", "pooch", "typer", "rich")


def test_the_checks_import_nothing_that_a_bare_environment_lacks() -> None:
    code = f"import sys, benchmarks.gpu, benchmarks.gpu_faults; print([m for m in {ABSENT} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_check_that_fails_is_recorded_and_the_next_one_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(bench: Bench) -> list[Row]:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setitem(gpu_checks.CHECKS, "memory", (failing, 10.0))
    record = Record(tmp_path / "results")
    run(Bench(rehearsal=True), record, ["memory", "ground"])
    rows = json.loads((tmp_path / "results" / "results.json").read_text())
    assert record.failed == ["memory"]
    assert "illegal memory access" in rows[0]["error"]
    assert [row["check"] for row in rows[1:]] == ["ground"] * 4
    assert len((tmp_path / "results" / "log.txt").read_text().splitlines()) == len(rows)


def test_the_shares_of_time_end_within_eight_minutes() -> None:
    assert sum(share_s for _, share_s in gpu_checks.CHECKS.values()) <= 480
