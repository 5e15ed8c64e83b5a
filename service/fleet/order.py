"""The order in which replicas get offers: the one with the most streams that has a free place comes first.

Filling replicas one after the other keeps the youngest ones idle, and these are the ones that Serve removes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar


class Rated(Protocol):
    """What the order needs of Serve's `RunningReplica`."""

    @property
    def routing_stats(self) -> Mapping[str, Any]:
        """Figures of `StreamReplica.record_routing_stats`; empty before the first report."""
        ...


R = TypeVar("R", bound=Rated)


def ranked(replicas: Sequence[R]) -> list[list[R]]:
    """Return the replicas in order of preference, each as a rank of its own."""
    return [[replica] for replica in sorted(replicas, key=_order)]


def _order(replica: Rated) -> tuple[bool, int, float]:
    stats = replica.routing_stats
    streams = stats.get("streams", 0)
    return streams >= stats.get("limit", 1), -streams, stats.get("started_s", float("inf"))
