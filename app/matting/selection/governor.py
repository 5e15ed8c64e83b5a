"""Holds the rate: makes a frame cheaper while the machine is busy, and goes back up when there is head-room again.

Pure logic without a clock or a thread of its own: it is told how long each step took, and answers with the `Quality` to
work at. Down goes along a ladder: first the ratio, then the network, last every second frame alone is matted (the
outputs repeat the last composite meanwhile, so nothing unmatted is ever shown). A way up that turns out too dear is
tried again after longer and longer waits, and there are never more than `MAX_SWITCHES` switches within a minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

FACTORS = (1.0, 0.84, 0.71, 0.6, 0.5)
"""Of the automatic ratio: each step leaves about 0.7 of the small frame's pixels."""
LEAST_SHORT_SIDE = 96
"""Below so many pixels the small frame shows too little of a person."""
FIXED_WORK = 0.15
"""The part of a step's work that does not depend on the ratio. Predictions use it; it was measured on a CPU."""
LIGHTER_WORK = 0.25
"""The work of a step of the lighter network, relative to the better one; each at its automatic ratio."""

HIGH, LOW = 0.92, 0.75
"""Above HIGH of the time there is, quality goes down; it goes up only to where below LOW is expected."""
LATENCY_BOUND_S = 0.15
"""A frame's composite should be there after so long, however low the rate."""
WINDOW_S = 1.0
LEAST_SAMPLES = 5
BUSY_WINDOWS = 2
"""So many windows in a row above HIGH make it go down: one alone is a hiccup."""
SETTLE_S = 0.5
"""What is measured so shortly after a change does not count."""
GAP_S = 1.0
"""After so long without a step the measurements begin anew."""
FIRST_WAIT_S, LONGEST_WAIT_S = 8.0, 300.0
"""How long there has to be head-room before a way up is tried, at first and at last."""
PROBATION_S = 20.0
"""A way up that is taken back within so long has failed."""
EASIER = 0.7
"""Where the load is less than this part of what a failed way up was tried at, the long wait does not hold."""
MAX_SWITCHES, SWITCHES_SPAN_S = 6, 60.0


@dataclass(frozen=True, slots=True)
class Quality:
    """One rung of the ladder."""

    ratio_factor: float = 1.0
    """Of the automatic downsample ratio."""
    lighter_model: bool = False
    every: int = 1
    """Every how manieth frame is matted."""

    @property
    def work(self) -> float:
        """The expected work of one step; that of full quality is 1."""
        pixels = FIXED_WORK + (1 - FIXED_WORK) * self.ratio_factor**2
        return pixels * (LIGHTER_WORK if self.lighter_model else 1.0)


def ladder(short_side: int, least_factor: float, *, ratio_free: bool, model_free: bool) -> tuple[Quality, ...]:
    """The rungs from full quality down.

    short_side: the small frame's at full quality, in pixels. least_factor: no smaller one is possible. ratio_free and
    model_free: whether the user left them on auto; what is pinned is the same on every rung.
    """
    least = max(least_factor, LEAST_SHORT_SIDE / short_side)
    rungs = [Quality(factor) for factor in FACTORS if factor == 1 or (ratio_free and factor >= least)]
    if model_free:
        rungs.append(Quality(lighter_model=True))
    return (*rungs, replace(rungs[-1], every=2))


@dataclass(frozen=True, slots=True)
class Step:
    """What the governor is told of every step."""

    now_s: float
    """When it ended, on any clock that never goes back."""
    busy_s: float
    """How long it kept the inference thread busy."""
    latency_s: float
    """The frame's age when its composite was there."""
    rate_hz: float
    """The rate to hold."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A switch to a better rung that may still turn out to be too expensive."""

    at_s: float
    origin: int
    """The rung before the upgrade; it is known to hold the rate."""
    load: float
    """The load of full quality that was predicted at that time."""


class Governor:
    """Chooses the rung. Used on one thread."""

    def __init__(self, rungs: Sequence[Quality]) -> None:
        """rungs: from full quality down, at least one."""
        self._rungs = tuple(rungs)
        self._index = 0
        self._window: list[Step] = []
        self._since_s: float | None = None
        """When the window begins; None until the next step."""
        self._last_s = float("-inf")
        self._busy_windows = 0
        self._calm_since_s: float | None = None
        self._switches_s: deque[float] = deque()
        self._load = 0.0
        """What full quality is expected to take of the time there is."""
        self._upgrade: Upgrade | None = None
        """The last upgrade, until it has succeeded or failed."""
        self._ceiling = 0
        """The best rung to try next."""
        self._wait_s = FIRST_WAIT_S
        self._failed_load = float("inf")

    @property
    def quality(self) -> Quality:
        """The rung to work at now."""
        return self._rungs[self._index]

    @property
    def at_the_end(self) -> bool:
        """Whether there is nothing left to make cheaper."""
        return self._index == len(self._rungs) - 1

    def disturb(self) -> None:
        """Something changed: what was measured so far says nothing about what comes."""
        self._window.clear()
        self._since_s = None
        self._busy_windows = 0
        self._calm_since_s = None

    def refuse(self) -> None:
        """The present rung's network cannot be had: it leaves the ladder, and the next better rung is the present one.

        Full quality is never refused.
        """
        refused = self.quality
        kept = [rung for rung in self._rungs if not _same_network(rung, refused)]
        self._index = max(0, min(self._index, len(kept)) - 1)
        self._rungs = (*(rung for rung in kept if rung.every == 1), replace(kept[-1], every=2))
        self._upgrade, self._ceiling = None, 0
        self.disturb()

    def observe(self, step: Step) -> bool:
        """Take note of a step; True where `quality` has changed."""
        if step.now_s - self._last_s > max(GAP_S, 3 * (step.busy_s + 1 / step.rate_hz)):
            self.disturb()
        self._last_s = step.now_s
        if self._since_s is None:
            self._since_s = step.now_s + SETTLE_S
        if step.now_s < self._since_s:
            return False
        self._window.append(step)
        if step.now_s - self._since_s < WINDOW_S or len(self._window) < LEAST_SAMPLES:
            return False
        wanted = self._judge(step.now_s)
        self._window.clear()
        self._since_s = step.now_s
        return self._switch(wanted, step.now_s)

    def _judge(self, now_s: float) -> int:
        """The rung that the window speaks for."""
        expected = [self._expected(rung) for rung in self._rungs]
        self._load = expected[0]
        if expected[self._index] > HIGH:
            self._calm_since_s = None
            self._busy_windows += 1
            if self._busy_windows < BUSY_WINDOWS:
                return self._index
            return self._lower(expected, now_s)
        self._busy_windows = 0
        easier = self._load < EASIER * self._failed_load
        better_rungs = range(0 if easier else self._ceiling, self._index)
        better = next((index for index in better_rungs if expected[index] < LOW), None)
        if better is None:
            self._calm_since_s = None
            return self._index
        if self._calm_since_s is None:
            self._calm_since_s = now_s - WINDOW_S
        return better if now_s - self._calm_since_s >= (FIRST_WAIT_S if easier else self._wait_s) else self._index

    def _lower(self, expected: list[float], now_s: float) -> int:
        """Return the cheaper rung to use; where the last upgrade failed, the one from before it."""
        upgrade, self._upgrade = self._upgrade, None
        if upgrade is not None and now_s - upgrade.at_s <= PROBATION_S:
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
            self._failed_load = upgrade.load
            # The rungs between may hold the rate: they are tried next, one after the other.
            self._ceiling = self._index + 1 if self._index + 1 < upgrade.origin else 0
            return upgrade.origin
        if upgrade is not None:
            self._wait_s, self._failed_load, self._ceiling = FIRST_WAIT_S, float("inf"), 0
        cheaper = range(self._index + 1, len(expected))
        return next((index for index in cheaper if expected[index] <= HIGH), len(expected) - 1)

    def _expected(self, quality: Quality) -> float:
        """How much of the time there is a rung would take, as far as the window tells."""
        count = len(self._window)
        scale = quality.work / self.quality.work
        busy_s = scale * sum(step.busy_s for step in self._window) / count
        latency_s = scale * sum(step.latency_s for step in self._window) / count
        return max(busy_s * self._window[-1].rate_hz / quality.every, latency_s / LATENCY_BOUND_S)

    def _switch(self, wanted: int, now_s: float) -> bool:
        while self._switches_s and now_s - self._switches_s[0] > SWITCHES_SPAN_S:
            self._switches_s.popleft()
        if wanted == self._index or len(self._switches_s) >= MAX_SWITCHES:
            return False
        self._switches_s.append(now_s)
        if wanted < self._index:
            self._upgrade = Upgrade(now_s, self._index, self._load)
        self._index = wanted
        self.disturb()
        return True


def _same_network(one: Quality, other: Quality) -> bool:
    return (one.ratio_factor, one.lighter_model) == (other.ratio_factor, other.lighter_model)
