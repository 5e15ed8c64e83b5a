"""Resizing: exact sizes, no distortion, nothing lost in the middle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import geometry
from app.core.geometry import Image

SIDES = st.integers(1, 400)
SHAPES = st.sampled_from([(), (3,)])


def noise(width: int, height: int, channels: tuple[int, ...]) -> Image:
    return np.random.default_rng(width * 1000 + height).integers(0, 256, (height, width, *channels), np.uint8)


PLAIN = [geometry.fill, geometry.fit, geometry.letterbox]
LAYOUTS = st.builds(
    geometry.Layout, st.sampled_from(["fill", "fit"]), st.floats(1, 4), st.floats(-1, 1), st.floats(-1, 1)
)


@settings(max_examples=250, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES, SHAPES, st.sampled_from(PLAIN) | LAYOUTS)
def test_every_shape_comes_out_at_exactly_the_wanted_size(w, h, out_w, out_h, channels, how) -> None:  # type: ignore[no-untyped-def]
    image = noise(w, h, channels)
    before = image.copy()
    result = how(image, out_w, out_h) if how in PLAIN else geometry.lay_out(image, how, out_w, out_h)
    assert result.shape == (out_h, out_w, *channels)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    assert np.array_equal(image, before), "the input was written to"
    assert how not in PLAIN or (result is image) == ((w, h) == (out_w, out_h))


@settings(max_examples=200, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES)
def test_sizes_cover_and_fit_with_the_shape_kept_to_a_pixel(w: int, h: int, out_w: int, out_h: int) -> None:
    cover_w, cover_h = geometry.cover_size(w, h, out_w, out_h)
    assert cover_w >= out_w and cover_h >= out_h
    assert cover_w == out_w or cover_h == out_h
    inner_w, inner_h = geometry.contain_size(w, h, out_w, out_h)
    assert 1 <= inner_w <= out_w and 1 <= inner_h <= out_h
    assert inner_w == out_w or inner_h == out_h
    scale = min(out_w / w, out_h / h)
    assert abs(inner_w - max(1, w * scale)) <= 0.5 + 1e-9 and abs(inner_h - max(1, h * scale)) <= 0.5 + 1e-9


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_even_sizes_lose_at_most_one_pixel(w: int, h: int) -> None:
    even_w, even_h = geometry.even_size(w, h)
    assert even_w % 2 == 0 and even_h % 2 == 0
    assert even_w == max(2, w - w % 2) and even_h == max(2, h - h % 2)


def test_an_image_of_the_right_scale_is_not_resampled() -> None:
    wide, low = noise(103, 100, (3,)), noise(100, 99, (3,))
    assert np.array_equal(geometry.fill(wide, 100, 100), wide[:, 1:101])
    assert np.array_equal(geometry.letterbox(low, 100, 100)[:99], low)


def test_letterbox_puts_the_whole_picture_in_the_middle_of_black() -> None:
    result = geometry.letterbox(np.full((50, 100, 3), 200, np.uint8), 100, 100)
    assert (result[25:75] == 200).all()
    assert (result[:25] == 0).all() and (result[75:] == 0).all()


def test_fit_has_bars_of_the_pictures_own_colours() -> None:
    result = geometry.fit(np.full((50, 100, 3), (20, 100, 200), np.uint8), 100, 100)
    assert (result[25:75] == (20, 100, 200)).all()
    assert np.abs(result[:20].astype(int) - (12, 60, 120)).max() <= 2


def test_panning_shows_the_edges_and_zooming_a_part() -> None:
    ramp = np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (50, 1, 3))
    for pan, first, last in ((-1, 0, 49), (0, 75, 124), (1, 150, 199)):
        shown = geometry.lay_out(ramp, geometry.Layout("fill", 1, pan), 50, 50)
        assert (shown[25, 0, 0], shown[25, -1, 0]) == (first, last)
    zoomed = geometry.lay_out(ramp, geometry.Layout("fill", 2, -1), 50, 50)
    assert int(zoomed[25, -1, 0]) == pytest.approx(25, abs=1)
    aside = geometry.lay_out(ramp, geometry.Layout("fit", 1.0, 0, 1), 100, 100)
    assert int(aside[0, 50, 0]) == pytest.approx(100, abs=2), "it moves as an enlarged one"
    np.testing.assert_array_equal(geometry.lay_out(ramp, geometry.Layout(), 50, 50), geometry.fill(ramp, 50, 50))
