"""The choice of frames at a reduced matting rate."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from app.matting.selection.governor import MATTED
from app.runtime.engines.quality import MattingPattern


def selected(pattern: MattingPattern, indexes: range, matted: Fraction, generation: int = 1) -> list[int]:
    chosen = []
    for index in indexes:
        if not pattern.skips(generation, index, matted):
            pattern.note(generation, index, matted)
            chosen.append(index)
    return chosen


def test_two_of_three_frames() -> None:
    assert selected(MattingPattern(), range(10), Fraction(2, 3)) == [0, 1, 3, 4, 6, 7, 9]


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
