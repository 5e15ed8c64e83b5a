"""Which executor is the fastest here: a few dozen steps of each, in turn, remembered for this machine and setting."""

from __future__ import annotations

import contextlib
import logging
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.core.errors import ModelError
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import BgrImage
from app.matting.base import Executor, NotAMatteError
from app.matting.selection.executor_memory import Situation, Way, recall, remember
from app.matting.selection.registry import choose, decide, geometry_for, make_executor, situation_of, ways

_log = logging.getLogger(__name__)
WARM_UPS = 3
TURN_STEPS = 3
TURNS = 10
EARLY_TURNS = 2
"""After so many turns the trial ends where the slowest step of the best is faster than the fastest of every other."""
GAIN = 0.9
"""A way has to take less than this part of the time of those before it, which are simpler or more exact."""
MOST_OFF = 0.04
"""An executor whose alpha is off by more than this from the first one's on average is wrong here."""
_NO_EDGES = EdgeSettings()


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial found."""

    situation: Situation
    best: Way
    step_ms: dict[Way, float]
    """Medians of those that gave the right pictures."""


def try_executors(settings: MattingSettings, width: int, height: int, cancelled: Callable[[], bool]) -> bool:
    """Find out once what is best here; True where that is not what an engine built before this would run.

    Takes seconds, beside whatever runs. Does nothing where it is known already or there is no choice.
    """
    choice = choose(settings)
    if len(ways(settings, choice)) < 2:
        return False
    situation = situation_of(settings, choice, geometry_for(settings, choice.model, width, height))
    if recall(situation) is not None:
        return False
    before = decide(settings, width, height)
    found = run_trial(settings, width, height, cancelled)
    return found is not None and found.best != Way(before.executor, before.precision)


def run_trial(
    settings: MattingSettings, width: int, height: int, cancelled: Callable[[], bool] = lambda: False
) -> Trial | None:
    """Measure and remember; None where it was cancelled or nothing ran."""
    choice = choose(settings)
    geometry = geometry_for(settings, choice.model, width, height)
    with contextlib.ExitStack() as built:
        executors: dict[Way, Executor] = {}
        for way in ways(settings, choice):
            if cancelled():
                return None
            try:
                executors[way] = make_executor(
                    settings, replace(choice, executor=way.executor, precision=way.precision), geometry
                )
            except (ModelError, RuntimeError) as error:
                _log.info("%s in %s does not run here (%s).", way.executor, way.precision, error)
                continue
            built.callback(executors[way].close)
        step_ms = measure(executors, _pictures(width, height), cancelled)
    if step_ms is None or not step_ms:
        return None
    found = Trial(situation_of(settings, choice, geometry), best_of(step_ms), step_ms)
    _log.info("Of %s, %s in %s is used here.", step_ms, found.best.executor, found.best.precision)
    remember(found.situation, found.best, step_ms)
    return found


def best_of(step_ms: Mapping[Way, float]) -> Way:
    """The fastest, unless one that comes before it is hardly slower."""
    best, *others = step_ms
    for way in others:
        if step_ms[way] < GAIN * step_ms[best]:
            best = way
    return best


def measure(
    executors: Mapping[Way, Executor], pictures: list[BgrImage], cancelled: Callable[[], bool]
) -> dict[Way, float] | None:
    """Median milliseconds of a step of each that gives the first one's alpha, in turns; None if cancelled."""
    took_ms: dict[Way, list[float]] = {}
    reference: NDArray[np.float32] | None = None
    for way, executor in executors.items():
        alphas = _first_alphas(executor, pictures)
        if alphas is None or cancelled():
            continue
        if reference is None:
            reference = alphas
        if float(np.abs(alphas - reference).mean()) <= MOST_OFF:
            took_ms[way] = []
        else:
            _log.warning("%s in %s gives wrong pictures here.", way.executor, way.precision)
    for turn in range(TURNS):
        for way, times in took_ms.items():
            for step in range(TURN_STEPS):
                if cancelled():
                    return None
                started_s = time.perf_counter()
                executors[way].run(pictures[step % len(pictures)], pictures[-1], _NO_EDGES, False)
                times.append((time.perf_counter() - started_s) * 1e3)
        if not took_ms or (turn + 1 >= EARLY_TURNS and _clear(list(took_ms.values()))):
            break
    return None if cancelled() else {way: statistics.median(times) for way, times in took_ms.items()}


def _clear(times_ms: list[list[float]]) -> bool:
    """Whether one is faster than all the others whatever the chance."""
    best, *others = sorted(times_ms, key=statistics.median)
    return all(max(best) < GAIN * min(other) for other in others)


def _first_alphas(executor: Executor, pictures: list[BgrImage]) -> NDArray[np.float32] | None:
    """The alphas in 0..1 of the first steps, which are not timed; None where they fail."""
    try:
        return np.stack(
            [
                executor.run(pictures[step % len(pictures)], pictures[-1], _NO_EDGES, False).alpha / np.float32(255)
                for step in range(WARM_UPS)
            ]
        )
    except (NotAMatteError, RuntimeError) as error:
        _log.info("%s in %s fails here (%s).", executor.name, executor.precision, error)
        return None


def _pictures(width: int, height: int) -> list[BgrImage]:
    """Something round before a gradient, which moves."""
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    pictures = []
    for turn in range(4):
        round_one = (across - 0.1 * turn) ** 2 + (down - 0.2) ** 2 < 0.3
        channels = [
            np.where(round_one, shade, 60 + 60 * slope) for shade, slope in ((110, across), (140, down), (200, across))
        ]
        pictures.append(np.ascontiguousarray(np.stack(channels, axis=2).astype(np.uint8)))
    return pictures
