"""Gaps between arm and body, and the share of them that is shown."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.gaps import Pixels, gaps
from training.rows import gaps_shown, holes

HEIGHT, WIDTH = 180, 320


def body() -> Pixels:
    """Return the alpha of a person seen from the front, whose arms hang close to the body."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(alpha, (160, 40), 25, 255, -1)
    alpha[60:, 130:190] = 255
    return alpha


def test_a_hole_is_a_gap() -> None:
    alpha = body()
    alpha[100:140, 145:175] = 0
    found = gaps(alpha)
    assert found[101:139, 146:174].all()
    assert not found[:, :130].any()


def test_a_narrow_bay_is_a_gap() -> None:
    alpha = body()
    alpha[60:150, 100:120] = 255
    alpha[60:75, 120:130] = 255
    found = gaps(alpha)
    assert found[80:140, 121:129].mean() > 0.9
    assert not found[:60].any()
    assert not found[:, 200:].any()


def test_a_gap_that_the_frame_cuts_off_is_one() -> None:
    alpha = body()
    alpha[100:, 112:118] = alpha[100:110, 112:130] = 255
    assert gaps(alpha)[120:, 119:129].all()


@pytest.mark.parametrize("fill", [0, 255])
def test_frames_without_edges_have_no_gap(fill: int) -> None:
    assert not gaps(np.full((HEIGHT, WIDTH), fill, np.uint8)).any()


def test_a_plain_outline_and_spaces_between_strands_have_no_gap() -> None:
    alpha = body()
    assert not gaps(alpha)[70:].any()
    alpha[20:60, 140:180:3] = 0
    assert not gaps(alpha)[20:60, 140:180].any()


def test_the_share_counts_pixels_over_all_frames() -> None:
    holed = body().astype(np.float32) / np.float32(255)
    holed[100:140, 145:175] = 0
    half = holed.copy()
    half[100:120, 145:175] = 1
    assert gaps_shown([holed], [holed]) == 0
    assert gaps_shown([half, holed], [holed, holed]) == pytest.approx(25, abs=2)
    assert gaps_shown([half], [np.zeros_like(half)]) == 0


def test_only_what_a_matte_leaves_out_inside_of_people_is_a_hole() -> None:
    person = np.zeros((HEIGHT, WIDTH), np.float32)
    person[40:, 100:200] = 1
    pierced, cut, narrower = person.copy(), person.copy(), person.copy()
    pierced[100:110, 140:150] = 0
    cut[100:, 140:150] = 0
    narrower[:, 190:] = 0
    inside = (HEIGHT - 50) * 80
    assert holes([pierced], [person]) == pytest.approx(100 * 100 / inside, rel=0.03)
    assert holes([person], [person]) == holes([cut], [person]) == holes([narrower], [person]) == 0
    assert holes([pierced], [pierced]) == holes([person], [np.zeros_like(person)]) == 0
