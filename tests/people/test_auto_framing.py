"""People in a matte, and the path of the view on synthetic walks: calm, without overshoot, always inside the frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.people.auto_framing import (
    MAX_SPEED,
    MAX_ZOOM_RATE,
    STYLES,
    AutoFraming,
    FramingStyle,
    Motion,
    minimum_jerk_step,
)
from app.people.regions import Region, find_people
from tests.people.crowds import ASPECT, COLUMNS, ROWS, person, silhouette

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


FPS = 30
Track = NDArray[np.float64]
"""(N, 3): centre of the view along both axes, and the logarithm of its size, per frame."""


def track(people: Callable[[float], Sequence[Region]], seconds: float, style: FramingStyle = "calm") -> Track:
    """Return the views of a scene in which `people(time)` are seen."""
    framing = AutoFraming(style, ASPECT)
    views = [framing.follow(people(index / FPS), 1 / FPS) for index in range(round(seconds * FPS))]
    return np.array([(v.left + v.size / 2, v.top + v.size / 2, math.log(v.size)) for v in views])


def speed(path: Track) -> Track:
    return np.abs(np.diff(path, axis=0)) * FPS


def jerk(path: Track) -> Track:
    return np.abs(np.diff(path, 3, axis=0)) * FPS**3


def walk(time_s: float) -> list[Region]:
    """Stand for five seconds, walk across half of the frame in two, stand again."""
    return [person(0.25 + 0.25 * min(max(time_s - 5, 0.0), 2.0))]


def leap(time_s: float) -> list[Region]:
    return [person(0.3 if time_s < 5 else 0.7)]


def pacing(time_s: float) -> list[Region]:
    return [person(0.5 + 0.3 * math.sin(0.8 * time_s))]


@pytest.mark.parametrize("style", ["calm", "close"])
@pytest.mark.parametrize("scene", [walk, leap, pacing])
def test_paths_are_smooth_and_slow(scene: Callable[[float], list[Region]], style: FramingStyle) -> None:
    path = track(scene, 15, style)
    assert jerk(path).max() < 6, "widths of the frame per second cubed; measured 3.7"
    assert (speed(path).max(0) <= (1.1 * MAX_SPEED, 1.1 * MAX_SPEED, 1.1 * MAX_ZOOM_RATE)).all()


@pytest.mark.parametrize("scene", [walk, leap])
def test_a_move_ends_at_the_head_without_overshoot(scene: Callable[[float], list[Region]]) -> None:
    path = track(scene, 15)
    end = path[-1, 0]
    assert end == pytest.approx(scene(15)[0].head_x, abs=0.03)
    moved = end - path[5 * FPS, 0]
    assert path[5 * FPS :, 0].max() - end < 0.015 * moved, "measured up to 1.3 %"
    assert speed(path[-FPS:]).max() < 1e-3, "the camera rests in the end"


def test_gestures_and_noise_of_the_matte_do_not_move_the_camera() -> None:
    rng = np.random.default_rng(7)

    def sway(time_s: float) -> list[Region]:
        noise = 0.004 * rng.standard_normal(3)
        return [person(0.5 + 0.02 * math.sin(2 * time_s) + noise[0], 0.25 + noise[1], 0.12 + noise[2])]

    path = track(sway, 25)
    assert np.ptp(path[8 * FPS :], axis=0).max() < 1e-3, "neither moves nor pumps"


def test_all_people_are_in_view_and_one_who_leaves_is_let_go() -> None:
    def scene(time_s: float) -> list[Region]:
        return [person(0.35), person(0.65)] if 4 < time_s < 12 else [person(0.35)]

    path = track(scene, 22)
    alone, together, again = (path[round(at * FPS) - 1] for at in (4, 12, 22))
    half = math.exp(together[2]) / 2
    assert together[0] - half < 0.35 - 0.08
    assert together[0] + half > 0.65 + 0.08
    assert again == pytest.approx(alone, abs=0.03)


def test_nobody_widens_the_view_after_a_while() -> None:
    path = track(lambda time_s: [person(0.3)] if time_s < 5 else [], 14)
    assert path[6 * FPS, 2] == pytest.approx(path[5 * FPS - 1, 2], abs=0.02), "a person may be lost for a moment"
    assert path[-1] == pytest.approx((0.5, 0.5, 0), abs=0.01)
    assert jerk(path)[: 8 * FPS].max() < 6
    assert jerk(path).max() < 16, "the size stops at that of the frame"


def test_a_person_who_returns_elsewhere_is_found_again() -> None:
    """The network sees the whole frame, so that only the calm path takes time."""
    path = track(lambda t: [person(0.25)] if t < 5 else [person(0.75)] if t > 6 else [], 14)
    shown = np.abs(path[:, 0] - 0.75) < np.exp(path[:, 2]) / 2 - 0.03
    seconds = (np.flatnonzero(shown[6 * FPS :])[0]) / FPS
    assert seconds < 2.0, "measured 1.4 s"


def test_close_shows_a_larger_head_than_calm() -> None:
    calm, close = (track(lambda _: [person(0.5, head=0.2)], 10, style)[-1, 2] for style in ("calm", "close"))
    assert math.exp(calm) == pytest.approx(0.2 / STYLES["calm"].head_share, rel=0.02)
    assert math.exp(close) == pytest.approx(0.2 / STYLES["close"].head_share, rel=0.02)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 0.9), st.floats(0, 1), st.integers(0, 3), st.floats(0, 3)),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from(["calm", "close"]),
)
def test_no_view_leaves_the_frame(events: list[tuple[float, float, float, int, float]], style: FramingStyle) -> None:
    framing = AutoFraming(style, ASPECT)
    for x, top, head, count, gap_s in events:
        people = [person((x + index / 3) % 1, top, min(head, 1 - top)) for index in range(count)]
        for step_s in (gap_s, *[1 / FPS] * 10):
            view = framing.follow(people, step_s)
            assert 0 < view.size <= 1
            assert view.left >= 0
            assert view.top >= 0
            assert view.left + view.size <= 1 + 1e-9
            assert view.top + view.size <= 1 + 1e-9


@given(
    st.floats(-1, 1), st.floats(-2, 2), st.floats(-5, 5), st.floats(-1, 1), st.floats(0.1, 3)
)  # fmt: skip
def test_the_planned_path_starts_with_the_motion_and_rests_at_the_target(
    position: float, velocity: float, acceleration: float, target: float, horizon_s: float
) -> None:
    start = Motion(position, velocity, acceleration)
    assert minimum_jerk_step(start, target, horizon_s, 0.0) == start
    end = minimum_jerk_step(start, target, horizon_s, horizon_s)
    assert end.position == pytest.approx(target, abs=1e-6)
    assert end.velocity == pytest.approx(0, abs=1e-5)
    assert end.acceleration == pytest.approx(0, abs=1e-3)
