"""One selected person beside, behind and in front of another: how much of the other is shown, and whether they swap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.settings import FramingSettings, PeopleSettings, Settings
from app.people.editor import PeopleEditor
from app.people.only_me import PROOF_FRAMES, OnlyMe
from tests.people.crowds import BLUE, COLUMNS, DARK_BLUE, RED, ROWS, WALL, Outcome, Walker, silhouette, watch

GLIMPSE = 0.003
"""Part of the frame: a strip at the rim of the person, less than a tenth of the bystander's head."""


def standing(clothes: tuple[float, float, float]) -> Walker:
    return Walker(lambda _: 0.4, clothes)


def passing(clothes: tuple[float, float, float], top: float = 0.28, head: float = 0.1) -> Walker:
    """Cross the whole frame within six seconds."""
    return Walker(lambda time_s: -0.2 + 0.25 * time_s, clothes, top, head)


def assert_private(outcome: Outcome) -> None:
    assert outcome.bystander.max() <= GLIMPSE


def test_somebody_beside_is_never_shown() -> None:
    me, other = standing(RED), Walker(lambda time_s: 0.85 - 0.02 * time_s, BLUE)
    outcome = watch(other, me, 4, select=me)
    assert outcome.bystander.max() == 0
    assert outcome.own.min() > 0.99


def test_somebody_who_passes_behind_is_cut_off_and_i_stay() -> None:
    me = standing(RED)
    outcome = watch(passing(BLUE), me, 7, select=me)
    assert_private(outcome)
    assert outcome.own.min() > 0.85


@pytest.mark.parametrize("clothes", [BLUE, DARK_BLUE])
def test_somebody_who_passes_in_front_hides_me_for_a_while_and_is_not_shown(
    clothes: tuple[float, float, float],
) -> None:
    me = standing(BLUE if clothes is DARK_BLUE else RED)
    outcome = watch(me, passing(clothes, 0.22, 0.12), 8, select=me)
    assert_private(outcome)
    assert outcome.own[-1] > 0.95, "shown again, and nobody else in my place"


def test_people_in_the_same_clothes_are_hidden_while_they_touch() -> None:
    me = standing(BLUE)
    outcome = watch(passing(DARK_BLUE), me, 8, select=me)
    assert_private(outcome)
    assert outcome.own[-1] > 0.95
    assert 0.1 < outcome.shown.count(False) / len(outcome.shown) < 0.4


def test_colours_that_everybody_wears_do_not_make_people_alike() -> None:
    """Skin and trousers are the same: their histograms are similar, but clothes tell the two apart."""
    me = Walker(lambda _: 0.4, RED, jeans=True)
    other = Walker(lambda time_s: -0.2 + 0.25 * time_s, BLUE, 0.28, 0.1, jeans=True)
    outcome = watch(other, me, 8, select=me)
    assert_private(outcome)
    assert all(outcome.shown)
    assert outcome.own.min() > 0.6
    assert outcome.own[-1] > 0.95, "all of the person is shown once the other one is gone"


def test_somebody_in_front_in_the_same_trousers_is_not_shown() -> None:
    me = Walker(lambda _: 0.4, RED, jeans=True)
    other = Walker(lambda time_s: -0.2 + 0.25 * time_s, BLUE, 0.25, 0.12, jeans=True)
    outcome = watch(me, other, 8, select=me)
    assert_private(outcome)
    assert outcome.own[-1] > 0.95


def test_somebody_who_looks_the_same_never_takes_my_place() -> None:
    """Nothing tells the two apart after they have met, so that nobody is shown until the next click."""
    me, other = standing(BLUE), passing(BLUE, 0.3, 0.14)
    outcome = watch(other, me, 8, select=me)
    assert_private(outcome)
    assert not outcome.shown[-1]


@pytest.mark.parametrize("in_front", [True, False])
def test_two_who_cross_do_not_swap(in_front: bool) -> None:
    me, other = Walker(lambda t: 0.15 + 0.1 * t, RED), Walker(lambda t: 0.85 - 0.1 * t, BLUE)
    outcome = watch(other, me, 8, select=me) if in_front else watch(me, other, 8, select=me)
    assert_private(outcome)
    assert outcome.own[-1] > 0.85


def test_somebody_who_stays_at_my_side_is_not_shown() -> None:
    me, other = standing(RED), Walker(lambda time_s: max(0.45, 0.95 - 0.15 * time_s), BLUE)
    outcome = watch(other, me, 9, select=me)
    assert_private(outcome)
    assert outcome.own.min() > 0.8


def test_nobody_takes_my_place_when_i_leave() -> None:
    me, other = Walker(lambda t: 0.3 - 0.15 * t, RED), Walker(lambda _: 0.75, BLUE)
    outcome = watch(other, me, 8, select=me)
    assert outcome.bystander.max() == 0
    assert not outcome.shown[-1]


def test_the_click_selects_and_without_one_the_largest() -> None:
    small, large = silhouette(0.25, 0.5, 0.12), silhouette(0.7, 0.2, 0.2)
    image = np.full((3, ROWS, COLUMNS), 0.5, np.float32)
    alpha = np.maximum(small, large)
    tracker = OnlyMe()
    gain = tracker.gain(image, alpha, 0.0)
    assert (gain * large).sum() > 0.99 * large.sum()
    assert (gain * small).max() == 0
    tracker.select((0.25, 0.8))
    gain = tracker.gain(image, alpha, 0.0)
    assert (gain * small).sum() > 0.99 * small.sum()
    assert (gain * large).max() == 0
    tracker.select((0.5, 0.05))
    assert tracker.gain(image, alpha, 0.0).max() == 0, "a click on the wall selects nobody, and shows nobody"
    assert not tracker.shown


def test_a_change_of_the_crop_keeps_the_selection() -> None:
    """Zoom at the selected person: the mask of the last frame moves with the crop."""
    tracker, image = OnlyMe(), np.empty((3, ROWS, COLUMNS), np.float32)
    image[:] = np.array(WALL, np.float32)[:, None, None]
    me, other = silhouette(0.45, 0.4, 0.12), silhouette(0.75, 0.4, 0.12)
    tracker.select((0.45, 0.7))
    tracker.gain(image, np.maximum(me, other), 0.0)
    tracker.reframe(FramingSettings(), FramingSettings(zoom=1.5))
    zoomed = silhouette(0.5 + 1.5 * (0.45 - 0.5), 0.5 + 1.5 * (0.4 - 0.5), 0.18, below=1.25)
    neighbour = silhouette(0.5 + 1.5 * (0.75 - 0.5), 0.5 + 1.5 * (0.4 - 0.5), 0.18, below=1.25)
    gain = tracker.gain(image, np.maximum(zoomed, neighbour), 1 / 30)
    assert (gain * zoomed).sum() > 0.98 * zoomed.sum()
    assert (gain * neighbour).max() == 0


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
            assert gain.min() >= 0
            assert gain.max() <= 1


def test_switching_it_off_forgets_the_person() -> None:
    editor, framing = PeopleEditor(), FramingSettings()
    chosen = Settings(people=PeopleSettings(only_me=True), selected=(0.5, 0.5))
    assert editor.begin(chosen, framing, (320, 180), "", 0.0)
    assert editor.hides_person, "nobody is found yet"
    assert not editor.begin(Settings(), framing, (320, 180), "", 0.1)
    assert not editor.hides_person


def test_nobody_takes_my_place_in_a_pause() -> None:
    """Whoever stood at the old click was shown after a pause, and after a reconnect of the camera."""
    editor, framing = PeopleEditor(), FramingSettings()
    chosen = Settings(people=PeopleSettings(only_me=True), selected=(0.3, 0.9))

    def shown(who: Walker) -> bool:
        """Return whether the person is shown in the end."""
        image = np.empty((3, ROWS, COLUMNS), np.float32)
        image[:] = np.array(WALL, np.float32)[:, None, None]
        alpha = who.alpha(0.0)
        who.paint(image, alpha, np.random.default_rng(3))
        for _ in range(PROOF_FRAMES + 1):
            editor.begin(chosen, framing, (320, 180), "one", 0.0)
            gain = editor.edit(image, alpha).gain
            assert gain is not None and editor.hides_person == (not gain.any())
        return not editor.hides_person

    assert shown(Walker(lambda _: 0.3, RED))
    editor.forget()
    assert not shown(Walker(lambda _: 0.3, BLUE)), "somebody else at the old click"
    editor.forget()
    assert shown(Walker(lambda _: 0.6, RED)), "I, at another place"
    chosen = chosen.replace(selected=None)
    editor.forget()
    assert shown(Walker(lambda _: 0.3, BLUE)), "without a click, it is the largest person"


def test_a_selection_in_the_picture_of_another_camera_selects_nobody() -> None:
    """Whoever stood at the same place before the next camera was shown."""
    editor, framing, chosen = PeopleEditor(), FramingSettings(), Settings(people=PeopleSettings(only_me=True))
    image, alpha = np.zeros((3, 90, 160), np.float32), np.zeros((90, 160), np.float32)
    alpha[20:90, 60:100] = 1

    def shown(camera: str, selected: tuple[float, float] | None) -> bool:
        editor.begin(chosen.replace(selected=selected), framing, (320, 180), camera, 0.0)
        gain = editor.edit(image, alpha).gain
        assert gain is not None and editor.hides_person == (not gain.any())
        return bool(gain.any())

    assert shown("one", (0.5, 0.6))
    editor.forget()
    assert [shown("one", (0.5, 0.6)) for _ in range(PROOF_FRAMES)][-2:] == [False, True], "after a pause"
    for _ in range(2):
        assert not shown("two", (0.5, 0.6))
        editor.forget()
    assert not shown("one", (0.5, 0.6))
    assert shown("one", (0.5, 0.61)), "the next selection"
    assert shown("two", None), "without a selection it is the largest person"
