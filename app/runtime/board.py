"""Collects what the threads report, and makes the status of it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from app.core.errors import Stage, text_of
from app.runtime.status import Latencies, Latency, PipelineStatus, Problem

_log = logging.getLogger(__name__)
MAX_ERRORS = 100
MAX_SAMPLES = 1000
RATE_SPAN_S = 2.0
LATENCY_SPAN_S = 5.0
"""Older samples do not count: after a recording ends, its latency is no longer that of now."""


class Meter:
    """Counts events and collects their durations. Thread-safe."""

    def __init__(self, span_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """span_s: older events do not count for rate and latency."""
        self._lock = threading.Lock()
        self._now = now
        self._span_s = span_s
        self._samples: deque[tuple[float, float]] = deque(maxlen=MAX_SAMPLES)
        """(time in seconds, duration in milliseconds)"""
        self._count = 0
        self.limit: int | None = None
        """Number of events that are counted; set before the first one."""

    def add(self, duration_s: float = 0.0) -> bool:
        """Count one event, now. Return False, and count nothing, beyond the limit."""
        with self._lock:
            if self.limit is not None and self._count >= self.limit:
                return False
            self._count += 1
            self._samples.append((self._now(), duration_s * 1e3))
            return True

    @property
    def count(self) -> int:
        """The number of events so far."""
        with self._lock:
            return self._count

    def latency(self) -> Latency:
        """Return median and 95th percentile of the durations; zeros without an event."""
        ordered = sorted(duration_ms for _, duration_ms in self._recent(self._now()))
        if not ordered:
            return Latency()
        return Latency(ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))])

    def per_second(self) -> float:
        """Return events per second; 0 without events."""
        now_s = self._now()
        recent = [at_s for at_s, _ in self._recent(now_s)]
        if len(recent) < 2:
            return 0.0
        # Over the span from the first recent event to now, so that a stall shows at once.
        elapsed_s = max(recent[-1], now_s - (recent[-1] - recent[0]) / (len(recent) - 1)) - recent[0]
        return (len(recent) - 1) / elapsed_s if elapsed_s > 0 else 0.0

    def _recent(self, now_s: float) -> list[tuple[float, float]]:
        with self._lock:
            while self._samples and self._samples[0][0] <= now_s - self._span_s:
                self._samples.popleft()
            return list(self._samples)


class StatusBoard:
    """Problems, rates and latencies of a run. Thread-safe; what else the status shows belongs to the part it is of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: dict[tuple[Stage, object], Problem] = {}
        """Open problems, by stage and by the part of it that reported them."""
        self._errors: list[str] = []
        self._started_s = time.perf_counter()
        self._started_cpu_s = time.process_time()
        self.capture_ms = Meter(LATENCY_SPAN_S)
        self.step_ms = Meter(LATENCY_SPAN_S)
        self.output_ms = Meter(LATENCY_SPAN_S)
        self.end_to_end_ms = Meter(LATENCY_SPAN_S)
        self.frames_in = Meter(RATE_SPAN_S)
        self.frames_out = Meter(RATE_SPAN_S)
        self.frames_sent = Meter(RATE_SPAN_S)
        self.resumed_s = 0.0
        """When the last suspension ended, by time.perf_counter(); set by the output clock (any thread)."""
        self.captured = self.matted = self.sent = 0
        """Revisions of the settings that are in use, or whose use has failed: by the source, by matting of its frames,
        and by the picture sent (any thread)."""

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
                self._problems[stage, part] = Problem(stage, message, time.monotonic(), part)
                if message not in self._errors and len(self._errors) < MAX_ERRORS:
                    self._errors.append(message)
        if message is not None:
            _log.warning("%s", message, exc_info=problem if isinstance(problem, Exception) else None)
        elif known is not None:
            _log.info("Over: %s", known.message)

    def begin(self) -> None:
        """Start to count the seconds and the CPU time of the run."""
        self._started_s, self._started_cpu_s = time.perf_counter(), time.process_time()

    def read(self) -> PipelineStatus:
        """Return a snapshot."""
        revision = self.sent  # before the problems with these settings
        with self._lock:
            problems = tuple(sorted(self._problems.values(), key=lambda problem: problem.at_s))
            errors = tuple(self._errors)
        return PipelineStatus(
            fps_in=self.frames_in.per_second(),
            fps_out=self.frames_out.per_second(),
            latency_ms=Latencies(
                self.capture_ms.latency(),
                self.step_ms.latency(),
                self.output_ms.latency(),
                self.end_to_end_ms.latency(),
            ),
            frames_in=self.frames_in.count,
            frames_out=self.frames_out.count,
            frames_sent=self.frames_sent.count,
            revision=revision,
            seconds=time.perf_counter() - self._started_s,
            cpu_seconds=time.process_time() - self._started_cpu_s,
            problems=problems,
            errors=errors,
        )
