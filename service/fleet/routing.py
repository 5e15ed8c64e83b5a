"""Request router of Ray Serve that uses the order of `service.fleet.order`."""

from __future__ import annotations

from typing import Any

from ray.serve.request_router import FIFOMixin, RequestRouter

from service.fleet.order import ranked


class FullestFirst(FIFOMixin, RequestRouter):
    """Fills replicas one after the other."""

    async def choose_replicas(self, candidate_replicas: list[Any], pending_request: Any = None) -> list[list[Any]]:
        """Return ranks of replicas; Serve takes the first that accepts requests."""
        return ranked(candidate_replicas)
