"""Parallax: the part of a larger backdrop that is shown."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.types import BgrImage
from app.people.parallax import STEPS, ShiftedBackdrop, margins

SIZE = 200, 100


def ramp() -> BgrImage:
    """Return an image whose level is its column, larger than the frame."""
    beside, above = margins(*SIZE, 100)
    row = np.arange(SIZE[0] + 2 * beside, dtype=np.uint8)
    return np.tile(row[None, :, None], (SIZE[1] + 2 * above, 1, 3))


@pytest.mark.parametrize("offset", [-1.0, -0.3, 0.0, 0.11, 1.0])
def test_the_backdrop_moves_by_parts_of_a_pixel(offset: float) -> None:
    image, (beside, _) = ramp(), margins(*SIZE, 100)
    shown = ShiftedBackdrop().shown(image, *SIZE, (offset, -offset))
    assert shown.shape == (SIZE[1], SIZE[0], 3)
    assert shown.flags.c_contiguous
    expected = beside * (1 - offset) + np.arange(SIZE[0])
    np.testing.assert_allclose(shown[0, :, 0], expected, atol=0.5 + 1 / STEPS)


def test_nothing_is_made_anew_while_nothing_moves() -> None:
    image, shifted = ramp(), ShiftedBackdrop()
    first = shifted.shown(image, *SIZE, (0.2, 0.0))
    assert shifted.shown(image, *SIZE, (0.2001, 0.0)) is first
    assert shifted.shown(image, *SIZE, (0.5, 0.0)) is not first
    assert shifted.shown(image.copy(), *SIZE, (0.5, 0.0)) is not first
