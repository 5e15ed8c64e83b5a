"""Zoom and pan, and where the moved person lies: both keep their shape, and dragging and zooming keep to the hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.parsing import parse_place
from app.core.errors import UsageError
from app.core.framing import (
    CORNERS,
    IN_PLACE,
    WHOLE,
    Corner,
    area_of,
    cutout,
    framed,
    in_corner,
    move_by,
    pan_by,
    scale_at,
    view_before,
    view_through,
    zoom_at,
)
from app.core.matte_edit import WHOLE_VIEW, View
from app.core.settings import MAX_SCALE, MAX_ZOOM, MIN_SCALE, FramingSettings, PlacementSettings

PAN = st.floats(-1, 1)
FRAMINGS = st.builds(FramingSettings, zoom=st.floats(1, MAX_ZOOM), pan_x=PAN, pan_y=PAN)
SIZES = st.tuples(st.integers(16, 7680), st.integers(16, 4320))
PLACE = st.floats(0, 1)
PLACES = st.builds(PlacementSettings, x=PAN, y=PAN, scale=st.floats(MIN_SCALE, MAX_SCALE))


def seen_at(framing: FramingSettings, x: float, y: float) -> tuple[float, float]:
    """What of the whole picture, in parts of it, is seen at (x, y) of the part."""
    room = 1 - 1 / framing.zoom
    return room * (framing.pan_x + 1) / 2 + x / framing.zoom, room * (framing.pan_y + 1) / 2 + y / framing.zoom


@given(FRAMINGS, SIZES)
def test_the_part_is_inside_the_picture_and_has_its_shape(framing: FramingSettings, size: tuple[int, int]) -> None:
    width, height = size
    left, top, part_width, part_height = cutout(framing, width, height)
    assert 0 <= left <= left + part_width <= width
    assert 0 <= top <= top + part_height <= height
    assert abs(part_width - width / framing.zoom) <= 0.5
    assert abs(part_height - height / framing.zoom) <= 0.5


def test_without_a_zoom_the_picture_is_not_touched() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    assert framed(image, WHOLE) is image
    assert framed(image, FramingSettings(pan_x=1, pan_y=-1)) is image


@pytest.mark.parametrize(
    ("pan_x", "pan_y", "colour"), [(-1, -1, 0), (1, -1, 1), (-1, 1, 2), (1, 1, 3)], ids=["ul", "ur", "ll", "lr"]
)
def test_a_quarter_fills_the_frame(pan_x: float, pan_y: float, colour: int) -> None:
    image = np.kron(np.arange(4, dtype=np.uint8).reshape(2, 2), np.ones((24, 32), np.uint8))[..., None].repeat(3, 2)
    part = framed(image, FramingSettings(zoom=2, pan_x=pan_x, pan_y=pan_y))
    assert part.shape == image.shape
    assert part.flags.c_contiguous
    assert (part == colour).all()


@given(FRAMINGS, st.floats(-2, 2), st.floats(-2, 2))
def test_what_is_dragged_follows_the_hand_to_the_border(framing: FramingSettings, right: float, down: float) -> None:
    before, after = seen_at(framing, 0.5, 0.5), seen_at(pan_by(framing, right, down), 0.5, 0.5)
    margin = 0.5 / framing.zoom
    for old, new, pull in zip(before, after, (right, down), strict=True):
        assert new == pytest.approx(min(1 - margin, max(margin, old - pull / framing.zoom)), abs=1e-6)


@given(FRAMINGS, st.floats(0.2, 5), PLACE, PLACE)
def test_what_lies_under_the_pointer_stays_there_while_zooming_in(
    framing: FramingSettings, factor: float, x: float, y: float
) -> None:
    after = zoom_at(framing, factor, x, y)
    assert after.zoom == pytest.approx(min(MAX_ZOOM, max(1, framing.zoom * factor)))
    if after.zoom >= framing.zoom:
        assert seen_at(after, x, y) == pytest.approx(seen_at(framing, x, y), abs=1e-6)


@pytest.mark.parametrize("corner", CORNERS)
def test_a_corner_is_touched_by_the_frame(corner: Corner) -> None:
    area = area_of(in_corner(corner, 0.25), 1280, 720)
    assert (area.width, area.height) == (320, 180)
    assert area.left == (960 if corner.endswith("right") else 0)
    assert area.top == (540 if corner.startswith("bottom") else 0)


@given(PLACES, st.floats(0.5, 2), PLACE, PLACE)
def test_scaling_keeps_what_is_under_the_pointer(before: PlacementSettings, factor: float, x: float, y: float) -> None:
    after = scale_at(before, factor, x, y)
    assert MIN_SCALE <= after.scale <= MAX_SCALE
    if max(abs(after.x), abs(after.y)) < 1:  # else it is held at the edge
        was, now = (view_through(each, WHOLE_VIEW).to_frame(x, y) for each in (before, after))
        assert now == pytest.approx(was, abs=1e-6)


@given(PLACES, PLACE, PLACE)
def test_the_view_is_the_inverse_of_the_area(place: PlacementSettings, x: float, y: float) -> None:
    area = area_of(place, 10_000, 10_000)
    frame = view_through(place, WHOLE_VIEW).to_frame(x, y)
    assert area.left + frame[0] * area.width == pytest.approx(x * 10_000, abs=10)
    assert area.top + frame[1] * area.height == pytest.approx(y * 10_000, abs=10)


def test_the_view_goes_through_auto_framing() -> None:
    shown = View(0.2, 0.1, 0.5)
    placed = view_through(PlacementSettings(x=0.25, y=0.25, scale=0.5), shown)
    assert placed.to_frame(0.5, 0.5) == pytest.approx((0.2, 0.1)), "the corner of what auto-framing shows"
    assert placed.to_frame(1, 1) == pytest.approx((0.7, 0.6))


@given(PLACES, PLACE, PLACE, st.floats(0.3, 1))
def test_what_was_moved_is_found_again(place: PlacementSettings, left: float, top: float, size: float) -> None:
    found = view_before(place, view_through(place, View(left, top, size)))
    assert (found.left, found.top, found.size) == pytest.approx((left, top, size), abs=1e-6)


def test_moving_stays_within_reach() -> None:
    assert move_by(IN_PLACE, 0.25, -0.5) == PlacementSettings(x=0.25, y=-0.5)
    assert move_by(IN_PLACE, 5, -5) == PlacementSettings(x=1, y=-1)


def test_places_are_written_as_numbers_corners_or_reset() -> None:
    assert parse_place("0.2,-0.1") == PlacementSettings(x=0.2, y=-0.1)
    assert parse_place("bottom-right") == in_corner("bottom-right")
    for wrong in ("", "left", "2,0", "0,0,9", "nan,0", "bottom-right:900", "bottom-right:x", "0.1", "0,0,0.5,1"):
        with pytest.raises(UsageError, match="bottom-right"):
            parse_place(wrong)
