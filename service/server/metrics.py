"""Prometheus metrics of the service. They count; nothing in them identifies a client."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

STEP_BUCKETS_S = (0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 5.0)


class Metrics:
    """Counters of one service."""

    def __init__(self, streams: Callable[[], int], limit: int, last_step_age_s: Callable[[], float]) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        Gauge("mattecam_streams", "Open streams.", registry=registry).set_function(streams)
        Gauge("mattecam_streams_limit", "Streams that fit on this machine.", registry=registry).set(limit)
        Gauge(
            "mattecam_last_step_age_seconds", "Time since the last step; 0 without streams.", registry=registry
        ).set_function(last_step_age_s)
        self._frames = Counter("mattecam_frames", "Frames by what became of them.", ["result"], registry=registry)
        self._offers = Counter("mattecam_offers", "Offers by answer.", ["status"], registry=registry)
        self._closed = Counter("mattecam_streams_closed", "Streams closed, by reason.", ["reason"], registry=registry)
        self.step_s = Histogram(
            "mattecam_step_seconds", "Time of a matting step.", buckets=STEP_BUCKETS_S, registry=registry
        )

    def frame(self, result: str) -> None:
        """Count a frame: matted, standby, dropped or skipped."""
        self._frames.labels(result).inc()

    def offer(self, status: int) -> None:
        """Count an offer by its HTTP status."""
        self._offers.labels(str(status)).inc()

    def closed(self, reason: str) -> None:
        """Count the end of a stream."""
        self._closed.labels(reason).inc()

    def text(self) -> bytes:
        """Return the metrics in Prometheus's text format."""
        return generate_latest(self._registry)
