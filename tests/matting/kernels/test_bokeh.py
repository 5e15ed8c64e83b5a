"""Bokeh: discs, kept highlights, no halo of the person, and text that cannot be read."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.matting_settings import HIDES_TEXT
from app.core.types import Floats
from app.matting.base import blur
from app.matting.base.interface import StepGeometry
from app.matting.cpu.cpu_blur import blurred_background, disc

GEOMETRY = StepGeometry(1280, 720, 0.375)
NOBODY = np.zeros((GEOMETRY.small_height, GEOMETRY.small_width), np.float32)


def small(image: NDArray[np.uint8]) -> Floats:
    """Return the small frame (3, h, w) of an image (720, 1280, 3) BGR."""
    size = GEOMETRY.small_width, GEOMETRY.small_height
    resized = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32) / 255
    return np.ascontiguousarray(resized[..., ::-1].transpose(2, 0, 1))


def bokeh(image: NDArray[np.uint8], strength: float, alpha: Floats = NOBODY) -> NDArray[np.uint8]:
    return blurred_background(small(image), alpha, strength, GEOMETRY.blur_factor, 1280, 720, bokeh=True)


def blurred(image: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    return blurred_background(small(image), NOBODY, strength, GEOMETRY.blur_factor, 1280, 720)


@pytest.mark.parametrize("radius", [0.3, 0.5, 1.0, 2.4, 4.0])
def test_a_disc_is_round_and_sums_to_one(radius: float) -> None:
    weights = disc(radius)
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(weights, weights.T)
    np.testing.assert_allclose(weights, weights[::-1])
    if radius >= 1:
        assert 1 / weights.max() == pytest.approx(np.pi * radius**2, rel=0.05), "flat, of the area of a disc"


def test_a_lamp_stays_bright_and_becomes_a_disc() -> None:
    room = np.full((720, 1280, 3), 40, np.uint8)
    cv2.circle(room, (640, 360), 14, (255, 255, 255), -1)
    lens, usual = bokeh(room, 30)[..., 1].astype(float) - 40, blurred(room, 30)[..., 1].astype(float) - 40
    assert lens.sum() > 3 * usual.sum(), "the highlight prevails"
    radius = blur.DISC_RADIUS * blur.strength_sigma(30, 720)
    across = lens[360, 640:] / lens[360, 640]
    assert across[int(0.5 * radius)] > 0.75, "nearly flat inside"
    assert across[int(1.8 * radius)] < 0.1, "dark outside"


def test_a_uniform_room_stays_uniform() -> None:
    room = np.full((720, 1280, 3), (30, 120, 200), np.uint8)
    for strength in (0, 40, 100):
        assert np.abs(bokeh(room, strength).astype(int) - room).max() <= 2


def test_the_person_leaves_no_halo() -> None:
    """The colour of the person is nowhere in the room, for a person brighter than it."""
    room = np.full((720, 1280, 3), 60, np.uint8)
    alpha = np.zeros_like(NOBODY)
    height, width = alpha.shape
    alpha[height // 4 :, width // 3 : 2 * width // 3] = 1
    room[720 // 4 :, 1280 // 3 : 2 * 1280 // 3] = 255
    for strength in (10, 50, 90):
        assert bokeh(room, strength, alpha).max() <= 70


@pytest.mark.parametrize("period_px", [12, 20, 30, 40])
def test_at_the_least_strength_of_strict_mode_no_text_of_60_px_is_left(period_px: int) -> None:
    """The strokes of such text have periods below 40 px. What is left of them must not exceed the usual blur's."""
    across = np.arange(1280) // (period_px / 2) % 2 * 255
    stripes = np.repeat(np.broadcast_to(across, (720, 1280))[..., None], 3, axis=2).astype(np.uint8)
    lens, usual = (_amplitude(make(stripes, HIDES_TEXT), period_px) for make in (bokeh, blurred))
    assert lens <= max(usual, 0.5), "of 255 levels"


def _amplitude(image: NDArray[np.uint8], period_px: int) -> float:
    """Return the amplitude of a period in the middle of an image, of 255, with what leaks from others windowed away."""
    count = 600 // period_px * period_px
    row = image[200:520, 340 : 340 + count, 1].astype(float).mean(axis=0)
    window = np.hanning(count)
    return (
        float(np.abs(((row - row.mean()) * window * np.exp(2j * np.pi * np.arange(count) / period_px)).sum())) / count
    )
