"""Zoom and pan keep the shape of the frame, and dragging and zooming keep to the hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.framing import WHOLE, cutout, framed, pan_by, zoom_at
from app.core.settings import MAX_ZOOM, FramingSettings

PAN = st.floats(-1, 1)
FRAMINGS = st.builds(FramingSettings, zoom=st.floats(1, MAX_ZOOM), pan_x=PAN, pan_y=PAN)
SIZES = st.tuples(st.integers(16, 7680), st.integers(16, 4320))
PLACE = st.floats(0, 1)


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
