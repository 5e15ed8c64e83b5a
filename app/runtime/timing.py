"""Intervals and timeouts of the runtime, as one value that tests replace."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.matting.choice.governor import GovernorTiming
from app.privacy.plausibility import HOLD_S, STALE_S


@dataclass(frozen=True, slots=True)
class Timing:
    """All durations in seconds."""

    source_retry_s: float = 1.0
    """Wait before a source that could not be opened is tried again."""
    source_timeout_s: float = 2.0
    """A source without a frame for this long counts as lost."""
    paused_interval_s: float = 1.0
    """While paused, one frame is read in this time, so that the engine follows the settings and the camera's size."""
    engine_retry_s: float = 5.0
    """Wait before an engine that failed is built again."""
    background_wait_s: float = 2.0
    """Bound for which the first composite waits for its background; after it, plain grey takes its place."""
    sink_retry_s: float | None = None
    """Wait before a sink that failed is opened again, in place of that of its `SinkSpec`."""
    stale_s: float = STALE_S
    outdated_s: float = 0.5
    """The same for a composite that was made under other settings, which may show what is hidden now."""
    hang_s: float = 5.0
    """A driver that has not returned from reading or sending a frame for this long is reported."""
    step_hang_s: float = 20.0
    """The same for a network, which other programs may hold up."""
    open_hang_s: float = 20.0
    """The same for opening a source, an output or a background."""
    poll_s: float = 0.25
    """Interval at which the inference thread looks for a new engine or background while no frame arrives."""
    demand_poll_s: float = 0.25
    """Interval at which readers are counted. Together with the camera's start-up it bounds how long a reader waits."""
    demand_linger_s: float = 3.0
    """The camera stays open for this long after the last reader: programs close and reopen a camera as they start."""
    watchdog_s: float = 0.1
    """Interval at which the watchdog checks the threads, and at which it sends the card in place of a dead clock."""
    plausibility_hold_s: float = HOLD_S
    governor: GovernorTiming = field(default_factory=GovernorTiming)
