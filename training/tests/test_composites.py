"""Composites: where people are placed and cut, hands, blur of motion, furniture, straight edges and light."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from training import hard
from training.data import Mixture, SampleSource
from training.framing import at_limb, cut_aside, placed
from training.hard import Layers, furniture, lit_like, rushing, straight_edges
from training.limbs import limbs
from training.motion import Placement, warp_all
from training.tests.samples import person, room

Pixels = npt.NDArray[np.uint8]
SIZES = [(160, 90), (64, 36), (9, 16)]


def waving(margin: int = 20) -> Pixels:
    """Return the alpha (100, 140) of somebody with a thin arm at either side, so far from the photo's lower edge."""
    alpha = np.zeros((100, 140), np.uint8)
    cv2.ellipse(alpha, (70, 22), (10, 12), 0, 0, 360, 255, -1)
    alpha[32 : 100 - margin, 50:90] = 255
    alpha[40:46, 20:120] = 255
    return alpha


def shown(alpha: Pixels, placement: Placement, size: tuple[int, int]) -> Pixels:
    layers = np.repeat(alpha[..., None], 4, 2)
    return warp_all(layers, placement.matrix(), [np.eye(3)], size, cv2.BORDER_CONSTANT)[0][..., 3]


def test_limbs_are_what_is_thin() -> None:
    found = limbs(waving())
    assert found[42:44, 22:45].all() and found[42:44, 95:118].all()
    assert not found[50:, :].any() and not found[:, 55:85].any()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("margin", [0, 20], ids=["cut below", "whole"])
def test_limbs_hang_in_the_frame_or_reach_its_border(size: tuple[int, int], margin: int) -> None:
    alpha = waving(margin)
    thin = np.where(limbs(alpha), alpha, 0).astype(np.uint8)
    at_border = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        usual = placed(rng, alpha, size, small=False)
        placement = at_limb(rng, alpha, usual, size)
        if placement is usual:
            continue
        assert shown(alpha, placement, size).any()
        if margin == 0:
            end = float((placement.matrix() @ [70, 99.5, 1])[1])
            assert end > size[1] - 1.5, "the lower edge of the photo is in view"
        limb = shown(thin, placement, size)
        assert limb.any() or min(size) < 30
        at_border.append(np.concatenate([limb[-1], limb[:, 0], limb[:, -1]]).max() > 60)
    if min(size) > 30:
        assert len(at_border) > 20
        assert 0.3 < np.mean(at_border) < 1


def test_people_without_limbs_and_those_who_fill_the_photo_are_placed_as_usual() -> None:
    rng = np.random.default_rng(0)
    body = np.zeros((60, 80), np.uint8)
    body[20:60, 20:60] = 255
    for alpha in (body, np.full((60, 80), 255, np.uint8)):
        usual = placed(rng, alpha, (64, 36), small=False)
        assert at_limb(rng, alpha, usual, (64, 36)) is usual


@pytest.mark.parametrize("size", SIZES)
def test_bystanders_are_cut_by_the_left_or_right_border(size: tuple[int, int]) -> None:
    alpha, borders = waving(), set()
    for seed in range(40):
        placement = cut_aside(np.random.default_rng(seed), alpha, size)
        assert placement is not None
        # In a frame so high that only its sides cut the person.
        wide = shown(alpha, Placement(**{**vars(placement), "centre": (placement.centre[0], 400)}), (size[0], 900))
        share = wide.sum() / (alpha.sum() * placement.scale[0] * placement.scale[1])
        if min(size) > 30:
            assert 0.15 < share < 0.75
        columns = wide.max(0) > 60
        borders.add((bool(columns[0]), bool(columns[-1])))
    assert {(True, False), (False, True)} <= borders


def test_where_the_photo_ends_is_outside_of_the_frame() -> None:
    left, both, above = waving(), waving(), waving()
    left[40:46, :20] = both[40:46, :20] = both[40:46, 120:] = above[:12, 65:75] = 255
    assert cut_aside(np.random.default_rng(0), both, (160, 90)) is None
    assert cut_aside(np.random.default_rng(0), above, (160, 90)) is None
    for seed in range(20):
        placement = cut_aside(np.random.default_rng(seed), left, (160, 90))
        assert placement is not None
        end = float((placement.matrix() @ [0, 43, 1])[0])
        assert end < 0 or end > 160


@pytest.mark.parametrize("size", SIZES)
def test_straight_edges_are_dark_touch_the_person_and_move_with_the_room(size: tuple[int, int]) -> None:
    frames = [np.full((size[1], size[0], 3), 200, np.uint8)] * 3
    alpha = shown(waving(), placed(np.random.default_rng(1), waving(), size, small=False), size)[..., None] / 255
    person = (alpha[..., 0] > 0.5).astype(np.uint8)
    around = cv2.dilate(person, np.ones((5, 5), np.uint8)) > 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shift = np.array([[1, 0, 2], [0, 1, 1], [0, 0, 1.0]])
        still, same, moved = straight_edges(frames, [np.eye(3), np.eye(3), shift], alpha.astype(np.float32), rng)
        assert np.array_equal(still, same)
        # Lines are clipped at the frame's border before they are drawn, which rounds them a little.
        assert np.abs(still[2:-3, 2:-4].astype(int) - moved[3:-2, 4:-2]).mean() < 0.5
        assert still[around].min() < (140 if min(size) > 30 else 190)
    assert all((frame == 200).all() for frame in frames)


@pytest.fixture
def everything(cache: Path, monkeypatch: pytest.MonkeyPatch) -> SampleSource:
    """A source of composites with each of them, before a flawless camera."""
    for share in ("_HANDS", "_BYSTANDERS", "_BORDERED"):
        monkeypatch.setattr(f"training.data.{share}", 1.0)
    monkeypatch.setattr("training.data._CROWDS", 0.0)
    return SampleSource(cache, (96, 54), 2, mixture=Mixture(composite=1, empty=0, clip=0), unspoilt=1)


def test_everybody_in_the_frame_and_nothing_else_is_in_the_truth(
    everything: SampleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, float]] = []

    def noted(
        rng: np.random.Generator,
        frames: list[Pixels],
        before: list[Pixels],
        behind: list[Pixels],
        people: list[list[hard.Layer]],
    ) -> Layers:
        layers = hard.in_front(rng, frames, before, behind, people)
        for t, truth in enumerate(layers[1]):
            free = np.prod([1 - person[t][1] for person in people], 0)
            seen.append((len(people), float(np.abs(truth / 255 - (1 - free)).max())))
        return layers

    monkeypatch.setattr("training.data.in_front", noted)
    for index in range(12):
        sample = everything.draw(index)
        person = sample.pha[..., 0] == 255
        np.testing.assert_allclose(sample.clean[person].astype(int), sample.fgr[person], atol=2)
    assert max(count for count, _ in seen) >= 2
    assert max(error for _, error in seen) < 0.003


def test_a_seed_and_an_index_decide_them(everything: SampleSource) -> None:
    first = [everything.draw(index) for index in range(3)]
    for index, sample in reversed(list(enumerate(first))):
        again = everything.draw(index)
        assert np.array_equal(again.src, sample.src) and np.array_equal(again.pha, sample.pha)


FRAME = 160, 90


def whole(layers: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    height, width = layers.shape[:2]
    scale = FRAME[1] / height
    return Placement((width / 2, height / 2), (FRAME[0] / 2, FRAME[1] / 2), (scale, scale)).matrix()


def soft(alpha: npt.NDArray[np.float32]) -> float:
    return float(((alpha > 0.05) & (alpha < 0.95)).mean())


def test_some_people_are_blurred_by_their_motion_and_the_others_stand() -> None:
    layers = np.ascontiguousarray(person(1)[..., 3:])
    edges = []
    for seed in range(12):
        images = rushing(np.random.default_rng(seed), layers, whole(layers), 3, FRAME)
        assert len(images) == 3
        assert all(colour.shape == (90, 160, 3) and 0 <= alpha.min() <= alpha.max() <= 1 for colour, alpha in images)
        edges.append(soft(images[-1][1]))
    assert max(edges) > 1.5 * min(edges)


def test_the_colour_of_a_blurred_person_is_not_darkened_by_the_blur() -> None:
    layers = np.zeros((90, 100, 4), np.uint8)
    layers[..., :3] = 200, 120, 40
    layers[20:70, 30:70, 3] = 255

    images = [rushing(np.random.default_rng(seed), layers, whole(layers), 2, FRAME) for seed in range(6)]
    blurred = [
        colour[(alpha[..., 0] > 0.1) & (alpha[..., 0] < 0.9)] for colour, alpha in itertools.chain.from_iterable(images)
    ]
    np.testing.assert_allclose(np.median(np.concatenate(blurred), 0), (200, 120, 40), atol=2)


def test_a_person_in_a_dark_room_gets_darker_with_the_same_alpha() -> None:
    colour, alpha = np.full((90, 160, 3), 180, np.float32), np.ones((90, 160, 1), np.float32)
    dark = np.full((90, 160, 3), 30, np.uint8)

    ((lit, opacity),) = lit_like(dark, [(colour, alpha)], np.random.default_rng(0))

    assert lit.mean() < 150
    assert opacity is alpha


def test_furniture_touches_the_person_and_moves_with_the_room() -> None:
    plain = np.full((90, 160, 3), 250, np.uint8)
    alpha = np.zeros((90, 160, 1), np.float32)
    alpha[30:, 60:100] = 1
    shift = np.array([[1, 0, 7], [0, 1, -4], [0, 0, 1.0]])

    for seed in range(8):
        still, moved = furniture([plain] * 2, [np.eye(3), shift], alpha, np.random.default_rng(seed))
        (alone,) = furniture([plain], [np.eye(3)], alpha, np.random.default_rng(seed))
        assert np.array_equal(still, alone)
        assert (still != plain).any(2)[20:, 30:130].any()
        np.testing.assert_allclose(moved[:-4, 7:].astype(int), still[4:, :-7], atol=1)


@pytest.mark.parametrize("draw", [furniture, straight_edges])
def test_beside_nobody_nothing_is_drawn(draw: Callable[..., object]) -> None:
    frames = [room(1, 90, 160)]
    assert draw(frames, [np.eye(3)], np.zeros((90, 160, 1), np.float32), np.random.default_rng(0)) is frames


Cuts = tuple[bool, bool, bool, bool]
"""Whether the photo ends at the left, right, above and below."""


def somebody(rng: np.random.Generator, cuts: Cuts) -> Pixels:
    """Return an ellipse or a rectangle that goes on beyond these sides of a photo."""
    height, width = (int(side) for side in rng.integers(60, 200, 2))
    left, right, above, below = (rng.uniform(-0.5, -0.3) if cut else rng.uniform(0.05, 0.2) for cut in cuts)
    first = int(left * width), int(above * height)
    last = int((1 - right) * width), int((1 - below) * height)
    alpha = np.zeros((height, width), np.uint8)
    if rng.random() < 0.5:
        cv2.rectangle(alpha, first, last, 255, -1)
    else:
        middle, half = np.add(first, last) // 2, np.subtract(last, first) // 2
        cv2.ellipse(alpha, middle.tolist(), half.tolist(), 0, 0, 360, 255, -1)
    return alpha


def ends_in_frame(alpha: Pixels, placement: Placement) -> bool:
    border = np.ones_like(alpha)
    border[1:-1, 1:-1] = 0
    rows, columns = np.nonzero(border & (alpha > 127))
    x, y = placement.matrix() @ np.stack([columns, rows, np.ones(len(rows))])
    return bool(((x > 0) & (x < FRAME[0] - 1) & (y > 0) & (y < FRAME[1] - 1)).any())


@pytest.mark.parametrize("cuts", list(itertools.product([False, True], repeat=4)))
def test_where_the_photo_ends_is_out_of_the_frame(cuts: Cuts, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [somebody(np.random.default_rng([seed, *cuts]), cuts) for seed in range(30)]
    found = [placed(np.random.default_rng(seed), alpha, FRAME, seed % 4 == 0) for seed, alpha in enumerate(people)]
    monkeypatch.setattr("training.framing._filled", lambda usual, alpha, size: usual)
    usual = [placed(np.random.default_rng(seed), alpha, FRAME, seed % 4 == 0) for seed, alpha in enumerate(people)]

    assert not any(map(ends_in_frame, people, found))
    if any(cuts[:3]):
        assert any(map(ends_in_frame, people, usual)), "nobody had to be shifted"
    elif not cuts[3]:
        assert found == usual


def test_a_head_that_only_touches_the_border_of_the_photo_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    alpha = np.zeros((1000, 400), np.uint8)
    cv2.ellipse(alpha, (200, 80), (60, 80), 0, 0, 360, 255, -1)
    alpha[160:, 100:300] = 255
    found = [placed(np.random.default_rng(seed), alpha, FRAME, small=True).scale for seed in range(20)]
    monkeypatch.setattr("training.framing._filled", lambda usual, alpha, size: usual)
    usual = [placed(np.random.default_rng(seed), alpha, FRAME, small=True).scale for seed in range(20)]
    assert found == usual and min(found) < (0.05, 0.05)
