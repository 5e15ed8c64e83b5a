"""Latencies and rates over the last seconds."""

from __future__ import annotations

import pytest

from app.runtime.measure import LatencyMeter, RateMeter
from app.runtime.status import Latency
from app.testing.clock import FakeClock


def test_latency_is_that_of_the_last_seconds() -> None:
    clock = FakeClock()
    meter = LatencyMeter(span_s=0.2, now=clock)
    meter.add(0.5)
    assert meter.read() == Latency(500.0, 500.0)
    clock.now_s += 0.25
    assert meter.read() == Latency()
    meter.add(0.01)
    assert meter.read() == Latency(10.0, 10.0)


def test_latency_figures() -> None:
    meter = LatencyMeter()
    assert meter.read().median == 0
    for milliseconds in range(1, 101):
        meter.add(milliseconds / 1e3)
    figures = meter.read()
    assert abs(figures.median - 51) < 1.5
    assert abs(figures.p95 - 96) < 1.5


def test_the_rate_falls_when_nothing_comes() -> None:
    clock = FakeClock()
    meter = RateMeter(span_s=0.5, now=clock)
    for _ in range(20):
        meter.tick()
        clock.now_s += 0.005
    busy = meter.per_second()
    assert busy == pytest.approx(200, rel=0.06)
    clock.now_s += 0.2
    assert busy > meter.per_second() > 0
    clock.now_s += 0.4
    assert meter.per_second() == 0
    assert meter.count == 20
