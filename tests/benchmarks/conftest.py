"""Fixtures of the benchmark's tests."""

from __future__ import annotations

import pytest

from app.runtime.timing import Timing
from benchmarks.in_use import child, program, run


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure in this process, without warm-up and for a short time."""
    monkeypatch.setattr(run, "SHORTEST_S", 0.1)
    monkeypatch.setattr(run, "rows_of_child", child.measure)
    monkeypatch.setattr(program, "WARM_UP_FRAMES", 3)
    monkeypatch.setattr(program, "WARM_UP_S", 0.0)
    monkeypatch.setattr(program, "TIMING", Timing(demand_linger_s=0.1))
    monkeypatch.setattr(program, "SETTLE_S", 0.0)
    monkeypatch.setattr(child, "SHORTEST_IDLE_S", 0.1)
