"""Collects what the threads report, and makes the status of it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from app.core.errors import text_of
from app.core.stage import Stage
from app.runtime.status import Latencies, Latency, PipelineStatus, Problem

_log = logging.getLogger(__name__)
MAX_ERRORS = 100
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


class StatusBoard:
    """Problems, rates and latencies of a run. Thread-safe; what else the status shows belongs to the part it is of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: dict[tuple[Stage, object], Problem] = {}
        """Open problems, by stage and by the part of it that reported them."""
        self._errors: list[str] = []
        self._started_s = time.perf_counter()
        self._started_cpu_s = time.process_time()
        self._ended_s: float | None = None
        self._ended_cpu_s: float | None = None
        self.capture_ms = LatencyMeter()
        self.step_ms = LatencyMeter()
        self.output_ms = LatencyMeter()
        self.end_to_end_ms = LatencyMeter()
        self.frames_in = RateMeter()
        self.frames_out = RateMeter()
        self.frames_sent = RateMeter()
        self.frame_limit: int | None = None
        """Set before the start."""

    def report(self, stage: Stage, problem: Exception | str | None, part: object = None) -> None:
        """Report the problem of a part of `stage`, which stays open until None is reported: the part works (again).

        A repeated report changes nothing.
        """
        message = text_of(problem) if isinstance(problem, Exception) else problem
        with self._lock:
            known = self._problems.get((stage, part))
            if message == (None if known is None else known.message):
                return
            if message is None:
                del self._problems[stage, part]
            else:
                self._problems[stage, part] = Problem(stage, message, time.time())
                if message not in self._errors and len(self._errors) < MAX_ERRORS:
                    self._errors.append(message)
        if message is not None:
            _log.warning("%s", message, exc_info=problem if isinstance(problem, Exception) else None)
        elif known is not None:
            _log.info("Over: %s", known.message)

    def count_frame(self) -> bool:
        """Count a frame that goes out. Return False, and count nothing, after the last one of a limited run."""
        with self._lock:
            if self.frame_limit is not None and self.frames_out.count >= self.frame_limit:
                return False
            self.frames_out.tick()
            return True

    def begin(self) -> None:
        """Start to count the seconds and the CPU time of the run."""
        self._started_s, self._started_cpu_s = time.perf_counter(), time.process_time()

    def end(self) -> None:
        """End the run: `seconds` no longer grows."""
        self._ended_s, self._ended_cpu_s = time.perf_counter(), time.process_time()

    def read(self) -> PipelineStatus:
        """Return a snapshot."""
        with self._lock:
            problems = tuple(sorted(self._problems.values(), key=lambda problem: problem.at_s))
            errors = tuple(self._errors)
        return PipelineStatus(
            fps_in=self.frames_in.per_second(),
            fps_out=self.frames_out.per_second(),
            latency_ms=Latencies(
                self.capture_ms.read(), self.step_ms.read(), self.output_ms.read(), self.end_to_end_ms.read()
            ),
            frames_in=self.frames_in.count,
            frames_out=self.frames_out.count,
            frames_sent=self.frames_sent.count,
            seconds=(self._ended_s or time.perf_counter()) - self._started_s,
            cpu_seconds=(self._ended_cpu_s or time.process_time()) - self._started_cpu_s,
            problems=problems,
            errors=errors,
        )
