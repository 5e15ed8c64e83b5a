"""Meters for rates and latencies over the last few seconds."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from app.runtime.status import Latency

MAX_SAMPLES = 300
LATENCY_SPAN_S = 5.0
"""Older samples do not count: after a recording ends, its latency is no longer that of now."""


class LatencyMeter:
    """Collects durations. Thread-safe."""

    def __init__(self, span_s: float = LATENCY_SPAN_S, now: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._span_s = span_s
        self._samples: deque[tuple[float, float]] = deque(maxlen=MAX_SAMPLES)
        """(time in seconds, duration in milliseconds)"""

    def add(self, duration_s: float) -> None:
        """Add a duration in seconds."""
        with self._lock:
            self._samples.append((self._now(), duration_s * 1e3))

    def read(self) -> Latency:
        """Return median and 95th percentile of the last seconds; zeros without a sample."""
        with self._lock:
            since_s = self._now() - self._span_s
            ordered = sorted(duration_ms for at_s, duration_ms in self._samples if at_s >= since_s)
        if not ordered:
            return Latency()
        return Latency(ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))])


class RateMeter:
    """Counts events. Thread-safe."""

    def __init__(self, span_s: float = 2.0, now: Callable[[], float] = time.perf_counter) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._span_s = span_s
        self._times_s: deque[float] = deque(maxlen=1000)
        self._count = 0

    def tick(self) -> None:
        """Count one event, now."""
        with self._lock:
            self._count += 1
            self._times_s.append(self._now())

    @property
    def count(self) -> int:
        """The number of events so far."""
        with self._lock:
            return self._count

    def per_second(self) -> float:
        """Return events per second over the last `span_s`; 0 without events in it."""
        now_s = self._now()
        with self._lock:
            recent = [t for t in self._times_s if t > now_s - self._span_s]
        if len(recent) < 2:
            return 0.0
        # Over the span from the first recent event to now, so that a stall shows at once.
        elapsed_s = max(recent[-1], now_s - (recent[-1] - recent[0]) / (len(recent) - 1)) - recent[0]
        return (len(recent) - 1) / elapsed_s if elapsed_s > 0 else 0.0
