"""Backdrops that shift against the person, and what the drift of the head does to them."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.settings import BackgroundSettings
from app.core.types import AlphaImage, BgrImage
from app.people.parallax import STEPS, DriftingBackdrop, head_of, margins
from tests.people.crowds import head_and_shoulders

SIZE = 200, 100


def ramp() -> BgrImage:
    """Return an image whose level is its column, larger than the frame."""
    beside, above = margins(*SIZE, 100)
    row = np.arange(SIZE[0] + 2 * beside, dtype=np.uint8)
    return np.tile(row[None, :, None], (SIZE[1] + 2 * above, 1, 3))


@pytest.mark.parametrize("offset", [-1.0, -0.3, 0.0, 0.11, 1.0])
def test_the_backdrop_moves_by_parts_of_a_pixel(offset: float) -> None:
    image, (beside, _) = ramp(), margins(*SIZE, 100)
    shown = DriftingBackdrop().shifted(image, *SIZE, (offset, -offset))
    assert shown.shape == (SIZE[1], SIZE[0], 3)
    assert shown.flags.c_contiguous
    expected = beside * (1 - offset) + np.arange(SIZE[0])
    np.testing.assert_allclose(shown[0, :, 0], expected, atol=0.5 + 1 / STEPS)


def test_nothing_is_made_anew_while_nothing_moves() -> None:
    image, backdrop = ramp(), DriftingBackdrop()
    first = backdrop.shifted(image, *SIZE, (0.2, 0.0))
    assert backdrop.shifted(image, *SIZE, (0.2001, 0.0)) is first
    assert backdrop.shifted(image, *SIZE, (0.5, 0.0)) is not first
    assert backdrop.shifted(image.copy(), *SIZE, (0.5, 0.0)) is not first


FPS = 30
MOVING = BackgroundSettings(kind="image", parallax=100)


def drifted(drift: DriftingBackdrop, alpha: AlphaImage, seconds: float, start_s: float = 0.0) -> list[float]:
    path = []
    for frame in range(round(seconds * FPS)):
        drift.watch(MOVING, alpha, start_s + frame / FPS)
        path.append(drift.offset[0])
    return path


@pytest.mark.parametrize("x", [0.3, 0.5, 0.7])
def test_the_head_is_found_and_not_the_shoulders(x: float) -> None:
    found = head_of(head_and_shoulders(x))
    assert found is not None
    assert found[0] == pytest.approx(x, abs=0.03)
    assert 0.2 < found[1] < 0.5
    assert head_of(np.zeros((90, 160), np.uint8)) is None


def test_the_background_drifts_slowly_against_the_head() -> None:
    drift = DriftingBackdrop()
    path = drifted(drift, head_and_shoulders(0.75), 5)
    assert path[-1] == pytest.approx(-0.5, abs=0.05), "the head is on the right, the background goes left"
    steps = -np.diff(path)
    assert (steps >= -1e-9).all(), "it never swings back"
    assert steps.max() < 0.02, "less than a fiftieth of the way per frame"
    assert path[FPS // 10] > -0.02, "it begins gently"


def test_it_stays_where_it_is_without_a_person() -> None:
    drift = DriftingBackdrop()
    last = drifted(drift, head_and_shoulders(0.75), 5)[-1]
    later = drifted(drift, np.zeros((90, 160), np.uint8), 3, start_s=5)
    assert later[-1] == pytest.approx(last, abs=0.02)
