"""Head and shoulders in synthetic silhouettes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.people.regions import find_people
from tests.people.crowds import COLUMNS, ROWS, silhouette

CELL = 1 / 45
"""Two cells of the grid."""


@settings(deadline=None, max_examples=40)
@given(x=st.floats(0.25, 0.75), top=st.floats(0.05, 0.5), head=st.floats(0.12, 0.35))
def test_head_and_shoulders_are_found(x: float, top: float, head: float) -> None:
    (found,) = find_people(silhouette(x, top, head))
    assert found.head_x == pytest.approx(x, abs=0.02)
    assert found.head_top == pytest.approx(top, abs=CELL + 0.1 * head)
    assert found.shoulders == pytest.approx(top + head, abs=CELL + 0.25 * head)


@pytest.mark.parametrize("head", [0.15, 0.25])
def test_a_raised_arm_is_not_a_head(head: float) -> None:
    (plain,) = find_people(silhouette(0.5, 0.3, head))
    (waving,) = find_people(silhouette(0.5, 0.3, head, raised_arm=True))
    assert waving.top < plain.top - 0.3 * head, "the arm is part of the person"
    assert waving.head_top == pytest.approx(plain.head_top, abs=CELL)
    assert waving.head_x == pytest.approx(plain.head_x, abs=0.03)


def test_two_people_are_told_apart_and_specks_are_nobody() -> None:
    alpha = np.maximum(silhouette(0.25, 0.3, 0.2), silhouette(0.75, 0.4, 0.15))
    alpha[:6, :6] = 1
    first, second = find_people(alpha)
    assert first.head_x == pytest.approx(0.25, abs=0.02)
    assert second.head_x == pytest.approx(0.75, abs=0.02)
    assert first.area > second.area


def test_an_empty_matte_holds_nobody() -> None:
    assert find_people(np.zeros((ROWS, COLUMNS), np.float32)) == ()


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1 << 30), rows=st.integers(1, 200), columns=st.integers(1, 300))
def test_any_matte_gives_lines_inside_the_frame(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.random((max(1, rows // 16), max(1, columns // 16)))
    alpha = np.kron(coarse, np.ones((16, 16)))[:rows, :columns].astype(np.float32)
    for region in find_people(alpha):
        assert 0 <= region.left < region.right <= 1
        assert 0 <= region.top < region.bottom <= 1
        assert 0 <= region.head_top <= region.shoulders <= 1
        assert 0 <= region.head_x <= 1
