"""How many replicas the open streams need. Serve's own policy counts HTTP requests, and a stream is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

STREAMS = "streams"
"""Key of the number of streams among the figures that a replica reports."""


class Figures(Protocol):
    """What the policy reads of Serve's `AutoscalingContext`."""

    @property
    def raw_metrics(self) -> Mapping[str, Mapping[Any, Any]]:
        """Values with their times, by name and replica; the newest is the last."""
        ...


class StreamScaling:
    """Autoscaling policy. Serve applies the bounds and the delays."""

    def __init__(self, streams_per_replica: int, occupancy: float) -> None:
        """occupancy: fraction of the places that may be taken before replicas are added."""
        self._places = streams_per_replica * occupancy

    def __call__(self, figures: Figures) -> tuple[int, dict[str, Any]]:
        """Return the number of replicas and an unused state.

        It never falls below the number of replicas with streams.
        """
        series = figures.raw_metrics.get(STREAMS, {}).values()
        streams = [values[-1].value for values in series if len(values)]
        busy = sum(count > 0 for count in streams)
        return max(math.ceil(sum(streams) / self._places), busy), {}
