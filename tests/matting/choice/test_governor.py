"""The governor on simulated machines: bounds, frame rate, recovery and stability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.settings import MIN_RATIO, EngineSettings
from app.matting.choice.governor import (
    LATENCY_BOUND_S,
    MATTED,
    MAX_SWITCHES,
    SWITCHES_SPAN_S,
    Governor,
    MattingPattern,
    MeasuredStep,
    Quality,
    quality_levels,
)
from app.matting.interface import EngineInfo
from tests.stand_ins import always

FULL = Quality()


def ladder(
    short_side: int, least_factor: float, *, ratio_free: bool, model_free: bool
) -> tuple[Quality, ...]:
    """Return the levels of an engine whose input has this short side; the ratio may fall by `least_factor`."""
    ratio = MIN_RATIO / least_factor
    settings = EngineSettings(
        model="auto" if model_free else "rvm-mobilenetv3",
        downsample_ratio=None if ratio_free else min(1.0, ratio),
    )
    info = EngineInfo(
        "rvm-mobilenetv3", "openvino", "float32", "cpu", ratio, (2 * short_side, short_side)
    )
    return quality_levels(settings, info)


LEVELS = ladder(270, 0.2, ratio_free=True, model_free=True)
PINNED = ladder(270, 1.0, ratio_free=False, model_free=False)
BUILD_S = 1.5
"""Time to build an engine on the simulated machine while the old one runs."""


@dataclass
class Simulated:
    """A machine on which a step at full quality takes the fraction `load(time)` of the frame interval."""

    governor: Governor
    load: Callable[[float], float]
    rate_hz: float = 30.0
    fixed: float = 0.3
    """Fraction of the work that does not depend on the ratio."""
    lighter: float = 0.4
    build_s: float = BUILD_S
    now_s: float = 0.0
    switches_s: list[float] = field(default_factory=list)
    steps: list[tuple[float, float, Quality]] = field(default_factory=list)
    """(time in seconds, load as a fraction of the frame interval, quality)"""

    def run(self, until_s: float) -> None:
        running = self.governor.quality
        ready_s = 0.0
        while self.now_s < until_s:
            building = self.now_s < ready_s
            if not building:
                running = self.governor.quality
            work = self.fixed + (1 - self.fixed) * running.ratio_factor**2
            work *= self.lighter if running.lighter_model else 1
            busy_s = max(self.load(self.now_s) * work / self.rate_hz, 1e-5)
            self.now_s += max(busy_s, 1 / (float(running.matted) * self.rate_hz))
            self.steps.append((self.now_s, busy_s * self.rate_hz * float(running.matted), running))
            if not building and self.governor.observe(
                MeasuredStep(self.now_s, busy_s, busy_s, self.rate_hz)
            ):
                self.switches_s.append(self.now_s)
                ready_s = self.now_s + self.build_s

    def changes(self) -> list[tuple[float, Quality, Quality]]:
        """Return when the quality of the steps changed, from what, and to what."""
        return [
            (at_s, before, after)
            for (_, _, before), (at_s, _, after) in pairwise(self.steps)
            if before != after
        ]


def test_the_levels_lower_the_ratio_not_too_far_then_the_model_then_skip_frames() -> None:
    assert LEVELS[0] == FULL
    assert [level.ratio_factor for level in LEVELS[:5]] == [1.0, 0.84, 0.71, 0.6, 0.5]
    assert LEVELS[5] == Quality(lighter_model=True)
    assert LEVELS[6:] == tuple(replace(LEVELS[5], matted=matted) for matted in MATTED)
    works = [level.work * level.matted for level in LEVELS]
    assert works == sorted(works, reverse=True), "each level is cheaper than the one before"
    for short_side, least_factor, expected in (
        (144, 0.1, [1, 0.84, 0.71, 0.71]),
        (800, 0.8, [1, 0.84, 0.84]),
    ):
        levels = ladder(short_side, least_factor, ratio_free=True, model_free=False)
        assert [level.ratio_factor for level in levels[: len(expected)]] == expected
    assert ladder(20, 0.1, ratio_free=True, model_free=False)[:2] == (
        FULL,
        Quality(matted=MATTED[0]),
    )


@given(
    short_side=st.integers(16, 4000),
    least_factor=st.floats(0.01, 1),
    ratio_free=st.booleans(),
    model_free=st.booleans(),
    loads=st.lists(st.floats(0, 8), min_size=2, max_size=20),
    rate_hz=st.sampled_from([1.0, 7.5, 10.0, 30.0]),
    fixed=st.floats(0, 0.9),
    lighter=st.floats(0.05, 1.2),
)
@example(
    270, 0.2, True, True, [1.1, 1.3, 1.6, 2, 2.5, 3, 4, 5, 6, 8], 10.0, 0.5, 0.4
)  # ten switches but for the limit
@settings(max_examples=25, deadline=None)
def test_any_load_stays_within_bounds_and_switches_seldom(
    short_side: int, least_factor: float, ratio_free: bool, model_free: bool, loads: list[float], rate_hz: float,
    fixed: float, lighter: float,
) -> None:  # fmt: skip
    governor = Governor(
        ladder(short_side, least_factor, ratio_free=ratio_free, model_free=model_free)
    )

    def load(now_s: float) -> float:
        return loads[int(now_s / 7) % len(loads)]

    machine = Simulated(governor, load, rate_hz, fixed, lighter)
    machine.run(300)
    for quality in {quality for _, _, quality in machine.steps}:
        assert ratio_free or quality.ratio_factor == 1
        assert model_free or not quality.lighter_model
        assert quality.ratio_factor == 1 or least_factor <= quality.ratio_factor < 1
        assert quality.matted in (1, *MATTED)
    for first_s in machine.switches_s:
        within = [
            at_s for at_s in machine.switches_s if first_s <= at_s < first_s + SWITCHES_SPAN_S
        ]
        assert len(within) <= MAX_SWITCHES


@pytest.mark.parametrize("load", [1.2, 1.8, 2.5, 4.0])
def test_a_load_that_comes_and_goes(load: float) -> None:
    def load_for_a_minute(now_s: float) -> float:
        return load if 30 <= now_s < 90 else 0.5

    machine = Simulated(Governor(LEVELS), load_for_a_minute)
    machine.run(29)
    assert not machine.switches_s, "without need it changes nothing"
    machine.run(90)
    assert fmean(pressure for at_s, pressure, _ in machine.steps if at_s >= 45) < 1, (
        "the frame rate holds"
    )
    machine.run(130)
    assert machine.governor.quality == FULL
    assert len(machine.switches_s) <= 8


def test_quality_is_not_raised_for_somebody_who_is_still() -> None:
    machine = Simulated(Governor(LEVELS), always(1.2))
    machine.run(20)
    quality = machine.governor.quality
    assert quality != FULL
    for frame in range(900):
        busy_s = 1e-5 if (still := frame % 6 > 0) else 0.85 / 30
        machine.governor.observe(MeasuredStep(20 + frame / 30, busy_s, busy_s, 30.0, still))
    assert machine.governor.quality == quality


@given(load=st.floats(0.3, 6), fixed=st.floats(0, 0.9), lighter=st.floats(0.05, 1.2))
@example(load=1.5, fixed=0.625, lighter=0.25)
@example(load=1.125, fixed=0.875, lighter=0.125)
@settings(max_examples=10, deadline=None)
def test_under_a_steady_load_it_comes_to_rest(load: float, fixed: float, lighter: float) -> None:
    """Even with wrong predictions, upgrades are retried at most once in several minutes after a while."""
    machine = Simulated(Governor(LEVELS), always(load), 10.0, fixed, lighter)
    machine.run(1200)

    assert sum(at_s > 600 for at_s in machine.switches_s) <= 8


def test_a_failed_upgrade_returns_to_the_level_that_held_the_rate() -> None:
    machine = Simulated(Governor(LEVELS), always(1.125), 10.0, fixed=0.875, lighter=0.125)
    machine.run(1200)
    raised = [
        (at_s, before, after)
        for at_s, before, after in machine.changes()
        if before.work < after.work
    ]

    assert [LEVELS.index(after) for _, _, after in raised][:5] == [0, 1, 2, 3, 4], (
        "every better level is tried"
    )
    for raised_s, origin, _ in raised:
        assert [
            after for at_s, _, after in machine.changes() if raised_s < at_s < raised_s + 8
        ] in ([], [origin])


def test_a_pause_restarts_measuring() -> None:
    governor = Governor(LEVELS)
    for burst in range(20):
        machine = Simulated(governor, always(3.0), now_s=burst * 100.0)
        machine.run(burst * 100 + 1.6)
        assert not machine.switches_s
    machine.run(machine.now_s + 1.1)
    assert machine.switches_s, "after half a window to settle and two windows"


def test_a_slow_rate_keeps_the_latency_bound() -> None:
    machine = Simulated(Governor(LEVELS), always(0.5), rate_hz=2.0)
    machine.run(60)
    busy_s = machine.steps[-1][1] / machine.rate_hz

    assert machine.governor.quality != FULL
    assert busy_s < LATENCY_BOUND_S


def test_nothing_changes_for_one_hiccup_or_a_latency_that_skipping_does_not_lower() -> None:
    def load_of_a_hiccup(now_s: float) -> float:
        return 20.0 if 10 <= now_s < 10.5 else 0.5

    one_hiccup = Simulated(Governor(LEVELS), load_of_a_hiccup)
    slow = Simulated(Governor(PINNED), always(0.6), 2.0)
    for machine in (one_hiccup, slow):
        machine.run(120)
        assert not machine.switches_s


@pytest.mark.parametrize(
    ("step_ms", "held_hz"),
    [
        (30, 30),
        (35, 27),
        (39, 24),
        (42, 20),
        (46, 20),
        (47, 20),
        (55, 15),
        (70, 13.5),
        (75, 12),
        (90, 10),
    ],
)
def test_the_best_even_rate_that_fits_is_held_and_rises_with_the_headroom(
    step_ms: float, held_hz: float
) -> None:
    machine = Simulated(Governor(PINNED), always(step_ms * 0.03))
    machine.run(120)
    assert machine.governor.quality.matted * 30 == held_hz
    assert len(machine.switches_s) <= 1
    machine.load = always(0.82)
    machine.run(360)
    assert machine.governor.quality.matted * 30 == (30 if held_hz == 30 else 27), (
        "the full rate needs headroom"
    )


@given(phases=st.lists(st.floats(0.9, 1.1), min_size=4, max_size=12), base=st.floats(0.5, 3.5))
@example(phases=[0.90625, 1.0625, 1.0, 1.09375, 1.0, 0.9375], base=2.0)
@example(phases=[1.086, 1.062, 0.91, 0.903, 1.015, 0.92, 0.917, 1.074, 0.91], base=1.5)
@example(phases=[0.964, 0.981, 0.976, 1.098, 0.929, 0.925], base=2.25)
@settings(max_examples=10, deadline=None)
def test_a_load_that_wavers_does_not_make_the_rate_oscillate(
    phases: list[float], base: float
) -> None:
    def load(now_s: float) -> float:
        return base * phases[int(now_s / 1.7) % len(phases)]

    machine = Simulated(Governor(PINNED), load)
    machine.run(600)
    assert sum(at_s > 300 for at_s in machine.switches_s) <= 4


def by_the_better_network(quality: Quality, _now_s: float) -> float:
    return 0.6 if quality.lighter_model else 4.0


def wavering(_quality: Quality, now_s: float) -> float:
    return 6.0 if now_s % 3 < 1.8 else 0.4


OVERLOADS: dict[str, Callable[[Quality, float], float]] = {
    "the better network makes its own steps longer": by_the_better_network,
    "the load wavers": wavering,
}


@pytest.mark.parametrize("build_s", [0.2, BUILD_S])
@pytest.mark.parametrize("name", OVERLOADS)
def test_a_change_back_to_the_better_network_waits(name: str, build_s: float) -> None:
    """After 2 seconds of headroom, two networks alternated four times in 8 seconds."""
    governor = Governor(LEVELS)

    def load(now_s: float) -> float:
        return OVERLOADS[name](governor.quality, now_s)

    machine = Simulated(governor, load, lighter=0.25, build_s=build_s)
    machine.run(300)
    changes = [
        (at_s, after.lighter_model)
        for at_s, before, after in machine.changes()
        if before.lighter_model != after.lighter_model
    ]
    assert changes[0][1], "lowered first"
    assert all(
        up_s - down_s >= 8 for (down_s, _), (up_s, lighter) in pairwise(changes) if not lighter
    )
    assert len(changes) <= 12, "and ever longer where it fails"


def selected(pattern: MattingPattern, indexes: range, generation: int = 1) -> list[int]:
    """Return the frames that the pattern selects."""
    chosen = []
    for index in indexes:
        if not pattern.skips(generation, index):
            pattern.record(generation, index)
            chosen.append(index)
    return chosen


def test_after_lost_frames_and_for_another_source_the_newest_is_matted() -> None:
    pattern = MattingPattern(Fraction(2, 3))
    selected(pattern, range(4))

    assert selected(pattern, range(20, 27)) == [20, 21, 23, 24, 26], "the spacing stays"
    assert selected(pattern, range(4)) == [0, 1, 3], "a restarted source"
    assert selected(pattern, range(5, 9), generation=2) == [5, 6, 8]


@pytest.mark.parametrize("matted", MATTED)
def test_frames_are_skipped_evenly_and_known_two_matted_frames_before(matted: Fraction) -> None:
    chosen = selected(MattingPattern(matted), range(60))
    assert len(chosen) == 60 * matted
    gaps = {later - earlier for earlier, later in pairwise(chosen)}
    assert max(gaps) - min(gaps) <= 1
    assert all(abs(index - number / matted) < 1 for number, index in enumerate(chosen)), "no drift"
    pattern = MattingPattern(matted)
    before = latest = frozenset[int]()
    for index in range(60):
        skipped = pattern.skips(1, index)
        assert skipped == (index in latest)
        if index > 3:
            assert skipped == (index in before)
        if not skipped:
            before = latest
            latest = pattern.skipped_after(1, index)
            pattern.record(1, index)
