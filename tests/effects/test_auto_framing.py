"""People are found in mattes, and the view follows them as a camera would."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.effects.auto_framing import (
    MAX_SPEED,
    MAX_ZOOM_RATE,
    STYLES,
    CameraAxis,
    FramingPath,
)
from app.effects.finding import Person, find_people
from tests.effects.drawn_people import FPS, nobody, silhouette

ASPECT = 16 / 9
TWO_CELLS = 2 / 90  # of the grid in which people are found


@settings(deadline=None, max_examples=40)
@given(x=st.floats(0.25, 0.75), top=st.floats(0.05, 0.5), head=st.floats(0.12, 0.35))
def test_head_and_shoulders_are_found(x: float, top: float, head: float) -> None:
    (found,) = find_people(silhouette(x, top, head))

    assert found.head_x == pytest.approx(x, abs=0.02)
    assert found.head_top == pytest.approx(top, abs=TWO_CELLS + 0.1 * head)
    assert found.shoulders == pytest.approx(top + head, abs=TWO_CELLS + 0.25 * head)


@pytest.mark.parametrize("head", [0.15, 0.25])
def test_a_raised_arm_is_not_a_head(head: float) -> None:
    (plain,) = find_people(silhouette(0.5, 0.3, head))
    (waving,) = find_people(silhouette(0.5, 0.3, head, raised_arm=True))

    assert waving.head_top == pytest.approx(plain.head_top, abs=TWO_CELLS)
    assert waving.head_x == pytest.approx(plain.head_x, abs=0.03)


def test_two_people_are_told_apart_and_specks_and_nothing_are_nobody() -> None:
    alpha = np.maximum(silhouette(0.25, 0.3, 0.2), silhouette(0.75, 0.4, 0.15))
    alpha[:6, :6] = 1

    first, second = find_people(alpha)

    assert first.head_x == pytest.approx(0.25, abs=0.02)
    assert second.head_x == pytest.approx(0.75, abs=0.02)
    assert find_people(nobody()) == ()


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1 << 30), rows=st.integers(1, 200), columns=st.integers(1, 300))
def test_any_matte_gives_lines_inside_the_frame(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.random((max(1, rows // 16), max(1, columns // 16)))
    alpha = np.kron(coarse, np.ones((16, 16)))[:rows, :columns].astype(np.float32)

    for found in find_people(alpha):
        assert 0 <= found.head_top <= found.shoulders <= 1
        assert 0 <= found.head_x <= 1


Scene = Callable[[float], Sequence[Person]]
"""Who is seen, by the time in seconds."""
Track = NDArray[np.float64]
"""(N, 3): centre of the view along both axes, and the logarithm of its size, per frame."""


def track(scene: Scene, seconds: float, style: str = "calm") -> Track:
    """Return the views of a scene."""
    framing = FramingPath(ASPECT)
    path = []
    for index in range(round(seconds * FPS)):
        view = framing.next_view(scene(index / FPS), STYLES[style], 1 / FPS)
        half = view.size / 2
        path.append((view.left + half, view.top + half, math.log(view.size)))
    return np.array(path)


def speed(path: Track) -> Track:
    return np.abs(np.diff(path, axis=0)) * FPS


def jerk(path: Track) -> Track:
    return np.abs(np.diff(path, 3, axis=0)) * FPS**3


def person(x: float, top: float = 0.25, head: float = 0.12) -> Person:
    """Return a person whose head is at `x`, with head and neck of this height."""
    return Person(x, top, top + head)


def walk(time_s: float) -> list[Person]:
    """Stand for five seconds, walk across half of the frame in two, stand again."""
    walked_s = min(max(time_s - 5, 0.0), 2.0)
    return [person(0.25 + 0.25 * walked_s)]


def leap(time_s: float) -> list[Person]:
    return [person(0.3 if time_s < 5 else 0.7)]


def pace(time_s: float) -> list[Person]:
    """Walk to and fro."""
    return [person(0.5 + 0.3 * math.sin(0.8 * time_s))]


@pytest.mark.parametrize("style", ["calm", "close"])
@pytest.mark.parametrize("scene", [walk, leap, pace])
def test_paths_are_smooth_and_slow(scene: Scene, style: str) -> None:
    path = track(scene, 15, style)

    assert jerk(path).max() < 6, "widths of the frame per second cubed; measured 3.7"
    assert (speed(path).max(0) <= (1.1 * MAX_SPEED, 1.1 * MAX_SPEED, 1.1 * MAX_ZOOM_RATE)).all()


@pytest.mark.parametrize("scene", [walk, leap])
def test_a_move_ends_at_the_head_without_overshoot(scene: Scene) -> None:
    path = track(scene, 15)

    end = path[-1, 0]
    moved = end - path[5 * FPS, 0]
    assert end == pytest.approx(scene(15)[0].head_x, abs=0.03)
    assert path[5 * FPS :, 0].max() - end < 0.015 * moved, "measured up to 1.3 %"
    assert speed(path[-FPS:]).max() < 1e-3, "the camera rests in the end"


def test_an_axis_follows_the_path_of_least_jerk() -> None:
    """From where the camera is, with its speed and acceleration, to rest at the target."""
    horizon_s = 0.5
    step_s = 0.1
    axis = CameraAxis(0.0, horizon_s)
    state = np.zeros(3)

    for _ in range(8):
        path = least_jerk_to_1(state, horizon_s)
        state = np.array([path(step_s), path.deriv()(step_s), path.deriv(2)(step_s)])

        assert axis.move_towards(1.0, 1000.0, step_s) == pytest.approx(state[0])


def least_jerk_to_1(state: NDArray[np.float64], horizon_s: float) -> np.polynomial.Polynomial:
    """Return the polynomial that begins in this state and rests at 1 after `horizon_s`."""
    position, velocity, acceleration = state
    at_the_end = np.array(
        [
            [horizon_s**3, horizon_s**4, horizon_s**5],
            [3 * horizon_s**2, 4 * horizon_s**3, 5 * horizon_s**4],
            [6 * horizon_s, 12 * horizon_s**2, 20 * horizon_s**3],
        ]
    )
    without = np.array(
        [
            position + velocity * horizon_s + acceleration * horizon_s**2 / 2,
            velocity + acceleration * horizon_s,
            acceleration,
        ]
    )
    higher = np.linalg.solve(at_the_end, np.array([1.0, 0.0, 0.0]) - without)
    return np.polynomial.Polynomial([position, velocity, acceleration / 2, *higher])


def test_gestures_and_noise_of_the_matte_do_not_move_the_camera() -> None:
    rng = np.random.default_rng(7)

    def sway(time_s: float) -> list[Person]:
        x, top, head = 0.004 * rng.standard_normal(3)
        return [person(0.5 + 0.02 * math.sin(2 * time_s) + x, 0.25 + top, 0.12 + head)]

    path = track(sway, 25)

    assert np.ptp(path[8 * FPS :], axis=0).max() < 1e-3, "neither moves nor pumps"


def with_a_visitor(time_s: float) -> list[Person]:
    """Somebody is there; another person joins them from the 4th to the 12th second."""
    if 4 < time_s < 12:
        return [person(0.35), person(0.65)]
    return [person(0.35)]


def test_all_people_are_in_view_and_one_who_leaves_is_let_go() -> None:
    path = track(with_a_visitor, 22)

    alone = path[4 * FPS - 1]
    together = path[12 * FPS - 1]
    again = path[22 * FPS - 1]
    half = math.exp(together[2]) / 2
    assert together[0] - half < 0.35 - 0.08
    assert together[0] + half > 0.65 + 0.08
    assert again == pytest.approx(alone, abs=0.03)


def gone_after_5_s(time_s: float) -> list[Person]:
    return [person(0.3)] if time_s < 5 else []


def test_nobody_widens_the_view_after_a_while() -> None:
    path = track(gone_after_5_s, 14)

    last_seen = path[5 * FPS - 1]
    a_second_later = path[6 * FPS]
    assert a_second_later[2] == pytest.approx(last_seen[2], abs=0.02), "lost for a moment"
    assert path[-1] == pytest.approx((0.5, 0.5, 0), abs=0.01)
    assert jerk(path)[: 8 * FPS].max() < 6
    assert jerk(path).max() < 16, "the size stops at that of the frame"


def near(_: float) -> list[Person]:
    return [person(0.5, top=0.25, head=0.2)]


@pytest.mark.parametrize("style", STYLES)
def test_the_head_has_the_size_of_the_style_below_its_headroom(style: str) -> None:
    _, middle, log_size = track(near, 10, style)[-1]

    size = math.exp(log_size)
    headroom = 0.25 - (middle - size / 2)
    assert size == pytest.approx(0.2 / STYLES[style].head_share, rel=0.02)
    assert headroom == pytest.approx(STYLES[style].headroom * size, rel=0.05)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 1), st.floats(0, 0.9), st.floats(0, 1), st.integers(0, 3), st.floats(0, 3)
        ),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from(["calm", "close"]),
)
def test_no_view_leaves_the_frame(
    events: list[tuple[float, float, float, int, float]], style: str
) -> None:
    framing = FramingPath(ASPECT)

    for x, top, head, count, gap_s in events:
        people = [person((x + index / 3) % 1, top, min(head, 1 - top)) for index in range(count)]
        for step_s in (gap_s, *[1 / FPS] * 10):
            view = framing.next_view(people, STYLES[style], step_s)
            assert 0 < view.size <= 1
            assert 0 <= view.left <= 1 - view.size + 1e-9
            assert 0 <= view.top <= 1 - view.size + 1e-9
