"""Limits and intervals of the service in one value, which tests replace."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.privacy.plausibility import STALE_S

CORES_PER_STREAM = 0.85
"""Cores that a stream of 640x360 at 30 fps takes, coding and network included."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take, and how long the service waits."""

    streams: int = 1
    steps_at_once: int | None = None
    """Streams that step at the same time; None: as many as the cores that this process may use."""
    max_offer_bytes: int = 64 * 1024
    max_candidates: int = 64
    """Addresses in an offer; each is sent packets to find a path."""
    offers_per_minute: float = 30.0
    """Of one address, on average; a burst may have half of it."""
    max_frame_pixels: int = 1920 * 1088
    max_frame_side: int = 4096
    min_frame_side: int = 32
    """With smaller frames the stream is closed, as with larger ones: there is nobody to see."""
    size_changes_per_minute: float = 60.0
    """Each builds an engine. A browser adapts its size a few times a minute; a burst may have half of it."""
    matted_pixels: int = 1280 * 720
    """Larger frames are scaled down before they are matted."""
    connections: int = 256
    """HTTP connections; those that shake hands count."""
    connections_of_client: int = 32
    handshake_s: float = 5.0
    """How long a TLS handshake may take."""
    connection_s: float = 60.0
    """How long an HTTP connection may last; each request opens one where there is none."""
    wrong_tokens_per_minute: float = 30.0
    """Of one client; a burst may have half of it. Further ones are answered late."""
    wrong_token_s: float = 2.0
    """How late. A right token never waits."""
    request_s: float = 10.0
    """How long an HTTP request may take to arrive, and its connection may wait for the next."""
    negotiation_s: float = 10.0
    park_s: float = 5.0
    """Without a frame for this long, the state is forgotten and the engine closed."""
    close_s: float = 15.0
    """Without a frame for this long, the connection is closed."""
    session_s: float = 8 * 3600.0
    drain_s: float = 20.0
    """How long running streams may go on after SIGTERM."""
    stale_s: float = STALE_S
    """The last composite is shown for this long, as in the program; then the stand-by card."""
    card_interval_s: float = 0.2
    hang_up_s: float = 5.0
    """A connection that has not closed after this time is cut."""
    end_s: float = 10.0
    """The service ends after this time even if a step hangs."""
    watch_s: float = 0.5
    stalled_s: float = 10.0
    """A step that takes longer than this makes the service unhealthy."""
    retry_after_s: int = 10


def streams_for(cores: float) -> int:
    """Return how many streams of 640x360 at 30 fps this many cores hold."""
    return max(1, math.floor(cores / CORES_PER_STREAM))
