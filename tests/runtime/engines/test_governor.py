"""The governor in the runtime: engines built beside the running one, frames that are left out, what the status says."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from app.core.errors import ModelError
from app.core.settings import MattingSettings
from app.matting.choice.governor import CPU_FIXED_WORK, MATTED
from app.runtime.engines.plan import Decision, Run
from app.runtime.engines.quality import MattingPattern, fixed_work
from tests.runtime.engines.simulated import AUTO, FULL_RATIO, SimulatedEngine, bench
from tests.waiting import eventually


def test_a_load_lowers_the_ratio_and_full_quality_comes_back() -> None:
    with bench() as simulated:
        simulated.run(0.5, 5)
        assert len(simulated.built) == 1
        assert simulated.status.lowered is None

        simulated.run(1.3, 20)
        info = simulated.settle()
        assert 0.5 * FULL_RATIO <= info.downsample_ratio < FULL_RATIO
        assert info.model == "auto"
        assert (
            str(simulated.status.lowered)
            == f"Quality lowered to hold the frame rate: ratio {info.downsample_ratio:.2f}"
        )
        assert simulated.matted_hz is None

        simulated.run(0.5, 30)
        assert simulated.settle().downsample_ratio == FULL_RATIO
        assert simulated.status.lowered is None
        assert not simulated.status.problems


def test_a_heavy_load_changes_the_network_and_skips_frames() -> None:
    with bench() as simulated:
        simulated.run(4.0, 20)
        assert simulated.settle().model == "mattecam"
        assert simulated.matted_hz == 18
        assert str(simulated.status.lowered).endswith("lighter model, 18 of 30 fps")


def test_a_missing_lighter_network_is_not_used_and_not_reported() -> None:
    with bench() as simulated:
        simulated.student_is_missing = True
        simulated.run(4.0, 40)
        info = simulated.settle()
        assert (info.model, info.downsample_ratio) == ("auto", 0.5 * FULL_RATIO)
        assert simulated.matted_hz == 15
        assert not simulated.status.errors


PINNED = MattingSettings(model="rvm-mobilenetv3", downsample_ratio=0.4)
LIGHTEST = MattingSettings(model="mattecam")
"""On a smaller frame it would let things of the room through."""


@pytest.mark.parametrize(
    ("settings", "load", "matted_hz"),
    [(PINNED, 1.3, 27), (PINNED, 2.05, 18), (PINNED, 6.0, 10), (LIGHTEST, 4.0, 18)],
)
def test_what_is_not_lowered_stays_and_the_best_rate_that_fits_is_held(
    settings: MattingSettings, load: float, matted_hz: float
) -> None:
    with bench() as simulated:
        simulated.run(load, 40, settings)
        info = simulated.settle(settings)
        assert (info.model, info.downsample_ratio) == (settings.model, settings.downsample_ratio or FULL_RATIO)
        assert len(simulated.built) == 1, "nothing to build"
        assert simulated.matted_hz == matted_hz, "it may change the matting rate alone"


def test_a_step_of_46_ms_at_30_fps_mattes_two_of_three_frames() -> None:
    pinned = MattingSettings(model="rvm-mobilenetv3", downsample_ratio=FULL_RATIO)
    with bench() as simulated:
        simulated.run(46e-3 * 30, 20, pinned)
        assert simulated.matted_hz == 20
        matted = simulated.matted(30, pinned)
        assert len(matted) == 20
        gaps = [later - earlier for earlier, later in pairwise(matted)]
        assert all(one + other == 3 for one, other in pairwise(gaps)), "gaps of one and two frames alternate"


def test_switching_it_off_restores_full_quality() -> None:
    off = AUTO.replace(governor=False)
    with bench() as simulated:
        simulated.run(1.5, 20)
        assert simulated.settle().downsample_ratio < FULL_RATIO
        assert simulated.settle(off).downsample_ratio == FULL_RATIO
        assert simulated.status.lowered is None
        built = len(simulated.built)
        simulated.run(6.0, 20, off)
        assert len(simulated.built) == built
        assert simulated.matted_hz is None
        simulated.run(1.5, 20)
        assert simulated.settle().downsample_ratio < FULL_RATIO


def test_a_request_taken_back_while_it_is_built_changes_nothing() -> None:
    off = AUTO.replace(governor=False)
    with bench() as simulated:
        simulated.run(0.5, 2)
        first = simulated.built[0]
        simulated.gate.clear()
        while not simulated.selector.preparer.busy:
            simulated.now_s += 1 / 30
            decision = simulated.decide(AUTO)
            if isinstance(decision, Run):
                simulated.ended(decision, 0.05)
        assert runs(simulated.decide(off), first)
        simulated.gate.set()
        eventually(lambda: not simulated.selector.preparer.busy)
        assert runs(simulated.decide(off), first)


def runs(decision: Decision, engine: SimulatedEngine) -> bool:
    return isinstance(decision, Run) and decision.engine is engine


def test_another_choice_of_the_user_begins_at_full_quality() -> None:
    with bench() as simulated:
        simulated.run(1.5, 20)
        chosen = AUTO.replace(precision="float32")
        assert simulated.settle(chosen).downsample_ratio == FULL_RATIO
        assert simulated.status.lowered is None


def test_a_lowered_engine_that_fails_is_replaced_by_another_quality() -> None:
    with bench() as simulated:
        simulated.run(2.8, 6)
        assert simulated.settle().model == "mattecam"
        simulated.selector.failed(ModelError("The network gave no picture; choose another."))
        assert simulated.settle().model == "auto"
        assert simulated.status.errors == ("The network gave no picture; choose another.",)


@pytest.mark.parametrize(("ratio", "share"), [(0.25, 0.11), (0.125, 0.33)])
def test_on_a_gpu_the_frame_counts_more_the_smaller_the_ratio(ratio: float, share: float) -> None:
    assert fixed_work("cuda:0", ratio) == pytest.approx(share, abs=0.005)
    assert fixed_work("cpu", ratio) == CPU_FIXED_WORK


def selected(pattern: MattingPattern, indexes: range, matted: Fraction, generation: int = 1) -> list[int]:
    chosen = []
    for index in indexes:
        if not pattern.skips(generation, index, matted):
            pattern.note(generation, index, matted)
            chosen.append(index)
    return chosen


@pytest.mark.parametrize("matted", [*MATTED, Fraction(1)])
def test_gaps_differ_by_one_frame_at_most_and_the_mean_rate_is_exact(matted: Fraction) -> None:
    count = 60
    chosen = selected(MattingPattern(), range(count), matted)
    assert len(chosen) == count * matted
    gaps = {later - earlier for earlier, later in pairwise(chosen)}
    assert max(gaps) - min(gaps) <= 1
    assert all(abs(index - number / matted) < 1 for number, index in enumerate(chosen)), "no drift"


def test_after_lost_frames_the_newest_is_matted_and_the_spacing_stays() -> None:
    pattern = MattingPattern()
    selected(pattern, range(4), Fraction(2, 3))
    assert selected(pattern, range(20, 27), Fraction(2, 3)) == [20, 21, 23, 24, 26]


def test_another_source_and_a_restarted_one_begin_at_once() -> None:
    pattern = MattingPattern()
    selected(pattern, range(100), Fraction(1, 3))
    assert selected(pattern, range(4), Fraction(1, 3)) == [0, 3]
    assert selected(pattern, range(5, 9), Fraction(1, 3), generation=2) == [5, 8]


@pytest.mark.parametrize("matted", [*MATTED, Fraction(1)])
def test_the_frames_that_will_be_skipped_are_known_two_matted_frames_before(matted: Fraction) -> None:
    pattern = MattingPattern()
    before: frozenset[int] = frozenset()
    latest: frozenset[int] = frozenset()
    for index in range(60):
        skipped = pattern.skips(1, index, matted)
        assert skipped == (index in latest)
        if index > 3:
            assert skipped == (index in before)
        if not skipped:
            before, latest = latest, pattern.skipped_after(1, index, matted)
            pattern.note(1, index, matted)


def test_at_the_full_rate_none_is_skipped_also_right_after_a_reduced_one() -> None:
    pattern = MattingPattern()
    selected(pattern, range(4), Fraction(1, 3))
    assert not pattern.skipped_after(1, 4, Fraction(1))
