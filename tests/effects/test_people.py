"""Auto-framing and one selected person, on walks of drawn people; zones that hide what is in them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.core.geometry import cutout, from_camera, to_camera
from app.core.settings import EdgeSettings, FramingSettings
from app.core.types import BlurredBackground, Floats, View
from app.effects.auto_framing import (
    MAX_SPEED,
    MAX_ZOOM_RATE,
    STYLES,
    CameraAxis,
    FramingPath,
)
from app.effects.base import FrameContext
from app.effects.finding import Person, find_people
from app.effects.only_me import BINS, PROOF_FRAMES, WARY_S, OnlyMe, histogram
from app.effects.table import Effects
from app.effects.zones import (
    CANVAS_HEIGHT,
    MAX_ZONES,
    Zone,
    ZoneSettings,
    draw_zones,
    zone_gain,
)
from app.matting.interface import StepGeometry, StepRequest
from app.settings import Settings
from tests.matting.stubs import StubCpu, showing

ASPECT, SIZE = 16 / 9, (90, 160)
ROWS, COLUMNS = 180, 320
WHOLE = FramingSettings()


def person(x: float, top: float = 0.25, head: float = 0.12) -> Person:
    """Return a person whose head is at `x`, with head and neck of this height."""
    return Person(x, top, top + head)


def silhouette(x: float, top: float, head: float, *, raised_arm: bool = False) -> Floats:
    """Return a matte (ROWS, COLUMNS) of one person: a head, a neck, shoulders and a body.

    x, top, head: centre and upper edge of the head, and height of head and neck, in fractions of the frame.
    """
    alpha = np.zeros((ROWS, COLUMNS), np.float32)
    height, middle, y = head * ROWS, round(x * COLUMNS), top * ROWS
    radius, neck, shoulder, arm = (round(part * height) for part in (0.4, 0.15, 0.95, 0.2))
    cv2.ellipse(
        alpha, (middle, round(y + radius)), (round(0.33 * height), radius), 0, 0, 360, 1, -1
    )
    boxes = [(-neck, y + radius, neck, y + height), (-shoulder, y + height, shoulder, ROWS)]
    if raised_arm:
        boxes.append((shoulder - arm, y - 0.5 * height, shoulder, y + height))
    for left, upper, right, lower in boxes:
        cv2.rectangle(alpha, (middle + left, round(upper)), (middle + right, round(lower)), 1, -1)
    return alpha


RED, BLUE, DARK_BLUE = (0.8, 0.2, 0.15), (0.15, 0.25, 0.7), (0.2, 0.2, 0.65)
GREEN = (0.2, 0.8, 0.15)
JEANS = (0.25, 0.3, 0.4)
SKIN, WALL = (0.8, 0.6, 0.5), (0.6, 0.62, 0.6)

NOISE = 0.03 * np.random.default_rng(3).standard_normal((ROWS, COLUMNS)).astype(np.float32)
"""Rolled by another distance in each frame and channel: new noise took most of the time of the tests."""


def wall() -> Floats:
    return np.array(WALL, np.float32).repeat(ROWS * COLUMNS).reshape(3, ROWS, COLUMNS)


@dataclass(frozen=True)
class Walker:
    """A person with clothes of one colour, who walks along `x` over time."""

    x: Callable[[float], float]
    clothes: tuple[float, float, float]
    top: float = 0.3
    head: float = 0.14
    jeans: bool = False
    """Whether the lower part of the body has a colour that others have, too."""

    def paint(self, image: Floats, time_s: float, rng: np.random.Generator) -> Floats:
        """Draw the person into (3, ROWS, COLUMNS); return the matte, empty beyond the frame."""
        x = self.x(time_s)
        alpha = (
            silhouette(x, self.top, self.head)
            if -0.3 < x < 1.3
            else np.zeros((ROWS, COLUMNS), np.float32)
        )
        chest, waist = round((self.top + self.head) * ROWS), round(0.72 * ROWS)
        for channel in range(3):
            colour = np.full((ROWS, COLUMNS), self.clothes[channel], np.float32)
            colour[:chest] = SKIN[channel]
            if self.jeans:
                colour[waist:] = JEANS[channel]
            colour += np.roll(NOISE, int(rng.integers(NOISE.size)))
            image[channel] += alpha * (colour - image[channel])
        return alpha


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
    assert waving.head_top == pytest.approx(plain.head_top, abs=CELL)
    assert waving.head_x == pytest.approx(plain.head_x, abs=0.03)


def test_two_people_are_told_apart_and_specks_and_nothing_are_nobody() -> None:
    alpha = np.maximum(silhouette(0.25, 0.3, 0.2), silhouette(0.75, 0.4, 0.15))
    alpha[:6, :6] = 1
    first, second = find_people(alpha)
    assert first.head_x == pytest.approx(0.25, abs=0.02)
    assert second.head_x == pytest.approx(0.75, abs=0.02)
    assert find_people(np.zeros((ROWS, COLUMNS), np.float32)) == ()


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1 << 30), rows=st.integers(1, 200), columns=st.integers(1, 300))
def test_any_matte_gives_lines_inside_the_frame(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.random((max(1, rows // 16), max(1, columns // 16)))
    alpha = np.kron(coarse, np.ones((16, 16)))[:rows, :columns].astype(np.float32)
    for found in find_people(alpha):
        assert 0 <= found.head_top <= found.shoulders <= 1 and 0 <= found.head_x <= 1


FPS = 30
Track = NDArray[np.float64]
"""(N, 3): centre of the view along both axes, and the logarithm of its size, per frame."""


def track(
    people: Callable[[float], Sequence[Person]], seconds: float, style: str = "calm"
) -> Track:
    """Return the views of a scene in which `people(time)` are seen."""
    framing = FramingPath(ASPECT)
    views = [
        framing.next_view(people(index / FPS), STYLES[style], 1 / FPS)
        for index in range(round(seconds * FPS))
    ]
    return np.array([(v.left + v.size / 2, v.top + v.size / 2, math.log(v.size)) for v in views])


def speed(path: Track) -> Track:
    return np.abs(np.diff(path, axis=0)) * FPS


def jerk(path: Track) -> Track:
    return np.abs(np.diff(path, 3, axis=0)) * FPS**3


def walk(time_s: float) -> list[Person]:
    """Stand for five seconds, walk across half of the frame in two, stand again."""
    return [person(0.25 + 0.25 * min(max(time_s - 5, 0.0), 2.0))]


def leap(time_s: float) -> list[Person]:
    return [person(0.3 if time_s < 5 else 0.7)]


@pytest.mark.parametrize("style", ["calm", "close"])
@pytest.mark.parametrize(
    "scene", [walk, leap, lambda time_s: [person(0.5 + 0.3 * math.sin(0.8 * time_s))]]
)
def test_paths_are_smooth_and_slow(scene: Callable[[float], list[Person]], style: str) -> None:
    path = track(scene, 15, style)
    assert jerk(path).max() < 6, "widths of the frame per second cubed; measured 3.7"
    assert (speed(path).max(0) <= (1.1 * MAX_SPEED, 1.1 * MAX_SPEED, 1.1 * MAX_ZOOM_RATE)).all()


@pytest.mark.parametrize("scene", [walk, leap])
def test_a_move_ends_at_the_head_without_overshoot(scene: Callable[[float], list[Person]]) -> None:
    path = track(scene, 15)
    end = path[-1, 0]
    assert end == pytest.approx(scene(15)[0].head_x, abs=0.03)
    moved = end - path[5 * FPS, 0]
    assert path[5 * FPS :, 0].max() - end < 0.015 * moved, "measured up to 1.3 %"
    assert speed(path[-FPS:]).max() < 1e-3, "the camera rests in the end"


def test_an_axis_follows_the_path_of_least_jerk() -> None:
    """A polynomial from where the camera is, with its speed and acceleration, to rest at the target."""
    horizon_s, step_s = 0.5, 0.1
    axis = CameraAxis(0.0, horizon_s)
    state = np.zeros(3)
    for _ in range(8):
        at_the_end = np.array(
            [
                [horizon_s**3, horizon_s**4, horizon_s**5],
                [3 * horizon_s**2, 4 * horizon_s**3, 5 * horizon_s**4],
                [6 * horizon_s, 12 * horizon_s**2, 20 * horizon_s**3],
            ]
        )
        position, velocity, acceleration = state
        without = np.array(
            [
                position + velocity * horizon_s + acceleration * horizon_s**2 / 2,
                velocity + acceleration * horizon_s,
                acceleration,
            ]
        )
        rest = np.linalg.solve(at_the_end, np.array([1.0, 0.0, 0.0]) - without)
        path = np.polynomial.Polynomial([position, velocity, acceleration / 2, *rest])
        state = np.array([path(step_s), path.deriv()(step_s), path.deriv(2)(step_s)])

        assert axis.move_towards(1.0, 1000.0, step_s) == pytest.approx(state[0])


def test_gestures_and_noise_of_the_matte_do_not_move_the_camera() -> None:
    rng = np.random.default_rng(7)

    def sway(time_s: float) -> list[Person]:
        noise = 0.004 * rng.standard_normal(3)
        return [
            person(0.5 + 0.02 * math.sin(2 * time_s) + noise[0], 0.25 + noise[1], 0.12 + noise[2])
        ]

    path = track(sway, 25)
    assert np.ptp(path[8 * FPS :], axis=0).max() < 1e-3, "neither moves nor pumps"


def test_all_people_are_in_view_and_one_who_leaves_is_let_go() -> None:
    def scene(time_s: float) -> list[Person]:
        return [person(0.35), person(0.65)] if 4 < time_s < 12 else [person(0.35)]

    path = track(scene, 22)
    alone, together, again = (path[round(at * FPS) - 1] for at in (4, 12, 22))
    half = math.exp(together[2]) / 2
    assert together[0] - half < 0.35 - 0.08 and together[0] + half > 0.65 + 0.08
    assert again == pytest.approx(alone, abs=0.03)


def test_nobody_widens_the_view_after_a_while() -> None:
    path = track(lambda time_s: [person(0.3)] if time_s < 5 else [], 14)
    assert path[6 * FPS, 2] == pytest.approx(path[5 * FPS - 1, 2], abs=0.02), (
        "a person may be lost for a moment"
    )
    assert path[-1] == pytest.approx((0.5, 0.5, 0), abs=0.01)
    assert jerk(path)[: 8 * FPS].max() < 6
    assert jerk(path).max() < 16, "the size stops at that of the frame"


@pytest.mark.parametrize("style", STYLES)
def test_the_head_has_the_size_of_the_style_below_its_headroom(style: str) -> None:
    _, middle, log_size = track(lambda _: [person(0.5, top=0.25, head=0.2)], 10, style)[-1]
    size = math.exp(log_size)
    assert size == pytest.approx(0.2 / STYLES[style].head_share, rel=0.02)
    assert 0.25 - (middle - size / 2) == pytest.approx(STYLES[style].headroom * size, rel=0.05)


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
            for start in (view.left, view.top):
                assert 0 <= start <= 1 - view.size + 1e-9


standing = partial(Walker, lambda _: 0.4)
passing = partial(Walker, lambda time_s: -0.2 + 0.25 * time_s, top=0.28, head=0.1)
"""People before the camera; the second crosses the whole frame within six seconds."""


@dataclass(frozen=True)
class Meeting:
    """Two people, and what of the selected one must be seen."""

    me: Walker
    other: Walker
    seconds: float = 8
    in_front: bool = True
    """Whether the selected person is in front of the other one."""
    least: float = 0.0
    """Share of the visible person that is always shown."""
    at_end: float | None = 0.95
    """The same of the last frame; None: the person is hidden."""
    hidden: tuple[float, float] = (0, 1)
    """Limits of the share of the time in which nobody is shown."""
    glimpse: float = 0.003
    """Part of the frame that may show the other one: a strip at my rim, less than a tenth of their head."""


CROSSING, COMING = Walker(lambda t: 0.15 + 0.1 * t, RED), Walker(lambda t: 0.85 - 0.1 * t, BLUE)
MEETINGS = {
    "somebody beside me": Meeting(
        standing(RED),
        Walker(lambda t: 0.85 - 0.02 * t, BLUE),
        4,
        least=0.99,
        hidden=(0, 0),
        glimpse=0,
    ),
    "somebody passes behind me": Meeting(standing(RED), passing(BLUE), 7, least=0.85),
    "somebody passes in front of me": Meeting(
        standing(RED), passing(BLUE, top=0.22, head=0.12), in_front=False
    ),
    "the same in like clothes": Meeting(
        standing(BLUE), passing(DARK_BLUE, top=0.22, head=0.12), in_front=False
    ),
    "clothes that nothing tells apart while we touch": Meeting(
        standing(BLUE), passing(DARK_BLUE), hidden=(0.1, 0.4)
    ),
    # Skin and trousers are the same: their histograms are similar, but clothes tell the two apart.
    "everybody wears jeans": Meeting(
        standing(RED, jeans=True), passing(BLUE, jeans=True), least=0.6, hidden=(0, 0)
    ),
    "jeans in front of me": Meeting(
        standing(RED, jeans=True), passing(BLUE, top=0.25, head=0.12, jeans=True), in_front=False
    ),
    # Nothing tells the two apart after they have met, so that nobody is shown until the next click.
    "somebody who looks the same": Meeting(
        standing(BLUE), passing(BLUE, top=0.3, head=0.14), at_end=None
    ),
    "we cross, I in front": Meeting(CROSSING, COMING, at_end=0.85),
    "we cross, I behind": Meeting(CROSSING, COMING, in_front=False, at_end=0.85),
    "somebody stays at my side": Meeting(
        standing(RED), Walker(lambda t: max(0.45, 0.95 - 0.15 * t), BLUE), 9, least=0.8, at_end=0.8
    ),
    # As much red as the other has green: each channel counts by itself.
    "somebody in green passes behind me": Meeting(standing(RED), passing(GREEN), 7, least=0.85),
    # Where I was when I last touched nobody, not where I was selected, is what is shown of me.
    "I walked there before somebody comes": Meeting(
        Walker(lambda t: min(0.15 + 0.15 * t, 0.4), RED),
        Walker(lambda t: max(0.5, 1.1 - 0.12 * t), BLUE),
        7,
        least=0.92,
        at_end=0.92,
        hidden=(0, 0),
    ),
    "I leave": Meeting(
        Walker(lambda t: 0.3 - 0.15 * t, RED), Walker(lambda _: 0.75, BLUE), at_end=None, glimpse=0
    ),
}


@pytest.mark.parametrize("name", MEETINGS)
def test_nobody_but_me_is_shown(name: str) -> None:
    meeting, tracker, rng = MEETINGS[name], OnlyMe(), np.random.default_rng(3)
    me, other = meeting.me, meeting.other
    tracker.select((me.x(0.0), me.top + 2 * me.head))
    own, shown = list[float](), list[bool]()
    for index in range(round(meeting.seconds * FPS)):
        image = wall()
        behind, front = (
            walker.paint(image, index / FPS, rng)
            for walker in ((other, me) if meeting.in_front else (me, other))
        )
        gain = tracker.gain(image, np.maximum(behind, front), 1 / FPS)
        behind *= 1 - front
        theirs, mine = (behind, front) if meeting.in_front else (front, behind)
        assert float((gain * theirs).mean()) <= meeting.glimpse
        own.append(float((gain * mine).sum() / mine.sum()) if mine.any() else 0.0)
        shown.append(tracker.shown)
    assert min(own) >= meeting.least
    assert (own[-1] > meeting.at_end) if meeting.at_end is not None else not shown[-1]
    assert meeting.hidden[0] <= shown.count(False) / len(shown) <= meeting.hidden[1]


def test_no_cells_have_all_colours_alike() -> None:
    codes = np.zeros((4, 6), np.intp)

    found = histogram(codes, np.zeros((4, 6), np.bool_))

    assert found == pytest.approx(1 / BINS)


def test_who_came_closer_is_shown_again_once_nobody_can_be_behind_them() -> None:
    tracker = OnlyMe()

    def is_shown_as_wide(columns: int, step_s: float = 0.1) -> bool:
        alpha = np.zeros((90, 160), np.float32)
        alpha[20:, 40 : 40 + columns] = 1
        gain = tracker.gain(np.zeros((3, 90, 160), np.float32), alpha, step_s)
        assert not gain[:, 42 + columns :].any(), (
            "a rim of two cells is enough for hair and soft edges"
        )
        return tracker.shown

    assert is_shown_as_wide(40)
    assert not is_shown_as_wide(64), "two people"
    shown = [is_shown_as_wide(50, WARY_S / 20) for _ in range(20 + PROOF_FRAMES)]
    assert shown.index(True) >= 20


def test_after_somebody_left_i_may_come_closer() -> None:
    """While somebody who vanished may be behind me, a part that grows may be both of us."""
    tracker = OnlyMe()
    tracker.select((0.25, 0.9))

    def is_shown(right: int, other: slice, step_s: float = 0.1) -> bool:
        image = np.empty((3, 90, 160), np.float32)
        image[:] = np.reshape(BLUE, (3, 1, 1))
        image[:, :, 20:right] = np.reshape(RED, (3, 1, 1))
        alpha = np.zeros((90, 160), np.float32)
        alpha[20:, other] = 1
        alpha[20:, 20:right] = 1
        tracker.gain(image, alpha, step_s)
        return tracker.shown

    nobody = slice(0)
    met = [is_shown(60, slice(64, 100)), is_shown(60, slice(60, 100))]
    alone = [is_shown(60, nobody, WARY_S / 10) for _ in range(11)]
    closer = [is_shown(60 + number // 3, nobody) for number in range(60)]

    assert all(met + alone + closer)


@pytest.mark.parametrize(
    ("point", "is_left"),
    [
        pytest.param((0.2, 0.8), True, id="at the smaller person"),
        pytest.param((0.7, 0.8), False, id="at the larger person"),
        pytest.param((0.27, 0.8), True, id="beside the smaller person"),
        pytest.param(None, False, id="nowhere"),
    ],
)
def test_a_click_chooses_who_is_shown(point: tuple[float, float] | None, is_left: bool) -> None:
    tracker = OnlyMe()
    alpha = np.zeros((90, 160), np.float32)
    alpha[40:, 24:42] = 1
    alpha[20:, 90:140] = 1

    tracker.select(point)
    gain = tracker.gain(np.zeros((3, 90, 160), np.float32), alpha, 1 / FPS)

    assert gain[50:, 26:40].all() == is_left
    assert gain[30:, 92:138].all() != is_left


def test_a_click_at_the_edge_of_the_frame_finds_who_is_near_it() -> None:
    tracker = OnlyMe()
    alpha = np.zeros((90, 160), np.float32)
    alpha[0, 2:60] = 1
    alpha[:40, 40:60] = 1
    alpha[20:, 90:140] = 1

    tracker.select((0.0, 0.0))
    gain = tracker.gain(np.zeros((3, 90, 160), np.float32), alpha, 1 / FPS)

    assert gain[5:35, 42:58].all()
    assert not gain[30:, 92:138].any()


def test_who_touches_me_is_hidden_while_somebody_else_stands_apart() -> None:
    tracker, image = OnlyMe(), np.empty((3, 90, 160), np.float32)
    image[:] = np.reshape(BLUE, (3, 1, 1))
    image[:, :, 20:60] = np.reshape(RED, (3, 1, 1))
    tracker.select((0.25, 0.9))
    for left in (64, 60):
        alpha = np.zeros((90, 160), np.float32)
        alpha[20:, np.r_[20:60, left:74, 110:150]] = 1
        gain = tracker.gain(image, alpha, 1 / FPS)
    assert gain[30:, 20:55].all() and not gain[:, 63:].any()


@pytest.mark.parametrize("changed", [{"pan_x": 1.0}, {"pan_y": 1.0}, {"zoom": 2.5, "pan_x": 0.6}])
def test_the_selection_moves_with_the_crop(changed: dict[str, float]) -> None:
    """Pan by a third of what is seen: the selected person, who is small, is far from where they were."""
    before, after = FramingSettings(zoom=1.5), FramingSettings(zoom=1.5).replace(**changed)

    def seen(framing: FramingSettings, camera_x: int = 480) -> Floats:
        """Return a person at this column of the middle row of the camera's frame as the crop shows them."""
        x, y, width, height = cutout(framing, 960, 540)
        alpha = np.zeros((ROWS, COLUMNS), np.float32)
        top, left, reach = (
            ((270 - y) * ROWS) // height,
            ((camera_x - x) * COLUMNS) // width,
            3840 // width,
        )
        alpha[top - reach : top + reach, left - reach : left + reach] = 1
        return alpha

    tracker, image = OnlyMe(), wall()
    tracker.select((0.5, 0.5))
    tracker.gain(image, seen(before), 0.0)
    for framing, then in [(before, after), (after, before)] * 9 + [
        (before, after)
    ]:  # small errors add up
        tracker.reframe(framing, then)
    moved, neighbour = seen(after), seen(after, 560)
    assert not (seen(before) * moved).any() and neighbour.any()
    gain = tracker.gain(image, np.maximum(moved, neighbour), 1 / 30)
    assert (gain * moved).sum() > 0.98 * moved.sum() and not (gain * neighbour).any()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1 << 30), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=3))
def test_any_sequence_only_lowers_alpha(seed: int, clicks: list[tuple[float, float]]) -> None:
    rng = np.random.default_rng(seed)
    tracker = OnlyMe()
    for point in [None, *clicks]:
        tracker.select(point)
        for _ in range(4):
            blocks = rng.random((9, 16)) ** 2
            alpha = np.kron(blocks, np.ones((10, 10))).astype(np.float32)
            gain = tracker.gain(rng.random((3, 90, 160)).astype(np.float32), alpha, 1 / 30)
            assert gain.shape == alpha.shape
            assert 0 <= gain.min() <= gain.max() <= 1


def context(
    settings_: Settings,
    framing: FramingSettings = WHOLE,
    camera: str = "",
    size: tuple[int, int] = (160, 90),
) -> FrameContext:
    return FrameContext(
        settings_.replace(framing=framing), size, 0.0, BlurredBackground(85), camera
    )


def is_shown(
    effects: Effects, settings: Settings, image: Floats, alpha: Floats, camera: str = "one"
) -> bool:
    """Return whether anybody is shown in the next frame."""
    assert effects.begin_frame(context(settings, camera=camera))
    gain = effects.edit(image, alpha).gain
    assert gain is not None and effects.hides_everybody == (not gain.any())
    return not effects.hides_everybody


def test_nobody_takes_my_place_in_a_pause() -> None:
    """Whoever stood at the old click was shown after a pause, and after a reconnect of the camera."""
    effects = Effects()
    chosen = Settings().with_person((0.3, 0.9))

    def shown(*people: Walker) -> bool:
        """Return whether anybody is shown in the end."""
        image, rng = wall(), np.random.default_rng(3)
        alpha = np.max([person.paint(image, 0.0, rng) for person in people], 0)
        return [is_shown(effects, chosen, image, alpha) for _ in range(PROOF_FRAMES + 1)][-1]

    assert shown(Walker(lambda _: 0.3, RED))
    effects.reset()
    assert not shown(Walker(lambda _: 0.3, BLUE)), "somebody else at the old click"
    effects.reset()
    assert not shown(Walker(lambda _: 0.3, RED), Walker(lambda _: 0.7, RED)), (
        "one of two who look like me"
    )
    effects.reset()
    assert shown(Walker(lambda _: 0.6, RED)), "I, at another place"
    chosen = chosen.with_person(None)
    effects.reset()
    assert shown(Walker(lambda _: 0.3, BLUE)), "without a click, it is the largest person"
    effects.reset()
    assert shown(Walker(lambda _: 0.75, RED)), "after a pause as well"


def test_a_selection_in_the_picture_of_another_camera_selects_nobody() -> None:
    """Whoever stood at the same place before the next camera was shown."""
    effects, chosen = Effects(), Settings(people=Settings().people.replace(only_me=True))
    image, alpha = np.zeros((3, 90, 160), np.float32), np.zeros((90, 160), np.float32)
    alpha[20:90, 60:100] = 1

    def shown(camera: str, selected: tuple[float, float] | None) -> bool:
        return is_shown(effects, chosen.with_person(selected), image, alpha, camera)

    assert shown("one", (0.5, 0.6))
    effects.reset()
    assert [shown("one", (0.5, 0.6)) for _ in range(PROOF_FRAMES)][-2:] == [False, True], (
        "after a pause"
    )
    for _ in range(2):
        assert not shown("two", (0.5, 0.6))
        effects.reset()
    assert not shown("one", (0.5, 0.6))
    assert shown("one", (0.5, 0.61)), "the next selection"
    assert shown("two", None), "without a selection it is the largest person"


LEFT = Zone(points=((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)), radius=0, filled=True)
fractions = st.floats(0, 1)
zones = st.builds(
    Zone,
    points=st.lists(st.tuples(fractions, fractions), min_size=1, max_size=8).map(tuple),
    radius=st.floats(0, 0.3),
    filled=st.booleans(),
)
framings = st.builds(
    FramingSettings, zoom=st.floats(1, 4), pan_x=st.floats(-1, 1), pan_y=st.floats(-1, 1)
)


@settings(deadline=None, max_examples=30)
@given(st.lists(zones, max_size=4), framings, st.integers(20, 200), st.integers(20, 200))
def test_the_factor_stays_between_0_and_1(
    painted: list[Zone], framing: FramingSettings, rows: int, columns: int
) -> None:
    gain = zone_gain(draw_zones(painted, columns / rows), framing, (rows, columns))
    assert gain.shape == (rows, columns)
    assert 0 <= gain.min() <= gain.max() <= 1


def test_a_zone_is_empty_inside_and_soft_outside() -> None:
    gain = zone_gain(draw_zones([LEFT], ASPECT), WHOLE, SIZE)
    assert gain[:, :81].max() == 0, "up to the border, and one cell beyond"
    np.testing.assert_allclose(gain[45, 81:88], [0, 0.2, 0.4, 0.6, 0.8, 1, 1], atol=1e-6)
    assert gain[:, 86:].min() == 1


def test_a_zone_that_makes_no_more_room_is_left_out() -> None:
    """An old zone that made room for it would show what it hides."""
    other = Zone(points=((0.5, 0.5),))
    nearly_full = ZoneSettings(zones=(LEFT,) * (MAX_ZONES - 1))

    full = nearly_full.with_zone(other)

    assert full.zones == (*nearly_full.zones, other)
    assert full.with_zone(LEFT) == full


def test_an_outline_is_filled_from_three_points_on() -> None:
    corners = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))

    triangle = draw_zones([Zone(points=corners, radius=0, filled=True)], ASPECT)
    line = draw_zones([Zone(points=corners[:2], radius=0, filled=True)], ASPECT)

    assert 0.49 < (triangle > 0).mean() < 0.51
    assert triangle[10, 10] and not triangle[-10, -10]
    assert not line.any()


@settings(deadline=None, max_examples=20)
@given(framings, st.floats(0.3, 0.7), st.floats(0.3, 0.7))
def test_zones_follow_the_manual_framing(framing: FramingSettings, x: float, y: float) -> None:
    """A stroke hides the same part of the camera's frame, however it is cropped."""
    height, width = 360, 640
    zone = Zone(points=((x, y),), radius=0.1)
    gain = zone_gain(draw_zones([zone], width / height), framing, (height, width))
    left, top, part_width, part_height = cutout(framing, width, height)
    camera = np.ones((height, width), np.float32)
    camera[top : top + part_height, left : left + part_width] = cv2.resize(
        gain, (part_width, part_height)
    )
    rows, columns = np.mgrid[0:height, 0:width]
    distance = np.hypot(columns + 0.5 - x * width, rows + 0.5 - y * height) / height
    inside = np.zeros((height, width), bool)
    inside[top + 2 : top + part_height - 2, left + 2 : left + part_width - 2] = True
    assert camera[inside & (distance < 0.09)].max(initial=0) < 0.02
    assert camera[inside & (distance > 0.19)].min(initial=1) > 0.98


@given(framings, fractions, fractions, st.floats(0.2, 1), fractions, fractions)
def test_positions_on_the_preview_and_in_the_frame_convert_both_ways(
    framing: FramingSettings, x: float, y: float, size: float, left: float, top: float
) -> None:
    view = View(left * (1 - size), top * (1 - size), size)
    in_camera = to_camera(framing, view, x, y)
    assert all(-1e-9 <= value <= 1 + 1e-9 for value in in_camera)
    assert from_camera(framing, view, *in_camera) == pytest.approx((x, y), abs=1e-6)


@pytest.mark.parametrize(
    ("painted", "camera", "applies"),
    [
        ("usb-1", "usb-1#2", True),
        ("usb-1#2", "usb-1", True),
        ("usb-1#0", "usb-1#2", True),
        ("usb-1#pci-usb-2", "usb-1", True),
        ("usb-1#pci-usb-2", "usb-1#pci-usb-3", True),
        ("pci-usb-2", "usb-1#pci-usb-2", True),
        ("pci-usb-2", "usb-1#pci-usb-3", False),
        ("/talk#1.mp4", "/talk#2.mp4", False),
        ("usb-1", "usb-12", False),
        ("", "usb-12", True),
        ("usb#a&1", "usb#b&1", False),
    ],
)
def test_zones_hold_for_cameras_that_nobody_can_tell_apart(
    painted: str, camera: str, applies: bool
) -> None:
    """A second camera of a model without serial numbers gives both another id: zones of the first one were lost."""
    effects, zone = Effects(), LEFT.replace(camera=painted)
    ours = Settings(people=Settings().people.replace(zones=(zone,)))
    assert effects.begin_frame(context(ours, camera=painted))
    assert bool(effects.begin_frame(context(ours, camera=camera))) == applies


@pytest.mark.parametrize("radius", [0.02, 0.3])
def test_a_stroke_covers_what_is_near_its_line_and_nothing_else(radius: float) -> None:
    points = ((0.3, 0.3), (0.5, 0.6), (0.7, 0.4))
    drop = draw_zones([Zone(points=points, radius=radius)], ASPECT)
    height, width = drop.shape
    rows, columns = np.mgrid[:height, :width]
    cells, distance = columns + 1j * rows, np.full(drop.shape, np.inf)
    for start, end in itertools.pairwise(complex(x * width, y * height) for x, y in points):
        along = (cells - start) / (end - start)
        away = np.abs(along - np.clip(along.real, 0, 1)) * abs(end - start)
        np.minimum(distance, away, out=distance)
    reach = radius * CANVAS_HEIGHT
    assert drop[distance < reach - 1.5].all()
    assert not drop[distance > reach + 2.5].any()


def test_the_most_zones_are_drawn_once_and_in_fewer_steps_than_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """200 zones of 1,000 points held the frames for 1.65 s, with the widest brush for 50 s."""
    walk = tuple(
        (0.5 + 0.4 * np.sin(0.11 * step), 0.5 + 0.4 * np.cos(0.07 * step)) for step in range(1000)
    )
    painted = tuple(Zone(points=walk, radius=0.5 if number % 2 else 0.03) for number in range(200))
    chosen, effects = Settings(people=Settings().people.replace(zones=painted)), Effects()
    calls = {
        name: Mock(wraps=getattr(cv2, name))
        for name in ("circle", "polylines", "distanceTransform")
    }
    for name, call in calls.items():
        monkeypatch.setattr(cv2, name, call)
    for zoom in (1, 2, 3):
        effects.begin_frame(context(chosen, FramingSettings(zoom=zoom)))
        gain = effects.edit(np.zeros((3, 45, 80), np.float32), np.ones((45, 80), np.float32)).gain
        assert gain is not None and gain.min() == 0
    assert [call.call_count for call in calls.values()] == [0, 200, 2]


@pytest.mark.parametrize("grow_px", [0, 7, 20])
def test_a_matte_that_is_grown_stays_out_of_zones(grow_px: int) -> None:
    """It grew by up to 20 pixels into them."""
    chosen = Settings(people=Settings().people.replace(zones=(LEFT,)))
    edges = EdgeSettings(grow_px=grow_px)
    height, width = 4 * SIZE[0], 4 * SIZE[1]
    white = np.full((height, width, 3), 255, np.uint8)
    backend = StubCpu(StepGeometry(width, height, 0.25), showing(np.ones(SIZE, np.float32)))
    effects = Effects()
    effects.begin_frame(context(chosen.replaced_at(["matting"], edges=edges), size=(width, height)))
    with closing(backend):
        composite = backend.step(
            StepRequest(white, np.zeros_like(white), edges, "off", effects)
        ).composite
    assert composite[:, : width // 2].max() == 0
    assert composite[:, width // 2 :].max() == 255
