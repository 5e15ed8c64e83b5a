"""Latencies over the last seconds."""

from __future__ import annotations

import time

from app.runtime.measure import LatencyMeter
from app.runtime.status import Latency


def test_latency_is_that_of_the_last_seconds() -> None:
    meter = LatencyMeter(span_s=0.2)
    meter.add(0.5)
    assert meter.read() == Latency(500.0, 500.0)
    time.sleep(0.25)
    assert meter.read() == Latency()
    meter.add(0.01)
    assert meter.read() == Latency(10.0, 10.0)
