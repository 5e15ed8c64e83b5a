"""Measures the program in use, in a child process per model and in several rounds."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from app.cli.bench import models_to_measure
from app.core import paths
from app.core.errors import ModelError, how_ended
from app.doctor.display import window_problem
from app.matting.choice.choice import choose, geometry_for
from app.matting.choice.hardware import machine
from app.settings import Settings


class Workload(BaseModel):
    """What a child process measures."""

    settings: Settings
    phases: list[tuple[str, ...]]
    """The outputs of each measurement."""
    seconds: float
    """Of each measurement."""
    rounds: int = 1
    """How often every phase is measured, in turn."""
    still: bool = False
    """Whether nothing moves before the camera."""
    idle: bool = False
    """Also measure the CPU time while the program rests and while it is paused."""


SHORTEST_ROUND_S = 4.0
MOST_ROUNDS = 3
SUMS = ("dropped", "seconds")
LARGEST = ("longest",)
"""Of the stalls of the GUI thread."""


def rounds_of(seconds: float) -> int:
    """Return in how many rounds to measure for `seconds` in all: the state of a machine may change
    within them.
    """
    return min(MOST_ROUNDS, max(1, int(seconds / SHORTEST_ROUND_S)))


def merged(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one row: the median of every number, but the sum of `SUMS` and the largest of
    `LARGEST`.
    """
    return {
        key: _merged(key, [row[key] for row in rows if key in row]) for row in rows for key in row
    }


def _merged(key: str, values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    if not known or isinstance(known[0], str | list):
        return known[-1] if known else None
    if isinstance(known[0], dict):
        return merged(known)
    if key in SUMS:
        return round(sum(known), 2)
    return max(known) if key in LARGEST else round(statistics.median(known), 3)


PHASES: tuple[tuple[str, ...], ...] = (
    (),
    ("preview",),
    ("preview", "camera"),
    ("preview", "camera", "recording"),
)
SHORTEST_S = 1.0
Progress = Callable[[str], None]


def in_use(
    settings: Settings,
    seconds: float,
    progress: Progress = lambda line: None,
    phases: Sequence[tuple[str, ...]] = PHASES,
    *,
    still: bool = False,
) -> dict[str, Any]:
    """Measure every model of `models_to_measure`; return the rows of all measurements.

    seconds: for all measurements together, without warm-up. phases: the outputs of each
    measurement. still: nothing moves before the camera. Raises ModelError.
    """
    models = models_to_measure(settings.matting)
    results: list[dict[str, Any]] = []
    for model in models:
        chosen = fixed(settings, model)
        part_s = max(SHORTEST_S, seconds / len(models) / (len(phases) + 3))
        rounds = rounds_of(part_s)
        work = Workload(
            settings=chosen,
            phases=_possible(phases),
            seconds=part_s / rounds,
            rounds=rounds,
            still=still,
            idle=True,
        )
        rows: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in rows_of_child(work):
            progress(f"{model}: {row['what']} {'+'.join(row['outputs']) or 'without outputs'}")
            rows.setdefault((row["what"], *row["outputs"]), []).append(row)
        results += [{**merged(same), **_labels(chosen)} for same in rows.values()]
    return {"machine": machine(), "results": results}


def program_row(settings: Settings, seconds: float) -> dict[str, Any]:
    """Return the row `program`: the program with preview, virtual camera and recording.

    Its median and 95th percentile are those of the step in use. Raises ModelError.
    """
    chosen = fixed(settings, settings.matting.model)
    (row,) = rows_of_child(
        Workload(settings=chosen, phases=_possible(PHASES[-1:]), seconds=max(SHORTEST_S, seconds))
    )
    return {
        **row,
        **_labels(chosen),
        "what": "program",
        "median_ms": row["step_ms"],
        "p95_ms": row["step_p95_ms"],
        "cpu_ms_per_frame": row["cpu_ms_per_frame"]["total"],
        "cpu_ms_by_part": row["cpu_ms_per_frame"],
    }


def fixed(settings: Settings, model: str) -> Settings:
    """Return the settings with model, executor, precision and ratio resolved, so that they stay
    during the run.
    """
    matting = settings.matting.replace(model=model)
    choice = choose(matting)
    ratio = geometry_for(
        matting, choice.model, settings.capture.width, settings.capture.height
    ).ratio
    matting = matting.replace(
        model=choice.model,
        device=choice.target.device,
        executor=choice.target.executor,
        precision=choice.target.precision,
        downsample_ratio=ratio,
    )
    return settings.replace(matting=matting)


def _possible(phases: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the phases, without the preview where Qt cannot be loaded."""
    if window_problem({**os.environ, "QT_QPA_PLATFORM": "offscreen"}) is None:
        return list(phases)
    without = [tuple(output for output in outputs if output != "preview") for outputs in phases]
    return list(dict.fromkeys(without))


def _labels(settings: Settings) -> dict[str, Any]:
    matting, capture = settings.matting, settings.capture
    return {
        "model": matting.model,
        "executor": matting.executor,
        "precision": matting.precision,
        "size": [capture.width, capture.height],
        "downsample_ratio": round(matting.downsample_ratio or 1.0, 4),
    }


def rows_of_child(work: Workload) -> Iterator[dict[str, Any]]:
    """Run a child process and yield its rows as they arrive. Raises ModelError if it fails."""
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
    ):
        own = {
            f"MATTECAM_{name}_DIR": str(Path(home) / name.lower()) for name in ("CONFIG", "RUNTIME")
        }
        child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.in_use.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            env={
                **os.environ,
                **own,
                "TMPDIR": home,
                "PYTHONPATH": str(paths.IMPORT_ROOT),
                "QT_QPA_PLATFORM": "offscreen",
            },
        )
        assert child.stdin is not None and child.stdout is not None
        try:
            with child.stdin:
                child.stdin.write(work.model_dump_json())
            for line in child.stdout:
                yield json.loads(line)
            if child.wait() != 0:
                errors.seek(0)
                words = errors.read().strip().splitlines()
                reason = (
                    words[-1].removesuffix(".")
                    if words and child.returncode > 0
                    else how_ended(child.returncode)
                )
                raise ModelError(f"The measuring process failed: {reason}.")
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
