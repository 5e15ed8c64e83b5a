"""Maintains the frame rate: lowers quality under load and raises it when there is headroom.

Quality is lowered in this order: a smaller downsample ratio, a lighter network, finally fewer matted frames. Skipped
frames repeat the last composite, so no unmatted frame is shown.

Pure logic without a clock or thread: it receives the duration of each step and returns the `Quality` to use. A failed
upgrade is retried with exponential back-off. At most `MAX_SWITCHES` switches are made per minute.
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

RATIO_FACTORS = (1.0, 0.84, 0.71, 0.6, 0.5)
"""Factors of the automatic ratio; each step leaves about 0.7 of the small frame's pixels."""
MATTED = tuple(Fraction(*pair) for pair in ((9, 10), (4, 5), (2, 3), (3, 5), (1, 2), (9, 20), (2, 5), (1, 3)))
"""Fractions of the frames that are matted. Of 30 frames per second: 27, 24, 20, 18, 15, 13.5, 12, 10."""
MIN_SHORT_SIDE = 96
"""Minimum short side in pixels; people are not recognizable in smaller frames."""
FIXED_WORK = 0.15
"""Fraction of a step's work that does not depend on the ratio, measured on a CPU: predicts the load of a level."""
LIGHTER_WORK = 0.25
"""Work of a step of the lighter network relative to the better one, each at its automatic ratio."""
AHEAD = 6
"""The source chooses what it does with the next frame before the last one has been looked at."""


@dataclass(frozen=True, slots=True)
class Quality:
    """One quality level."""

    ratio_factor: float = 1.0
    """Factor of the automatic downsample ratio."""
    lighter_model: bool = False
    matted: Fraction = Fraction(1)
    """Fraction of the frames that are matted."""
    full_ratio: float = field(default=1.0, compare=False)
    """The downsample ratio at full quality."""

    @property
    def ratio(self) -> float | None:
        """The downsample ratio; None: as at full quality."""
        return None if self.ratio_factor == 1 else self.full_ratio * self.ratio_factor

    @property
    def work(self) -> float:
        """Predicted work of one step, relative to full quality."""
        pixels = FIXED_WORK + (1 - FIXED_WORK) * self.ratio_factor**2
        return pixels * (LIGHTER_WORK if self.lighter_model else 1.0)


FULL = Quality()


def quality_levels(settings: EngineSettings, info: EngineInfo) -> tuple[Quality, ...]:
    """Return the quality levels, descending, of an engine that runs `settings` at full quality and is `info`.

    What the user chose is the same on every level.
    """
    # On a frame smaller than that of its training the lighter network takes objects for people.
    lightest = info.model == bundled().name
    full = Quality(full_ratio=info.downsample_ratio)
    least = max(MIN_RATIO / info.downsample_ratio, MIN_SHORT_SIDE / min(info.small_size))
    ratio_free = settings.downsample_ratio is None and not lightest
    factors = [factor for factor in RATIO_FACTORS if factor == 1 or (ratio_free and factor >= least)]
    levels = [replace(full, ratio_factor=factor) for factor in factors]
    if settings.model == "auto" and settings.weights is None and not lightest:
        levels.append(replace(full, lighter_model=True))
    return _with_reduced_rates(levels)


def at_quality(settings: EngineSettings, quality: Quality) -> EngineSettings:
    """Return the settings, which are those of full quality, at this one."""
    if quality.lighter_model:
        settings = settings.replace(model=bundled().name)
    return settings if quality.ratio is None else settings.replace(downsample_ratio=quality.ratio)


def _with_reduced_rates(networks: Sequence[Quality]) -> tuple[Quality, ...]:
    return (*networks, *(replace(networks[-1], matted=matted) for matted in MATTED))


class MattingPattern:
    """Phase accumulator over frame indexes. At 2/3 of the frames it selects 0, 1, 3, 4, 6, 7 and so on."""

    def __init__(self, matted: Fraction) -> None:
        """matted: fraction of the frames to matte, below 1."""
        self._interval = 1 / matted
        self._generation = self._last_index = -1
        """Source generation and index of the last matted frame; -1 before the first."""
        self._due = Fraction(0)
        """Ideal index of the next frame."""

    def skips(self, generation: int, index: int) -> bool:
        """Return whether to skip frame `index` of the source's `generation`."""
        return generation == self._generation and self._last_index < index <= self._due - 1

    def record(self, generation: int, index: int) -> None:
        """Record that this frame was matted."""
        continues = generation == self._generation and index > self._last_index
        # A late frame moves the phase, so that the following ones are not closer together than the interval.
        self._due = (max(self._due, Fraction(index)) if continues else Fraction(index)) + self._interval
        self._generation, self._last_index = generation, index

    def skipped_after(self, generation: int, index: int) -> frozenset[int]:
        """Return which of the next `AHEAD` frames are skipped, if this one is matted and none is late."""
        ahead, skipped = copy.copy(self), set()
        ahead.record(generation, index)
        for later in range(index + 1, index + 1 + AHEAD):
            if ahead.skips(generation, later):
                skipped.add(later)
            else:
                ahead.record(generation, later)
        return frozenset(skipped)


HIGH, LOW = 0.92, 0.75
"""Loads as fractions of the frame interval. Quality is lowered above HIGH and raised to a level predicted below LOW."""
HIGH_REDUCED, LOW_REDUCED = 0.96, 0.9
"""The same for levels that skip frames. Their prediction is exact, because the network stays, and a late step does not
delay the next one."""
LATENCY_BOUND_S = 0.15
"""Upper bound of a composite's latency, even at a low frame rate. A level with the lightest network may exceed it."""
WINDOW_S = 1.0
MIN_SAMPLES = 5
BUSY_WINDOWS = 2
"""Consecutive windows above HIGH before quality is lowered; a single one may be an outlier."""
FIRST_WAIT_S, MAX_WAIT_S = 8.0, 300.0
"""Headroom must last this long before an upgrade: at first, and at most; doubled after each failed upgrade."""
PROBATION_S = 60.0
"""An upgrade that is reverted within this time counts as failed."""
EASIER = 0.7
"""The back-off is skipped if the load has fallen below this fraction of the load at the failed upgrade."""
MAX_SWITCHES, SWITCHES_SPAN_S = 6, 60.0


@dataclass(frozen=True, slots=True)
class StepTiming:
    """Measurements of one step."""

    now_s: float
    """End of the step, on any monotonic clock."""
    busy_s: float
    """Time for which the step occupied the inference thread."""
    latency_s: float
    """Age of the frame when its composite was ready."""
    rate_hz: float
    """Target frame rate."""
    still: bool = False
    """As in `Matte`. It tells nothing of the load once somebody moves."""


class Governor:
    """Selects the quality level. Not thread-safe."""

    def __init__(self, levels: Sequence[Quality] = (FULL,), window_s: float = WINDOW_S) -> None:
        """levels: quality levels in descending order, at least one; with full quality alone there is no choice.

        window_s: steps are judged over windows of this length; those within half of it after a switch are ignored.
        """
        self._levels = tuple(levels)
        self.active = len(self._levels) > 1
        """Whether there is more than one level to choose from."""
        self._window_s = window_s
        self._window: list[StepTiming] = []
        self._window_start_s: float | None = None
        """None until the next step."""
        self._last_s = float("-inf")
        self._busy_windows = 0
        self._headroom_since_s: float | None = None
        self._switches_s: deque[float] = deque()
        self._load = 0.0
        """Predicted load of full quality, as a fraction of the frame interval."""
        self._raised_s: float | None = None
        """When quality was last raised; None once that has failed or succeeded, as for the next two."""
        self._raised_from = 0
        """Level before it was raised, which is known to sustain the frame rate."""
        self._raised_load = 0.0
        """As `_load`, when it was raised."""
        self._ceiling = 0
        """Best level to try next."""
        self._wait_s = FIRST_WAIT_S
        self._failed_load = float("inf")
        self._set_level(0)

    def _set_level(self, index: int) -> None:
        self._index = index
        self.quality = self._levels[index]
        """Quality level to use now."""
        self.pattern = None if self.quality.matted == 1 else MattingPattern(self.quality.matted)
        """Which frames to matte; None: all."""
        self.restart_measuring()

    def restart_measuring(self) -> None:
        """Discard the measurements, because a change has made them invalid."""
        self._window.clear()
        self._window_start_s = None
        self._busy_windows = 0
        self._headroom_since_s = None

    def remove_current(self) -> None:
        """Remove the network of the current level, which cannot be built, and use the next better one.

        Full quality is never removed.
        """
        networks = [level for level in self._levels if level.matted == 1]
        removed = networks.index(replace(self.quality, matted=Fraction(1)))
        del networks[removed]
        self._levels = _with_reduced_rates(networks)
        self._raised_s, self._ceiling = None, 0
        self._set_level(max(0, removed - 1))

    def observe(self, step: StepTiming) -> bool:
        """Record a step; return whether `quality` has changed."""
        if step.now_s - self._last_s > max(WINDOW_S, 3 * (step.busy_s + 1 / step.rate_hz)):
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
        """Return the level to use according to the current window."""
        predicted = self._predicted()
        self._load = predicted[0]
        if predicted[self._index] > _high(self.quality):
            self._headroom_since_s = None
            self._busy_windows += 1
            if self._busy_windows < BUSY_WINDOWS:
                return self._index
            return self._lower(predicted, now_s)
        self._busy_windows = 0
        easier = self._load < EASIER * self._failed_load
        better_levels = range(0 if easier else self._ceiling, self._index)
        better = [index for index in better_levels if predicted[index] < _low(self._levels[index])]
        if not better:
            self._headroom_since_s = None
            return self._index
        if self._headroom_since_s is None:
            self._headroom_since_s = now_s - self._window_s
        waited = now_s - self._headroom_since_s >= (FIRST_WAIT_S if easier else self._wait_s)
        return better[0] if waited else self._index

    def _lower(self, predicted: list[float], now_s: float) -> int:
        """Return the cheaper level to use; if the last upgrade failed, the level before it."""
        raised_s, self._raised_s = self._raised_s, None
        if raised_s is not None and now_s - raised_s <= PROBATION_S:
            self._wait_s = min(2 * self._wait_s, MAX_WAIT_S)
            self._failed_load = self._raised_load
            # Levels in between may sustain the frame rate: try them next, one at a time.
            self._ceiling = self._index + 1 if self._index + 1 < self._raised_from else 0
            return self._raised_from
        if raised_s is not None:
            self._wait_s, self._failed_load, self._ceiling = FIRST_WAIT_S, float("inf"), 0
        cheaper = range(self._index + 1, len(predicted))
        fits = (index for index in cheaper if predicted[index] <= _high(self._levels[index]))
        return next(fits, len(predicted) - 1)

    def _predicted(self) -> list[float]:
        """Return the predicted load of each quality level, as a fraction of the frame interval."""
        works = [level.work for level in self._levels]
        own, rate_hz = works[self._index], self._window[-1].rate_hz
        busy_s = fmean([step.busy_s for step in self._window]) / own
        latency_s = fmean([step.latency_s for step in self._window]) / own
        return [  # skipping more frames would not lower the latency of the others
            max(
                work * busy_s * rate_hz * float(level.matted),
                0.0 if work == works[-1] else work * latency_s / LATENCY_BOUND_S,
            )
            for level, work in zip(self._levels, works, strict=True)
        ]

    def _switch(self, wanted: int, now_s: float) -> bool:
        while self._switches_s and now_s - self._switches_s[0] > SWITCHES_SPAN_S:
            self._switches_s.popleft()
        if wanted == self._index or len(self._switches_s) >= MAX_SWITCHES:
            return False
        self._switches_s.append(now_s)
        if wanted < self._index:
            self._raised_s, self._raised_from, self._raised_load = now_s, self._index, self._load
        self._set_level(wanted)
        return True


def _high(quality: Quality) -> float:
    return HIGH if quality.matted == 1 else HIGH_REDUCED


def _low(quality: Quality) -> float:
    return LOW if quality.matted == 1 else LOW_REDUCED
