"""An alpha that suddenly takes the room for a person has to last; people who move or come closer are shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app.core.errors import ModelError
from app.privacy.plausibility import SATURATED, AlphaWatch

SEQUENCE = (1, 1)
"""(source generation, engine number)"""


def never() -> None:
    raise AssertionError("there was nothing to test")


def fails() -> None:
    raise ModelError("The model fails its self-test; choose another.")


def shown(
    watch: AlphaWatch, shares: list[float], test: Callable[[], None], interval_s: float = 1 / 30
) -> list[bool | None]:
    return [watch.permits(share, n * interval_s, SEQUENCE, test) for n, share in enumerate(shares)]


def test_a_person_who_comes_closer_until_the_face_fills_the_frame_is_never_carded() -> None:
    tests: list[int] = []
    shares = [0.3 + 0.7 * n / 60 for n in range(61)] + [1.0] * 60 + [0.96, 0.97, 1.0] * 20
    assert all(shown(AlphaWatch(0.5), shares, lambda: tests.append(1)))
    assert len(tests) == 1, "and the engine is tested once"


def test_ordinary_movement_is_never_suspicious() -> None:
    dice = np.random.default_rng(3)
    shares = list(np.clip(0.4 + np.cumsum(dice.normal(0, 0.05, 3000)), 0, 0.95))
    assert all(shown(AlphaWatch(0.5), shares, never))
    assert all(shown(AlphaWatch(0.5), [0.0, 0.55, 0.0, 0.59], never)), "someone enters at a low frame rate"


def test_a_sudden_rise_is_shown_once_it_has_lasted() -> None:
    assert shown(AlphaWatch(0.5), [0.0] * 3 + [0.8] * 20, lambda: None) == [True] * 3 + [False] * 15 + [True] * 5


def test_an_alpha_that_flickers_between_nothing_and_all_is_never_shown() -> None:
    permitted = shown(AlphaWatch(0.5), [0.0, 1.0] * 200, lambda: None)
    assert permitted == [True, False] * 200


def test_a_first_frame_that_is_all_person_has_to_last() -> None:
    permitted = shown(AlphaWatch(0.5), [1.0] * 20, lambda: None)
    assert permitted == [False] * 15 + [True] * 5
    with pytest.raises(ModelError):
        shown(AlphaWatch(0.5), [1.0] * 20, fails)
    with pytest.raises(ModelError):
        shown(AlphaWatch(0.5), [0.9, SATURATED], fails)


def test_a_person_who_reappears_after_a_self_test_is_shown_at_once() -> None:
    """The self-test resets the engine, and strict mode hides people until they move."""
    tests: list[int] = []
    permitted = shown(AlphaWatch(0.5), [0.0] + [0.8] * 16 + [0.0] * 5 + [0.8] * 5, lambda: tests.append(1))
    assert permitted[16:] == [True] * 11
    assert len(tests) == 1


def test_another_source_starts_anew() -> None:
    watch = AlphaWatch(0.5)
    assert watch.permits(0.0, 0.0, (1, 1), never)
    assert watch.permits(0.9, 0.03, (2, 1), never)


def test_a_rise_with_the_first_frame_of_another_engine_has_to_last() -> None:
    """The watch began anew with every engine, so that the first matte of a broken one was shown."""
    watch, tests = AlphaWatch(0.5), list[int]()
    assert watch.permits(0.2, 0.0, (1, 1), never)
    assert not watch.permits(0.9, 0.1, (1, 2), never)
    assert not watch.permits(0.9, 0.5, (1, 3), never), "every engine has to prove itself"
    assert not watch.permits(0.9, 0.9, (1, 3), never)
    assert watch.permits(0.9, 1.1, (1, 3), lambda: tests.append(1))
    assert tests == [1]
