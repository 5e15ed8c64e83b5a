"""Options of a fleet: the arguments of `service.fleet.application:build` in a Serve configuration."""

from __future__ import annotations

from math import ceil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from app.core.settings import StrictLevel
from service.server.limits import Limits, streams_for

CLOSING_S = 10.0
"""Time to close the streams that are left after draining."""
STALLED_S = 30.0
"""A step that takes longer makes a replica unhealthy. The first step of a stream builds its engine, and replacing the
replica of a busy machine cuts its other streams."""


class FleetOptions(BaseModel):
    """What the replicas of a fleet take and allow. Paths are those of the replicas' machines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_file: Path
    """Token of the clients; mode 0600."""
    ice_servers: Path | None = None
    """JSON file with STUN and TURN servers; mode 0600."""
    strict: StrictLevel = "balanced"
    """What is removed from the mattes of composites; see `EdgeSettings.strict`."""
    cores: float = Field(2.0, gt=0)
    """CPU cores of a replica."""
    gpus: float = Field(0.0, ge=0)
    """GPUs of a replica."""
    streams: int | None = Field(None, ge=1)
    """Streams of a replica; None: as many of 640x360 at 30 fps as its cores hold."""
    min_replicas: int = Field(2, ge=1)
    """With a single replica, a redeployment leaves a time without any."""
    max_replicas: int = Field(8, ge=1)
    occupancy: float = Field(0.75, gt=0, le=1)
    """Fraction of the places that may be taken before replicas are added."""
    drain_s: float = Field(300.0, ge=0)
    """How long the streams of a replica that is stopped or replaced may go on."""
    downscale_delay_s: float = Field(300.0, ge=0)
    """How long replicas must be idle before they are removed."""

    @property
    def streams_per_replica(self) -> int:
        """Places of a replica."""
        return self.streams or streams_for(self.cores)

    @property
    def limits(self) -> Limits:
        """Limits of the service in a replica."""
        return Limits(
            streams=self.streams_per_replica,
            steps_at_once=None if self.gpus else ceil(self.cores),
            drain_s=self.drain_s,
            stalled_s=STALLED_S,
        )
