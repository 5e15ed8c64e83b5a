"""The machine that is measured, and measuring functions on it."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import psutil

from app.matting.selection import hardware
from app.system.torch_build import find_nvidia


def machine() -> dict[str, object]:
    """Return date, operating system, processor, and numbers of cores and threads, GPU and its driver."""
    return {
        "date": date.today().isoformat(),
        "system": platform.platform(),
        "processor": hardware.processor(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "bfloat16": hardware.cpu_has_bfloat16(),
        "vnni": hardware.cpu_has_vnni(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "gpu": hardware.gpu(card) if (card := hardware.cuda_cards().first()) else None,
        "nvidia_driver": nvidia.driver if (nvidia := find_nvidia()) else None,
        "load_before": round(psutil.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


WARM_UP_CALLS = 5
TURN_CALLS = 5


@dataclass(frozen=True, slots=True)
class Contender:
    """A callable to time, and its labels in the results."""

    what: str
    model: str
    executor: str
    precision: str
    call: Callable[[int], object]
    """Processes one frame; the argument is the frame index. Must synchronize with the device before it returns."""


@dataclass(slots=True)
class CallTimes:
    """Wall-clock and CPU times of one contender's frames, in milliseconds."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return median and 95th percentile (ms), frame rate (fps) and CPU time per frame (ms)."""
        median = statistics.median(self.wall_ms)
        return {
            "median_ms": round(median, 2),
            "p95_ms": round(float(np.percentile(self.wall_ms, 95)), 2),
            "fps": round(1000 / median, 2),
            "cpu_ms_per_frame": round(statistics.median(self.cpu_ms), 2),
        }


def interleave(contenders: Sequence[Contender], seconds: float) -> list[CallTimes]:
    """Time all contenders in turns of a few frames for about `seconds`, and for at least two turns."""
    timings = [CallTimes() for _ in contenders]
    for contender in contenders:
        for index in range(WARM_UP_CALLS):
            contender.call(index)
    started_s, turn = time.perf_counter(), 0
    while turn < 2 or time.perf_counter() - started_s < seconds:
        for contender, timing in zip(contenders, timings, strict=True):
            for index in range(turn * TURN_CALLS, (turn + 1) * TURN_CALLS):
                wall_s, cpu_s = time.perf_counter(), time.process_time()
                contender.call(index)
                timing.wall_ms.append((time.perf_counter() - wall_s) * 1e3)
                timing.cpu_ms.append((time.process_time() - cpu_s) * 1e3)
        turn += 1
    return timings
