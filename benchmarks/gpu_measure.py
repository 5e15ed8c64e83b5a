"""Timing of the checks of `benchmarks.gpu`, and the cases that they share."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from app.core.settings import EdgeSettings
from benchmarks.gpu_parts import ROOT, Bench

Row = dict[str, object]
WARM_UPS = 8
OFF, STRICT = EdgeSettings(strict="off"), EdgeSettings()
HD, UHD = (1280, 720, 0.25), (3840, 2160, 0.125)
"""Width, height and ratio."""


def timed(call: Callable[[int], object], seconds: float, hz: float | None = None) -> Row:
    """Call repeatedly for so long, after a warm-up; hz: start one call per interval."""
    end_s = time.perf_counter() + seconds
    for index in range(WARM_UPS):
        call(index)
        if time.perf_counter() > end_s:
            break
    times: list[float] = []
    end_s = time.perf_counter() + seconds
    while (start_s := time.perf_counter()) < end_s or len(times) < 3:
        call(len(times))
        times.append((time.perf_counter() - start_s) * 1e3)
        if hz is not None:
            time.sleep(max(0.0, 1 / hz - (time.perf_counter() - start_s)))
    return summary(times)


def summary(times_ms: list[float]) -> Row:
    """Return median, 99th percentile, maximum and rate."""
    ordered = sorted(times_ms)
    median = statistics.median(ordered)
    return {
        "median_ms": round(median, 3),
        "p99_ms": round(ordered[int(0.99 * len(ordered))], 3),
        "worst_ms": round(ordered[-1], 3),
        "fps": round(1e3 / median, 1),
    }


def answer_of(bench: Bench, fault: str) -> str:
    """Run `benchmarks.gpu_faults` in a process of its own; return its last line."""
    limit_s = 150 if bench.rehearsal else 60
    command = [sys.executable, "-m", "benchmarks.gpu_faults", fault, *(["--rehearse"] if bench.rehearsal else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return f"no answer within {limit_s} s"
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-300:]
