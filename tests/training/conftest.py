"""Training that does not depend on the machine's speed."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock takes 0.1 s: a step has three, so that a stretch of a second has a few steps."""
    looks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: next(looks) / 10)
    for module in ("training.run", "training.edges"):
        monkeypatch.setattr(f"{module}.time", clock)
