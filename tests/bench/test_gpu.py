"""The checks for a GPU start where only torch, numpy, OpenCV, pydantic and safetensors are installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import gpu_checks
from benchmarks.gpu import Record, run
from benchmarks.gpu_detail import moving_person, training
from benchmarks.gpu_measure import Row
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


def test_a_process_that_does_not_answer_is_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def hanging(command: list[str], **options: object) -> None:
        raise subprocess.TimeoutExpired(command, 60)

    monkeypatch.setattr(subprocess, "run", hanging)
    rows = list(gpu_checks.faults(Bench(rehearsal=False)))
    assert [row["fault"] for row in rows] == ["nan", "memory", "assert"]
    assert all(row["answer"] == "no answer within 60 s" and row["passed"] is False for row in rows)


def test_the_person_moves_and_a_training_step_runs() -> None:
    first, *_, last = moving_person(128, 72, 6)
    assert first.shape == last.shape == (72, 128, 3)
    assert np.abs(first.astype(int) - last).mean() > 3
    rows = list(training(Bench(rehearsal=True)))
    assert [row["batch"] for row in rows] == [2, 4] and all(float(str(row["samples_per_s"])) > 0 for row in rows)
