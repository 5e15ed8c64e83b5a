"""Maintains the frame rate: lowers quality under load and raises it when there is headroom.

Quality is lowered in this order: a smaller downsample ratio, a lighter network, finally fewer
matted frames. Skipped frames repeat the last composite, so no unmatted frame is shown.

Pure logic without a clock or thread: it receives the duration of each step and returns the
`Quality` to use. A failed upgrade is retried with exponential back-off. At most `MAX_SWITCHES`
switches are made per minute.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from statistics import fmean

from app.core.settings import MIN_RATIO, EngineSettings
from app.matting.interface import EngineInfo
from models.table import bundled

# Factors of the automatic ratio; each step leaves about 0.7 of the small frame's pixels.
RATIO_FACTORS = (1.0, 0.84, 0.71, 0.6, 0.5)
# Fractions of the frames that are matted. Of 30 frames per second: 27, 24, 20, 18, 15, 13.5, 12,
# 10.
MATTED = (
    Fraction(9, 10),
    Fraction(4, 5),
    Fraction(2, 3),
    Fraction(3, 5),
    Fraction(1, 2),
    Fraction(9, 20),
    Fraction(2, 5),
    Fraction(1, 3),
)
# Minimum short side in pixels; people are not recognizable in smaller frames.
MIN_SHORT_SIDE = 96
# Fraction of a step's work that does not depend on the ratio,
# measured on a CPU: predicts the load of a level.
FIXED_WORK = 0.15
# Work of a step of the lighter network relative to the better one, each at its automatic ratio.
LIGHTER_WORK = 0.25
# How many frames ahead the capture thread knows which ones will not be matted, so that it need not
# decode them: it reads the next ones while the inference thread still mattes the last one.
AHEAD = 6


@dataclass(frozen=True, slots=True)
class Quality:
    """One quality level: what is cheaper in it than at full quality."""

    # Factor of the automatic downsample ratio.
    ratio_factor: float = 1.0
    lighter_model: bool = False
    # Fraction of the frames that are matted.
    matted: Fraction = Fraction(1)
    # The downsample ratio of the engine at full quality, the same in all of its levels.
    full_ratio: float = field(default=1.0, compare=False)

    @property
    def ratio(self) -> float | None:
        """The downsample ratio to set; None: leave the setting as it is at full quality."""
        if self.ratio_factor == 1:
            return None
        return self.full_ratio * self.ratio_factor

    @property
    def work(self) -> float:
        """Predicted work of one step, relative to full quality."""
        pixels = FIXED_WORK + (1 - FIXED_WORK) * self.ratio_factor**2
        if self.lighter_model:
            return pixels * LIGHTER_WORK
        return pixels


FULL = Quality()


def quality_levels(settings: EngineSettings, info: EngineInfo) -> tuple[Quality, ...]:
    """Return the quality levels of an engine, the best first.

    settings: those of full quality. info: of the engine that runs them. A ratio or a model that the
    user has chosen is the same on every level.
    """
    is_lightest = info.model == bundled().name
    full = Quality(full_ratio=info.downsample_ratio)
    levels = [full]
    # On a frame smaller than that of its training the lightest network takes objects for people.
    if settings.downsample_ratio is None and not is_lightest:
        least = max(MIN_RATIO / info.downsample_ratio, MIN_SHORT_SIDE / min(info.small_size))
        smaller = [factor for factor in RATIO_FACTORS if factor != 1 and factor >= least]
        levels += [replace(full, ratio_factor=factor) for factor in smaller]
    if settings.model == "auto" and settings.weights is None and not is_lightest:
        levels.append(replace(full, lighter_model=True))
    return _with_reduced_rates(levels)


def at_quality(settings: EngineSettings, quality: Quality) -> EngineSettings:
    """Return the settings of a quality level. settings: those of full quality."""
    if quality.lighter_model:
        settings = settings.replace(model=bundled().name)
    if quality.ratio is None:
        return settings
    return settings.replace(downsample_ratio=quality.ratio)


def _with_reduced_rates(full_rate: Sequence[Quality]) -> tuple[Quality, ...]:
    """Return these levels, which matte every frame, and below them the last one at each rate of
    `MATTED`.
    """
    lightest = full_rate[-1]
    reduced = [replace(lightest, matted=matted) for matted in MATTED]
    return (*full_rate, *reduced)


class MattingPattern:
    """Selects the frames to matte, by a phase accumulator over their indexes.

    At 2/3 of the frames these are 0, 1, 3, 4, 6, 7 and so on.
    """

    def __init__(self, matted: Fraction) -> None:
        """matted: fraction of the frames to matte, below 1."""
        self._interval = 1 / matted
        # Both of the last matted frame, as in `Frame`; -1 before the first.
        self._generation = -1
        self._last_index = -1
        # Ideal index of the next frame to matte: a fraction, of which the frame below is taken.
        self._due = Fraction(0)

    def skips(self, generation: int, index: int) -> bool:
        """Return whether to skip frame `index` of the source's `generation`."""
        return generation == self._generation and self._last_index < index <= self._due - 1

    def record(self, generation: int, index: int) -> None:
        """Record that this frame was matted."""
        continues = generation == self._generation and index > self._last_index
        matted_at = Fraction(index)
        if continues:
            # A late frame moves the phase, so that the following ones
            # are not closer together than the interval.
            matted_at = max(self._due, matted_at)
        self._due = matted_at + self._interval
        self._generation = generation
        self._last_index = index

    def skipped_after(self, generation: int, index: int) -> frozenset[int]:
        """Return the indexes of the next `AHEAD` frames that are skipped, if this one is matted and
        none is late.
        """
        ahead = copy.copy(self)
        skipped = set()
        ahead.record(generation, index)
        for later in range(index + 1, index + 1 + AHEAD):
            if ahead.skips(generation, later):
                skipped.add(later)
            else:
                ahead.record(generation, later)
        return frozenset(skipped)


# Loads as fractions of the frame interval: quality is lowered
# above HIGH and raised to a level predicted below LOW.
HIGH = 0.92
LOW = 0.75
# The same for levels that skip frames. Their prediction is exact, because the network stays, and a
# late step does not delay the next one.
HIGH_REDUCED = 0.96
LOW_REDUCED = 0.9
# Upper bound of a composite's latency, even at a low frame rate. A level with the lightest network
# may exceed it.
LATENCY_BOUND_S = 0.15
# The steps of a window are judged together: its length, and the fewest steps in it.
WINDOW_S = 1.0
MIN_SAMPLES = 5
# Consecutive windows above HIGH before quality is lowered; a single one may be an outlier.
BUSY_WINDOWS = 2
# Headroom must last this long before an upgrade: at first,
# and at most; doubled after each failed upgrade.
FIRST_WAIT_S = 8.0
MAX_WAIT_S = 300.0
# An upgrade that is reverted within this time counts as failed.
PROBATION_S = 60.0
# The back-off is skipped if the load has fallen below this fraction of the load at the failed
# upgrade.
EASIER = 0.7
# Most switches of the level within the span: each may build an engine.
MAX_SWITCHES = 6
SWITCHES_SPAN_S = 60.0


@dataclass(frozen=True, slots=True)
class MeasuredStep:
    """Measurements of one step."""

    # End of the step, on any monotonic clock.
    now_s: float
    # Time for which the step occupied the inference thread.
    busy_s: float
    # Age of the frame when its composite was ready.
    latency_s: float
    # Target frame rate.
    rate_hz: float
    # As in `Matte`: the network left the frame out, which tells nothing of the load once somebody
    # moves.
    still: bool = False


@dataclass(slots=True)
class _Upgrades:
    """What is known of raising the quality: the last attempt, and when and how far to try again."""

    # When quality was last raised; None once that attempt has failed or lasted. The next two are of
    # this attempt, and have no meaning after it.
    raised_s: float | None = None
    # Index of the level before it was raised, which is known to sustain the frame rate.
    raised_from: int = 0
    # Predicted load of full quality when it was raised.
    raised_load: float = 0.0
    # Index of the best level to try next.
    ceiling: int = 0
    # How long headroom must last.
    wait_s: float = FIRST_WAIT_S
    # Predicted load of full quality at the last attempt that failed.
    failed_load: float = float("inf")

    def failed(self, index: int) -> None:
        """Record that the frame rate was lost soon after quality was raised to the level `index`."""
        self.wait_s = min(2 * self.wait_s, MAX_WAIT_S)
        self.failed_load = self.raised_load
        # Levels in between may sustain the frame rate: try them next, one at a time.
        self.ceiling = 0
        if index + 1 < self.raised_from:
            self.ceiling = index + 1

    def succeeded(self) -> None:
        """Record that the last attempt lasted: what was known of failures is over."""
        self.wait_s = FIRST_WAIT_S
        self.failed_load = float("inf")
        self.ceiling = 0


class Governor:
    """Selects the quality level, by its index: 0 is full quality, a higher one is cheaper.

    Used on the inference thread.
    """

    def __init__(self, levels: Sequence[Quality] = (FULL,), window_s: float = WINDOW_S) -> None:
        """levels: quality levels in descending order, at least one; with full quality alone there
        is no choice.

        window_s: steps are judged over windows of this length; those within half of it after a
        switch are ignored.
        """
        self._levels = tuple(levels)
        # Whether there is more than one level to choose from.
        self.active = len(self._levels) > 1
        self._window_s = window_s
        self._window: list[MeasuredStep] = []
        # None until the next step.
        self._window_start_s: float | None = None
        # End of the last step.
        self._last_s = float("-inf")
        # Windows in a row above HIGH.
        self._busy_windows = 0
        self._headroom_since_s: float | None = None
        self._switches_s: deque[float] = deque()
        # Predicted load of full quality, as a fraction of the frame interval.
        self._load = 0.0
        self._upgrades = _Upgrades()
        self._set_level(0)

    def _set_level(self, index: int) -> None:
        self._index = index
        # The level to use now.
        self.quality = self._levels[index]
        # Which frames to matte; None: all.
        self.pattern: MattingPattern | None = None
        if self.quality.matted != 1:
            self.pattern = MattingPattern(self.quality.matted)
        self.restart_measuring()

    def restart_measuring(self) -> None:
        """Discard the measurements, because a change has made them invalid."""
        self._window.clear()
        self._window_start_s = None
        self._busy_windows = 0
        self._headroom_since_s = None

    def remove_current(self) -> None:
        """Remove the ratio and network of the current level, which cannot be built; use the next
        better level.

        Not for those of full quality, which must stay: the caller builds another engine then.
        """
        full_rate = [level for level in self._levels if level.matted == 1]
        removed = full_rate.index(replace(self.quality, matted=Fraction(1)))
        del full_rate[removed]
        self._levels = _with_reduced_rates(full_rate)
        # The indexes of the levels have changed.
        self._upgrades.raised_s = None
        self._upgrades.ceiling = 0
        self._set_level(max(0, removed - 1))

    def observe(self, step: MeasuredStep) -> bool:
        """Record a step; return whether `quality` has changed."""
        longest_gap_s = max(WINDOW_S, 3 * (step.busy_s + 1 / step.rate_hz))
        if step.now_s - self._last_s > longest_gap_s:
            # After a pause, what was measured before it is no longer so.
            self.restart_measuring()
        self._last_s = step.now_s
        if self._window_start_s is None:
            self._window_start_s = step.now_s + self._window_s / 2
        if step.still or step.now_s < self._window_start_s:
            return False
        self._window.append(step)
        if step.now_s - self._window_start_s < self._window_s or len(self._window) < MIN_SAMPLES:
            return False
        wanted = self._judge(step.now_s)
        self._window.clear()
        self._window_start_s = step.now_s
        return self._switch(wanted, step.now_s)

    def _judge(self, now_s: float) -> int:
        """Return the index of the level to use, by the window that ends now."""
        predicted = self._predicted()
        self._load = predicted[0]
        if predicted[self._index] > _high(self.quality):
            self._headroom_since_s = None
            self._busy_windows += 1
            if self._busy_windows < BUSY_WINDOWS:
                return self._index
            return self._lower(predicted, now_s)
        self._busy_windows = 0
        return self._raise(predicted, now_s)

    def _raise(self, predicted: list[float], now_s: float) -> int:
        """Return the index of a better level once headroom has lasted for long enough; else the
        current one.
        """
        upgrades = self._upgrades
        is_easier = self._load < EASIER * upgrades.failed_load
        ceiling = upgrades.ceiling
        wait_s = upgrades.wait_s
        if is_easier:
            ceiling = 0
            wait_s = FIRST_WAIT_S
        levels = range(ceiling, self._index)
        better = [index for index in levels if predicted[index] < _low(self._levels[index])]
        if not better:
            self._headroom_since_s = None
            return self._index
        if self._headroom_since_s is None:
            # The window that ends now has had headroom from its start.
            self._headroom_since_s = now_s - self._window_s
        if now_s - self._headroom_since_s < wait_s:
            return self._index
        return better[0]

    def _lower(self, predicted: list[float], now_s: float) -> int:
        """Return the index of a cheaper level; of the level before the last upgrade, if that has
        failed.
        """
        upgrades = self._upgrades
        raised_s = upgrades.raised_s
        upgrades.raised_s = None
        if raised_s is not None:
            if now_s - raised_s <= PROBATION_S:
                upgrades.failed(self._index)
                return upgrades.raised_from
            # Known only now, when the load has risen again, that the upgrade lasted.
            upgrades.succeeded()
        last = len(predicted) - 1
        for index in range(self._index + 1, last):
            if predicted[index] <= _high(self._levels[index]):
                return index
        return last

    def _predicted(self) -> list[float]:
        """Return the predicted load of each quality level, as a fraction of the frame interval."""
        own_work = self.quality.work
        least_work = self._levels[-1].work
        rate_hz = self._window[-1].rate_hz
        # Both of a step of full quality: they grow with its work.
        busy_s = fmean([step.busy_s for step in self._window]) / own_work
        latency_s = fmean([step.latency_s for step in self._window]) / own_work
        loads = []
        for level in self._levels:
            load = level.work * busy_s * rate_hz * float(level.matted)
            # Skipping more frames would not lower the latency of the others.
            if level.work != least_work:
                load = max(load, level.work * latency_s / LATENCY_BOUND_S)
            loads.append(load)
        return loads

    def _switch(self, wanted: int, now_s: float) -> bool:
        """Use the level with this index; return whether it is another one and there were few
        switches of late.
        """
        while self._switches_s and now_s - self._switches_s[0] > SWITCHES_SPAN_S:
            self._switches_s.popleft()
        if wanted == self._index or len(self._switches_s) >= MAX_SWITCHES:
            return False
        self._switches_s.append(now_s)
        if wanted < self._index:
            self._upgrades.raised_s = now_s
            self._upgrades.raised_from = self._index
            self._upgrades.raised_load = self._load
        self._set_level(wanted)
        return True


def _high(quality: Quality) -> float:
    """Return the load above which quality is lowered."""
    if quality.matted == 1:
        return HIGH
    return HIGH_REDUCED


def _low(quality: Quality) -> float:
    """Return the predicted load below which quality is raised to this level."""
    if quality.matted == 1:
        return LOW
    return LOW_REDUCED
