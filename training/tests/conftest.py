"""Training that does not depend on the machine's speed."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from training.run import Stage
from training.tests.samples import make_cache


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that no test changes."""
    return make_cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def stage(tmp_path: Path, cache: Path) -> Stage:
    """A stretch of two steps."""
    return Stage(
        out=tmp_path / "run",
        cache=cache,
        begin=None,
        size=(64, 48),
        frames=1,
        batch=2,
        minutes=0.01,
        rate=2e-3,
        ema=0.9,
        seed=0,
        save_minutes=10,
        device="cpu",
        half=False,
    )


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock takes 0.1 s: a step has three, so that a stretch of a second has a few
    steps.
    """
    looks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: next(looks) / 10, sleep=time.sleep)
    for module in ("training.run", "training.edges"):
        monkeypatch.setattr(f"{module}.time", clock)
