"""Resizing, turning, zoom and pan: exact sizes, no distortion, and what lies under the pointer stays there."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import geometry
from app.core.geometry import WHOLE, Image, cutout, framed, pan_by, scale, zoom_at
from app.core.settings import MAX_ZOOM, FramingSettings
from app.core.types import UNTURNED, Orientation
from tests.sources import TURNS

SIDES = st.integers(1, 400)
SHAPES = st.sampled_from([(), (3,)])


def noise(width: int, height: int, channels: tuple[int, ...]) -> Image:
    return np.random.default_rng(width * 1000 + height).integers(
        0, 256, (height, width, *channels), np.uint8
    )


PLAIN = [geometry.fill, geometry.letterbox]
LAYOUTS = st.builds(
    geometry.Layout,
    st.sampled_from(["fill", "fit"]),
    st.floats(1, 4),
    st.floats(-1, 1),
    st.floats(-1, 1),
)


@settings(max_examples=250, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES, SHAPES, st.sampled_from(PLAIN) | LAYOUTS)
def test_every_shape_comes_out_at_exactly_the_wanted_size(
    w: int, h: int, out_w: int, out_h: int, channels: tuple[int, ...], how: Any
) -> None:
    image = noise(w, h, channels)
    before = image.copy()
    if how in PLAIN:
        result = how(image, out_w, out_h)
    else:
        result = geometry.lay_out(image, how, out_w, out_h)

    assert (result.shape, result.dtype, result.flags.c_contiguous) == (
        (out_h, out_w, *channels),
        np.uint8,
        True,
    )
    assert np.array_equal(image, before), "the input was written to"
    assert how not in PLAIN or (result is image) == ((w, h) == (out_w, out_h))


@settings(max_examples=200, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES)
def test_sizes_cover_and_fit_with_the_shape_kept_to_a_pixel(
    w: int, h: int, out_w: int, out_h: int
) -> None:
    cover_w, cover_h = geometry.cover_size(w, h, out_w, out_h)
    assert cover_w >= out_w and cover_h >= out_h
    assert cover_w == out_w or cover_h == out_h
    inner_w, inner_h = geometry.contain_size(w, h, out_w, out_h)
    assert 1 <= inner_w <= out_w and 1 <= inner_h <= out_h
    assert inner_w == out_w or inner_h == out_h
    scale = min(out_w / w, out_h / h)
    assert (
        abs(inner_w - max(1, w * scale)) <= 0.5 + 1e-9
        and abs(inner_h - max(1, h * scale)) <= 0.5 + 1e-9
    )


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_even_sizes_lose_at_most_one_pixel(w: int, h: int) -> None:
    even_w, even_h = geometry.even_size(w, h)
    assert even_w % 2 == 0 and even_h % 2 == 0
    assert even_w == max(2, w - w % 2) and even_h == max(2, h - h % 2)


def test_a_picture_of_the_right_scale_is_not_resampled_and_bars_are_black_or_of_its_colours() -> (
    None
):
    wide = noise(103, 100, (3,))
    low = noise(100, 99, (3,))
    assert np.array_equal(geometry.fill(wide, 100, 100), wide[:, 1:101])
    assert np.array_equal(geometry.letterbox(low, 100, 100)[:99], low)
    plain = np.full((50, 100, 3), (20, 100, 200), np.uint8)
    black = geometry.letterbox(plain, 100, 100)
    own = geometry.lay_out(plain, geometry.Layout("fit"), 100, 100)
    assert (black[25:75] == plain).all() and (own[25:75] == plain).all()
    assert (black[:25] == 0).all() and (black[75:] == 0).all()
    assert np.abs(own[:20].astype(int) - (12, 60, 120)).max() <= 2


def test_panning_shows_the_edges_and_zooming_a_part() -> None:
    ramp = np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (50, 1, 3))
    for pan, first, last in ((-1, 0, 49), (0, 75, 124), (1, 150, 199)):
        shown = geometry.lay_out(ramp, geometry.Layout("fill", 1, pan), 50, 50)
        assert (shown[25, 0, 0], shown[25, -1, 0]) == (first, last)
    zoomed = geometry.lay_out(ramp, geometry.Layout("fill", 2, -1), 50, 50)
    assert int(zoomed[25, -1, 0]) == pytest.approx(25, abs=1)
    aside = geometry.lay_out(ramp, geometry.Layout("fit", 1.0, 0, 1), 100, 100)
    assert int(aside[0, 50, 0]) == pytest.approx(100, abs=2), "it moves as an enlarged one"
    np.testing.assert_array_equal(
        geometry.lay_out(ramp, geometry.Layout(), 50, 50), geometry.fill(ramp, 50, 50)
    )


def test_a_quarter_turn_is_clockwise_and_the_flip_follows_it() -> None:
    image = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    for orientation, upright in (
        (Orientation(90), [[4, 1], [5, 2], [6, 3]]),
        (Orientation(90, flip=True), [[1, 4], [2, 5], [3, 6]]),
        (Orientation(180), [[6, 5, 4], [3, 2, 1]]),
        (Orientation(270), [[3, 6], [2, 5], [1, 4]]),
    ):
        assert orientation.upright(image).tolist() == upright
    assert UNTURNED.upright(image) is image
    assert [str(orientation) for orientation in TURNS[:3]] == ["", "flipped", "rotated 90"]


@pytest.mark.parametrize("orientation", TURNS, ids=str)
def test_size_and_positions_follow_the_picture(orientation: Orientation) -> None:
    image = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    turned = orientation.upright(image)
    assert turned.flags.c_contiguous and turned.shape[::-1] == orientation.size(4, 3)
    for row, column in np.ndindex(image.shape):
        x = (column + 0.5) / 4
        y = (row + 0.5) / 3
        upright_x, upright_y = orientation.to_upright(x, y)
        assert (
            turned[int(upright_y * turned.shape[0]), int(upright_x * turned.shape[1])]
            == image[row, column]
        )
        assert orientation.from_upright(upright_x, upright_y) == pytest.approx((x, y))


PAN = st.floats(-1, 1)
FRAMINGS = st.builds(FramingSettings, zoom=st.floats(1, MAX_ZOOM), pan_x=PAN, pan_y=PAN)
SIZES = st.tuples(st.integers(16, 7680), st.integers(16, 4320))
PLACE = st.floats(0, 1)


def seen_at(framing: FramingSettings, x: float, y: float) -> tuple[float, float]:
    """What of the whole picture, in parts of it, is seen at (x, y) of the part."""
    room = 1 - 1 / framing.zoom
    return room * (framing.pan_x + 1) / 2 + x / framing.zoom, room * (
        framing.pan_y + 1
    ) / 2 + y / framing.zoom


@given(FRAMINGS, SIZES)
def test_the_part_is_inside_the_picture_and_has_its_shape(
    framing: FramingSettings, size: tuple[int, int]
) -> None:
    width, height = size
    left, top, part_width, part_height = cutout(framing, width, height)

    assert 0 <= left <= left + part_width <= width
    assert 0 <= top <= top + part_height <= height
    assert abs(part_width - width / framing.zoom) <= 0.5
    assert abs(part_height - height / framing.zoom) <= 0.5


@pytest.mark.parametrize(
    ("pan_x", "pan_y", "colour"),
    [(-1, -1, 0), (1, -1, 1), (-1, 1, 2), (1, 1, 3)],
    ids=["ul", "ur", "ll", "lr"],
)
def test_a_quarter_fills_the_frame(pan_x: float, pan_y: float, colour: int) -> None:
    image = np.kron(np.arange(4, dtype=np.uint8).reshape(2, 2), np.ones((24, 32), np.uint8))[
        ..., None
    ].repeat(3, 2)
    part = framed(image, FramingSettings(zoom=2, pan_x=pan_x, pan_y=pan_y))

    assert part.shape == image.shape and part.flags.c_contiguous and (part == colour).all()
    assert framed(image, WHOLE.replace(pan_x=pan_x)) is image, "without a zoom"


@given(FRAMINGS, st.floats(-2, 2), st.floats(-2, 2))
def test_what_is_dragged_follows_the_hand_to_the_border(
    framing: FramingSettings, right: float, down: float
) -> None:
    before = seen_at(framing, 0.5, 0.5)
    after = seen_at(pan_by(framing, right, down), 0.5, 0.5)
    margin = 0.5 / framing.zoom

    for old, new, pull in zip(before, after, (right, down), strict=True):
        assert new == pytest.approx(
            min(1 - margin, max(margin, old - pull / framing.zoom)), abs=1e-6
        )


@given(FRAMINGS, st.floats(0.2, 5), PLACE, PLACE)
def test_what_lies_under_the_pointer_stays_there_while_zooming_in(
    framing: FramingSettings, factor: float, x: float, y: float
) -> None:
    after = zoom_at(framing, factor, x, y)
    assert after.zoom == pytest.approx(min(MAX_ZOOM, max(1, framing.zoom * factor)))
    if after.zoom >= framing.zoom:
        assert seen_at(after, x, y) == pytest.approx(seen_at(framing, x, y), abs=1e-6)


@pytest.mark.parametrize(
    ("size", "interpolation"),
    [
        pytest.param((80, 45), cv2.INTER_LINEAR, id="a little smaller"),
        pytest.param((51, 29), cv2.INTER_LINEAR, id="nearly a half"),
        pytest.param((50, 28), cv2.INTER_AREA, id="a half"),
        pytest.param((10, 5), cv2.INTER_AREA, id="much smaller"),
        pytest.param((200, 112), cv2.INTER_LINEAR, id="larger"),
    ],
)
def test_only_a_resize_to_a_half_or_less_averages(
    size: tuple[int, int], interpolation: int
) -> None:
    """A reader that kept another size cost 8.5 ms a frame."""
    image = np.random.default_rng(4).integers(0, 256, (56, 100, 3), np.uint8)

    scaled = scale(image, *size)

    np.testing.assert_array_equal(scaled, cv2.resize(image, size, interpolation=interpolation))
