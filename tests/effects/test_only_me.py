"""One selected person is shown: on walks of drawn people, after clicks, crops and pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.geometry import cutout
from app.core.settings import FramingSettings
from app.core.types import BlurredBackground, Floats
from app.effects.base import FrameContext
from app.effects.only_me import BINS, PROOF_FRAMES, WARY_S, OnlyMe, histogram
from app.effects.table import Effects
from app.settings import Settings
from tests.effects.drawn_people import (
    BLUE,
    COLUMNS,
    DARK_BLUE,
    FPS,
    GREEN,
    RED,
    ROWS,
    Colour,
    Walker,
    at,
    nobody,
    walking,
    walking_to,
    wall,
)


def standing(clothes: Colour, *, jeans: bool = False) -> Walker:
    return Walker(at(0.4), clothes, jeans=jeans)


def passing(
    clothes: Colour, *, top: float = 0.28, head: float = 0.1, jeans: bool = False
) -> Walker:
    """Return somebody who crosses the whole frame within six seconds."""
    return Walker(walking(-0.2, 0.25), clothes, top, head, jeans)


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
    """Part of the frame that may show the other one: a strip at my rim, a tenth of their head."""

    def paint(
        self, image: Floats, time_s: float, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Draw both; return what is visible of me and of the other one."""
        if self.in_front:
            theirs = self.other.paint(image, time_s, rng)
            mine = self.me.paint(image, time_s, rng)
            return mine, theirs * (1 - mine)
        mine = self.me.paint(image, time_s, rng)
        theirs = self.other.paint(image, time_s, rng)
        return mine * (1 - theirs), theirs


CROSSING = Walker(walking(0.15, 0.1), RED)
COMING = Walker(walking(0.85, -0.1), BLUE)
MEETINGS = {
    "somebody beside me": Meeting(
        standing(RED),
        Walker(walking(0.85, -0.02), BLUE),
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
        standing(RED), Walker(walking_to(0.45, 0.95, -0.15), BLUE), 9, least=0.8, at_end=0.8
    ),
    # As much red as the other has green: each channel counts by itself.
    "somebody in green passes behind me": Meeting(standing(RED), passing(GREEN), 7, least=0.85),
    # Where I was when I last touched nobody, not where I was selected, is what is shown of me.
    "I walked there before somebody comes": Meeting(
        Walker(walking_to(0.4, 0.15, 0.15), RED),
        Walker(walking_to(0.5, 1.1, -0.12), BLUE),
        7,
        least=0.92,
        at_end=0.92,
        hidden=(0, 0),
    ),
    "I leave": Meeting(
        Walker(walking(0.3, -0.15), RED), Walker(at(0.75), BLUE), at_end=None, glimpse=0
    ),
}


@pytest.mark.parametrize("name", MEETINGS)
def test_nobody_but_me_is_shown(name: str) -> None:
    meeting = MEETINGS[name]
    tracker = OnlyMe()
    rng = np.random.default_rng(3)
    tracker.select((meeting.me.x(0.0), meeting.me.top + 2 * meeting.me.head))

    own = list[float]()
    shown = list[bool]()
    for index in range(round(meeting.seconds * FPS)):
        image = wall()
        mine, theirs = meeting.paint(image, index / FPS, rng)
        gain = tracker.gain(image, mine + theirs, 1 / FPS)
        assert float((gain * theirs).mean()) <= meeting.glimpse
        own.append(share_shown(gain, mine))
        shown.append(tracker.shown)

    assert min(own) >= meeting.least
    if meeting.at_end is None:
        assert not shown[-1]
    else:
        assert own[-1] > meeting.at_end
    least_hidden, most_hidden = meeting.hidden
    assert least_hidden <= shown.count(False) / len(shown) <= most_hidden


def share_shown(gain: Floats, alpha: Floats) -> float:
    return float((gain * alpha).sum() / alpha.sum()) if alpha.any() else 0.0


def test_no_cells_have_all_colours_alike() -> None:
    codes = np.zeros((4, 6), np.intp)

    found = histogram(codes, np.zeros((4, 6), np.bool_))

    assert found == pytest.approx(1 / BINS)


SIZE = (90, 160)


def no_matte() -> Floats:
    return np.zeros(SIZE, np.float32)


def black() -> Floats:
    return np.zeros((3, *SIZE), np.float32)


def red_before_blue(left: int, right: int) -> Floats:
    """Return an image that is red between two columns."""
    image = black()
    image[:] = np.reshape(BLUE, (3, 1, 1))
    image[:, :, left:right] = np.reshape(RED, (3, 1, 1))
    return image


def test_who_came_closer_is_shown_again_once_nobody_can_be_behind_them() -> None:
    tracker = OnlyMe()

    def is_shown_as_wide(columns: int, step_s: float = 0.1) -> bool:
        alpha = no_matte()
        alpha[20:, 40 : 40 + columns] = 1
        gain = tracker.gain(black(), alpha, step_s)
        beyond = gain[:, 42 + columns :]
        assert not beyond.any(), "a rim of two cells is enough for hair and soft edges"
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
        alpha = no_matte()
        alpha[20:, other] = 1
        alpha[20:, 20:right] = 1
        tracker.gain(red_before_blue(20, right), alpha, step_s)
        return tracker.shown

    nowhere = slice(0)
    met = [is_shown(60, slice(64, 100)), is_shown(60, slice(60, 100))]
    alone = [is_shown(60, nowhere, WARY_S / 10) for _ in range(11)]
    closer = [is_shown(60 + number // 3, nowhere) for number in range(60)]

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
    alpha = no_matte()
    alpha[40:, 24:42] = 1
    alpha[20:, 90:140] = 1

    tracker.select(point)
    gain = tracker.gain(black(), alpha, 1 / FPS)

    assert gain[50:, 26:40].all() == is_left
    assert gain[30:, 92:138].all() != is_left


@pytest.mark.parametrize("point", [(-0.4, 0.8), (-1.3, 0.8), (1.2, 0.8), (0.7, -3.0), (0.7, 1.01)])
def test_nobody_is_shown_for_a_point_beside_the_crop(point: tuple[float, float]) -> None:
    """Somebody else was shown, or each frame failed: the point is that of the whole frame."""
    tracker = OnlyMe()
    alpha = no_matte()
    alpha[20:, 90:160] = 1

    tracker.select(point)
    gain = tracker.gain(black(), alpha, 1 / FPS)

    assert not gain.any()
    assert not tracker.shown


def test_who_was_selected_beside_the_crop_is_shown_once_the_crop_holds_them() -> None:
    effects = Effects()
    zoomed = Settings(framing=FramingSettings(zoom=2, pan_x=1)).with_person((0.2, 0.6))
    alpha = no_matte()
    alpha[40:, 20:45] = 1

    assert not is_anybody_shown(effects, zoomed, black(), alpha)
    assert is_anybody_shown(effects, zoomed.replace(framing=FramingSettings()), black(), alpha)


def test_a_click_at_the_edge_of_the_frame_finds_who_is_near_it() -> None:
    tracker = OnlyMe()
    alpha = no_matte()
    alpha[0, 2:60] = 1
    alpha[:40, 40:60] = 1
    alpha[20:, 90:140] = 1

    tracker.select((0.0, 0.0))
    gain = tracker.gain(black(), alpha, 1 / FPS)

    assert gain[5:35, 42:58].all()
    assert not gain[30:, 92:138].any()


def test_who_touches_me_is_hidden_while_somebody_else_stands_apart() -> None:
    tracker = OnlyMe()
    image = red_before_blue(20, 60)
    tracker.select((0.25, 0.9))

    for left in (64, 60):
        alpha = no_matte()
        alpha[20:, np.r_[20:60, left:74, 110:150]] = 1
        gain = tracker.gain(image, alpha, 1 / FPS)

    assert gain[30:, 20:55].all()
    assert not gain[:, 63:].any()


def cropped(framing: FramingSettings, camera_x: int) -> Floats:
    """Return the matte of a small person in a crop of a camera's frame of 960 x 540.

    camera_x: their column there, in the middle row.
    """
    x, y, width, height = cutout(framing, 960, 540)
    row = ((270 - y) * ROWS) // height
    column = ((camera_x - x) * COLUMNS) // width
    reach = 3840 // width
    alpha = nobody()
    alpha[row - reach : row + reach, column - reach : column + reach] = 1
    return alpha


@pytest.mark.parametrize("changed", [{"pan_x": 1.0}, {"pan_y": 1.0}, {"zoom": 2.5, "pan_x": 0.6}])
def test_the_selection_moves_with_the_crop(changed: dict[str, float]) -> None:
    """Pan by a third of what is seen: who is selected, and small, is far from where they were."""
    before = FramingSettings(zoom=1.5)
    after = before.replace(**changed)
    earlier = cropped(before, 480)
    moved = cropped(after, 480)
    neighbour = cropped(after, 560)
    assert not (earlier * moved).any()
    assert neighbour.any()
    tracker = OnlyMe()
    tracker.select((0.5, 0.5))
    tracker.gain(wall(), earlier, 0.0)

    for _ in range(9):  # small errors add up
        tracker.reframe(before, after)
        tracker.reframe(after, before)
    tracker.reframe(before, after)
    gain = tracker.gain(wall(), np.maximum(moved, neighbour), 1 / FPS)

    assert share_shown(gain, moved) > 0.98
    assert not (gain * neighbour).any()


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
            gain = tracker.gain(rng.random((3, *SIZE)).astype(np.float32), alpha, 1 / FPS)
            assert gain.shape == alpha.shape
            assert 0 <= gain.min() <= gain.max() <= 1


def is_anybody_shown(
    effects: Effects, chosen: Settings, image: Floats, alpha: Floats, camera: str = "one"
) -> bool:
    """Return whether anybody is shown in the next frame."""
    frame = FrameContext(chosen, (160, 90), 0.0, BlurredBackground(85), camera)
    assert effects.begin_frame(frame)
    gain = effects.edit(image, alpha).gain
    assert gain is not None
    assert effects.hides_everybody == (not gain.any())
    return not effects.hides_everybody


def is_anybody_shown_in_the_end(
    effects: Effects, chosen: Settings, people: Sequence[Walker]
) -> bool:
    """Return the same after as many frames as the proof takes."""
    image = wall()
    rng = np.random.default_rng(3)
    alpha = np.max([person.paint(image, 0.0, rng) for person in people], 0)
    for _ in range(PROOF_FRAMES):
        is_anybody_shown(effects, chosen, image, alpha)
    return is_anybody_shown(effects, chosen, image, alpha)


def test_nobody_takes_my_place_in_a_pause() -> None:
    """Whoever stood at the old click was shown after a pause or a reconnect of the camera."""
    effects = Effects()
    at_a_click = Settings().with_person((0.3, 0.9))
    the_largest = at_a_click.with_person(None)

    def shown_after_a_pause(chosen: Settings, *people: Walker) -> bool:
        effects.reset()
        return is_anybody_shown_in_the_end(effects, chosen, people)

    me = Walker(at(0.3), RED)
    somebody = Walker(at(0.3), BLUE)
    assert is_anybody_shown_in_the_end(effects, at_a_click, [me])
    assert not shown_after_a_pause(at_a_click, somebody), "at the old click"
    assert not shown_after_a_pause(at_a_click, me, Walker(at(0.7), RED)), "one of two like me"
    assert shown_after_a_pause(at_a_click, Walker(at(0.6), RED)), "I, at another place"
    assert shown_after_a_pause(the_largest, somebody), "without a click"
    assert shown_after_a_pause(the_largest, Walker(at(0.75), RED)), "after a pause as well"


def test_a_selection_in_the_picture_of_another_camera_selects_nobody() -> None:
    """Whoever stood at the same place before the next camera was shown."""
    effects = Effects()
    only_me = Settings(people=Settings().people.replace(only_me=True))
    alpha = no_matte()
    alpha[20:90, 60:100] = 1

    def shown(camera: str, selected: tuple[float, float] | None) -> bool:
        return is_anybody_shown(effects, only_me.with_person(selected), black(), alpha, camera)

    assert shown("one", (0.5, 0.6))
    effects.reset()
    after_a_pause = [shown("one", (0.5, 0.6)) for _ in range(PROOF_FRAMES)]
    assert after_a_pause[-2:] == [False, True]
    for _ in range(2):
        assert not shown("two", (0.5, 0.6))
        effects.reset()
    assert not shown("one", (0.5, 0.6))
    assert shown("one", (0.5, 0.61)), "the next selection"
    assert shown("two", None), "without a selection it is the largest person"
