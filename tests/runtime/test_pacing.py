"""The steady clock and the meters."""

from __future__ import annotations

import threading
import time

from app.runtime.measure import LatencyMeter, RateMeter
from app.runtime.pacing import SteadyClock


def test_the_clock_neither_drifts_nor_makes_up_for_missed_ticks() -> None:
    stop = threading.Event()
    clock = SteadyClock(200)
    started_s = time.perf_counter()
    for _ in range(40):
        assert clock.wait(stop)
    assert time.perf_counter() - started_s >= 0.19
    time.sleep(0.1)  # a long tick: 20 are missed
    burst_s = time.perf_counter()
    for _ in range(4):
        clock.wait(stop)
    assert time.perf_counter() - burst_s >= 0.009


def test_the_clock_ends_at_once_when_stopped() -> None:
    stop = threading.Event()
    stop.set()
    assert not SteadyClock(0.1).wait(stop)


def test_latency_figures() -> None:
    meter = LatencyMeter()
    assert meter.read().median == 0
    for milliseconds in range(1, 101):
        meter.add(milliseconds / 1e3)
    figures = meter.read()
    assert abs(figures.median - 51) < 1.5
    assert abs(figures.p95 - 96) < 1.5


def test_the_rate_falls_when_nothing_comes() -> None:
    meter = RateMeter(span_s=0.5)
    for _ in range(20):
        meter.tick()
        time.sleep(0.005)
    busy = meter.per_second()
    time.sleep(0.2)
    stalled = meter.per_second()
    assert busy > stalled > 0
    time.sleep(0.4)
    assert meter.per_second() == 0
    assert meter.count == 20
