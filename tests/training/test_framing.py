"""Placement of cut-out people: where the photo ends is out of the frame."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from training.framing import placed
from training.motion import Placement

Pixels = npt.NDArray[np.uint8]
Cuts = tuple[bool, bool, bool, bool]
"""Whether the photo ends at the left, right, above and below."""
SIZE = 160, 90


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
    return bool(((x > 0) & (x < SIZE[0] - 1) & (y > 0) & (y < SIZE[1] - 1)).any())


@pytest.mark.parametrize("cuts", list(itertools.product([False, True], repeat=4)))
def test_where_the_photo_ends_is_out_of_the_frame(cuts: Cuts, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [somebody(np.random.default_rng([seed, *cuts]), cuts) for seed in range(30)]
    found = [placed(np.random.default_rng(seed), alpha, SIZE, seed % 4 == 0) for seed, alpha in enumerate(people)]
    monkeypatch.setattr("training.framing._filled", lambda usual, alpha, size: usual)
    usual = [placed(np.random.default_rng(seed), alpha, SIZE, seed % 4 == 0) for seed, alpha in enumerate(people)]

    assert not any(map(ends_in_frame, people, found))
    if any(cuts[:3]):
        assert any(map(ends_in_frame, people, usual)), "nobody had to be shifted"
    elif not cuts[3]:
        assert found == usual


def test_a_head_that_only_touches_the_border_of_the_photo_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    alpha = np.zeros((1000, 400), np.uint8)
    cv2.ellipse(alpha, (200, 80), (60, 80), 0, 0, 360, 255, -1)
    alpha[160:, 100:300] = 255
    found = [placed(np.random.default_rng(seed), alpha, SIZE, small=True).scale for seed in range(20)]
    monkeypatch.setattr("training.framing._filled", lambda usual, alpha, size: usual)
    usual = [placed(np.random.default_rng(seed), alpha, SIZE, small=True).scale for seed in range(20)]
    assert found == usual and min(found) < (0.05, 0.05)
