"""The number of threads of a network that shares two cores with the rest of the program."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import pytest

from app.core.settings import EdgeSettings, EngineSettings
from app.matting import build_engine
from app.matting.base.geometry import StepGeometry
from app.matting.openvino import artefact_cache, recurrent, threads
from app.matting.openvino.openvino_backend import OpenVinoBackend
from app.matting.openvino.threads import LONGEST_S, RUNS, decided, is_fast_enough, tries_one_thread
from models.table import bundled
from models.weights import find

GEOMETRY = StepGeometry(160, 96, 0.5)


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests have measured."""
    monkeypatch.setattr(threads, "_decided", {})


def clock(*durations_s: float) -> Iterator[float]:
    """Yield the time before and after each inference."""
    now_s = 0.0
    for duration_s in durations_s:
        yield now_s
        now_s += duration_s
        yield now_s


@pytest.mark.parametrize(
    ("cores", "shared", "expected"), [(1, True, True), (2, True, True), (4, True, False), (2, False, False)]
)
def test_one_thread_is_tried_on_few_cores_beside_other_work(cores: int, shared: bool, expected: bool) -> None:
    assert tries_one_thread(cores, shared=shared) is expected


@pytest.mark.parametrize(("fastest_s", "expected"), [(0.9 * LONGEST_S, True), (1.1 * LONGEST_S, False)])
def test_the_fastest_inference_counts(fastest_s: float, expected: bool) -> None:
    times = clock(1.0, fastest_s, *[2 * LONGEST_S] * (RUNS - 2))
    runs: list[None] = []
    assert is_fast_enough(lambda: runs.append(None), lambda: next(times)) is expected
    assert len(runs) == RUNS


def test_a_time_near_the_limit_decides_once() -> None:
    answers = iter([True, False, False])
    assert [decided("network", lambda: next(answers)) for _ in range(3)] == [True] * 3
    assert not decided("another network", lambda: next(answers))


def made(*, shared: bool) -> OpenVinoBackend:
    """Return an executor of the bundled network."""
    spec = bundled()
    return OpenVinoBackend(artefact_cache.artefacts.load(spec.name, find(spec.name)), GEOMETRY, shared=shared)


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "slow"])
def test_one_thread_and_all_threads_give_the_same_mattes(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    monkeypatch.setattr(recurrent, "usable_cores", lambda: 2)
    times = chain.from_iterable(clock(*[0.001 if fast else 1.0] * RUNS) for _ in repeat(None))
    monkeypatch.setattr(recurrent, "is_fast_enough", lambda infer: is_fast_enough(infer, lambda: next(times)))
    usual, shared = made(shared=False), made(shared=True)
    assert (usual.threads, shared.threads) == (None, 1 if fast else None)
    assert (usual.overlaps, shared.overlaps) == (False, fast)
    rng = np.random.default_rng(1)
    for _ in range(3):
        frame = rng.integers(0, 255, (96, 160, 3), np.uint8)
        backdrop = np.zeros_like(frame)
        mattes = [each.step(frame, backdrop, EdgeSettings()).result() for each in (usual, shared)]
        assert np.abs(mattes[0].alpha.astype(int) - mattes[1].alpha).max() <= 1
    usual.close()
    shared.close()


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_another_engine_uses_the_threads_of_those_that_were_closed() -> None:
    """A program has built hundreds of engines after a day of changes."""
    counts = []
    for number in range(5):
        width, height = 160 + 32 * number, 96
        engine = build_engine(EngineSettings(model=bundled().name, device="cpu"), width, height)
        frame = np.zeros((height, width, 3), np.uint8)
        engine.step(frame, frame, EdgeSettings()).result()
        engine.close()
        counts.append(len(list(Path("/proc/self/task").iterdir())))
    later = counts[2:]
    assert max(later) < max(counts[:2]) + len(later), f"less than one thread more for each engine: {counts}"
