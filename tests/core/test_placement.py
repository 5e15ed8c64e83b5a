"""Where the moved person lies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.parsing import parse_place
from app.core.errors import UsageError
from app.core.framing import CORNERS, IN_PLACE, Corner, area_of, in_corner, move_by, scale_at, view_through
from app.core.matte_edit import WHOLE_VIEW, View
from app.core.settings import MAX_SCALE, MIN_SCALE, PlacementSettings

places = st.builds(PlacementSettings, x=st.floats(-1, 1), y=st.floats(-1, 1), scale=st.floats(MIN_SCALE, MAX_SCALE))
fractions = st.floats(0, 1)


def test_in_place_is_the_whole_output() -> None:
    area = area_of(IN_PLACE, 1280, 720)
    assert (area.left, area.top, area.width, area.height) == (0, 0, 1280, 720)
    assert view_through(IN_PLACE, WHOLE_VIEW) == WHOLE_VIEW


@pytest.mark.parametrize("corner", CORNERS)
def test_a_corner_is_touched_by_the_frame(corner: Corner) -> None:
    area = area_of(in_corner(corner, 0.25), 1280, 720)
    assert (area.width, area.height) == (320, 180)
    assert area.left == (960 if corner.endswith("right") else 0)
    assert area.top == (540 if corner.startswith("bottom") else 0)


@given(places, st.floats(0.5, 2), fractions, fractions)
def test_scaling_keeps_what_is_under_the_pointer(before: PlacementSettings, factor: float, x: float, y: float) -> None:
    after = scale_at(before, factor, x, y)
    assert MIN_SCALE <= after.scale <= MAX_SCALE
    if max(abs(after.x), abs(after.y)) < 1:  # else it is held at the edge
        was, now = (view_through(each, WHOLE_VIEW).to_frame(x, y) for each in (before, after))
        assert now == pytest.approx(was, abs=1e-6)


@given(places, fractions, fractions)
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


def test_moving_stays_within_reach() -> None:
    assert move_by(IN_PLACE, 0.25, -0.5) == PlacementSettings(x=0.25, y=-0.5)
    assert move_by(IN_PLACE, 5, -5) == PlacementSettings(x=1, y=-1)


def test_places_are_written_as_numbers_corners_or_reset() -> None:
    assert parse_place("0.2,-0.1") == PlacementSettings(x=0.2, y=-0.1)
    assert parse_place("0.2,0,0.8") == PlacementSettings(x=0.2, scale=0.8)
    assert parse_place("top-left:25") == in_corner("top-left", 0.25)
    assert parse_place("bottom-right") == in_corner("bottom-right")
    assert parse_place("reset") == IN_PLACE
    for wrong in ("", "left", "2,0", "0,0,9", "nan,0", "bottom-right:900", "bottom-right:x", "0.1", "0,0,0.5,1"):
        with pytest.raises(UsageError, match="bottom-right"):
            parse_place(wrong)
