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
from training.framing import cut_aside, placed
from training.hard import Layers, furniture, lit_like, rushing, straight_edges
from training.limbs import limbs
from training.motion import Placement, warp_all
from training.tests.samples import room

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


FRAME = 160, 90


def whole(layers: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    height, width = layers.shape[:2]
    scale = FRAME[1] / height
    return Placement((width / 2, height / 2), (FRAME[0] / 2, FRAME[1] / 2), (scale, scale)).matrix()


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
