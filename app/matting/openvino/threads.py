"""Decides on how many threads a step runs beside the other work of the program.

OpenVINO's workers spin while they wait for each other. On two cores, which capture, outputs and window need as well,
that takes CPU time from them, and a step waits for a worker that was preempted, also for the strips of the kernels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

FEW_CORES = 2
"""Up to this many usable cores, a network that is fast enough runs on one thread."""
LONGEST_S = 0.030
"""CPU time of an inference on one thread that is fast enough: less than the frame interval at 30 fps, since the rest of
the step overlaps the next inference."""
RUNS = 5
"""The fastest inference counts: the first one allocates memory, and other load empties the caches."""
_decided: dict[Hashable, bool] = {}


def tries_one_thread(cores: int, *, shared: bool) -> bool:
    """Return whether one thread may be the better choice. shared: whether other work needs the cores as well."""
    return shared and cores <= FEW_CORES


def is_fast_enough(infer: Callable[[], None], clock: Callable[[], float] = time.thread_time) -> bool:
    """Return whether an inference on the calling thread leaves enough of a frame interval.

    clock: CPU time of the thread in seconds, which other load does not change; replaced in tests.
    """
    durations_s = []
    for _ in range(RUNS):
        started_s = clock()
        infer()
        durations_s.append(clock() - started_s)
    return min(durations_s) <= LONGEST_S


def decided(network: Hashable, measure: Callable[[], bool]) -> bool:
    """Return what was measured first for a network, so that a time near the limit gives one number of threads.

    network: identifies it together with its size and precision. measure: calls `is_fast_enough`.
    """
    if network not in _decided:
        _decided[network] = measure()
    return _decided[network]
