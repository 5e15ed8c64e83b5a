"""Measurements and training for a GPU start where only torch, numpy, OpenCV, pydantic and safetensors are installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.matting.interface import StepGeometry
from benchmarks import gpu
from benchmarks.gpu import Bench, Row, correctness, machine, run, speed
from tests.fresh_python import printed_by
from tests.stand_ins import always

pytestmark = [pytest.mark.torch, pytest.mark.long]

ABSENT = ("av", "openvino", "numba", "PyQt6", "platformdirs", "psutil", "requests", "typer", "rich")


@pytest.mark.parametrize("module", ["benchmarks.gpu", "training.gpu"])
def test_nothing_is_imported_that_a_bare_environment_lacks(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {ABSENT} if m in sys.modules])"
    assert printed_by(code) == "[]\n"


def test_a_check_that_fails_is_recorded_and_the_next_one_runs(tmp_path: Path) -> None:
    def failing(bench: Bench) -> Iterator[Row]:
        yield {"begun": True}
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    file = tmp_path / "results.json"
    assert not run(Bench(rehearsal=True), file, (failing, machine))
    rows = json.loads(file.read_text())
    assert "illegal memory access" in rows[1]["error"]
    assert [row["check"] for row in rows] == ["failing", "failing", "machine"]


def test_a_missing_compiler_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "SIZES", gpu.SIZES[:1])
    monkeypatch.setattr(Bench, "seconds", always(0.01))
    monkeypatch.setattr(Bench, "compiled", Mock(side_effect=RuntimeError("no compiler")))
    assert run(Bench(rehearsal=True), tmp_path / "results.json", (speed,))
    told = (tmp_path / "results.json").read_text()
    assert told.count("no compiler") == 2 and told.count("program, eager") == 2


def test_a_step_that_is_not_recorded_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("device", "cpu"), ("precision", "float32")):
        monkeypatch.setattr(Bench, name, value)
    monkeypatch.setattr(Bench, "geometry", always(StepGeometry(128, 72, 0.5)))
    assert not run(Bench(rehearsal=False), tmp_path / "results.json", (correctness,))
    rows = json.loads((tmp_path / "results.json").read_text())
    assert [(row["graph"], row["off_mean"]) for row in rows] == [(False, 0)] * 2


def test_a_rehearsal_passes(tmp_path: Path) -> None:
    assert run(Bench(rehearsal=True), tmp_path / "results.json", (correctness,))
