"""Turning pictures and positions upright."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.orientation import UNTURNED, Orientation
from tests.turns import TURNS


def test_a_quarter_turn_is_clockwise_and_the_flip_follows_it() -> None:
    image = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    np.testing.assert_array_equal(Orientation(90).upright(image), [[4, 1], [5, 2], [6, 3]])
    np.testing.assert_array_equal(Orientation(90, flip=True).upright(image), [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(Orientation(180).upright(image), [[6, 5, 4], [3, 2, 1]])
    np.testing.assert_array_equal(Orientation(270).upright(image), [[3, 6], [2, 5], [1, 4]])
    assert UNTURNED.upright(image) is image


@pytest.mark.parametrize("orientation", TURNS, ids=str)
def test_size_and_positions_follow_the_picture(orientation: Orientation) -> None:
    image = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    turned = orientation.upright(image)
    assert turned.flags.c_contiguous
    assert turned.shape[::-1] == orientation.size(4, 3)
    for row, column in np.ndindex(image.shape):
        x, y = (column + 0.5) / 4, (row + 0.5) / 3
        upright_x, upright_y = orientation.to_upright(x, y)
        assert turned[int(upright_y * turned.shape[0]), int(upright_x * turned.shape[1])] == image[row, column]
        assert orientation.from_upright(upright_x, upright_y) == pytest.approx((x, y))


def test_every_turn_has_its_own_words() -> None:
    assert [str(orientation) for orientation in TURNS[:3]] == ["", "flipped", "rotated 90"]
    assert len({str(orientation) for orientation in TURNS}) == len(TURNS)
