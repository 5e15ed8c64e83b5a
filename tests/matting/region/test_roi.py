"""Planes keep their place in the frame when they are carried between it and a part of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.core.types import Floats
from app.matting.region.roi import Roi

FRAME = 320, 180
SMALL = 80, 45
WHOLE = Roi.whole(*FRAME)


@st.composite
def rois(draw: st.DrawFn) -> Roi:
    """Draw a region of at least a third of the frame."""
    width, height = draw(st.integers(110, 320)), draw(st.integers(60, 180))
    return Roi(draw(st.integers(0, 320 - width)), draw(st.integers(0, 180 - height)), width, height, *FRAME)


def ramp(roi: Roi, size: tuple[int, int] = SMALL) -> Floats:
    """Return a plane (h, w) of the region whose value is x + 2 * y in fractions of the frame."""
    left, top, across, down = roi.fractions
    x = left + across * (np.arange(size[0]) + 0.5) / size[0]
    y = top + down * (np.arange(size[1]) + 0.5) / size[1]
    return np.asarray(x + 2 * y[:, None], np.float32)


def inside(roi: Roi, cells: float = 2) -> np.ndarray:
    """Return which pixels of a plane of the frame lie in the region, `cells` of them from its border."""
    left, top, across, down = roi.fractions
    x, y = (np.arange(SMALL[0]) + 0.5) / SMALL[0], ((np.arange(SMALL[1]) + 0.5) / SMALL[1])[:, None]
    dx, dy = cells / SMALL[0], cells / SMALL[1]
    return np.asarray((abs(x - left - across / 2) < across / 2 - dx) & (abs(y - top - down / 2) < down / 2 - dy))


@given(rois())
def test_a_plane_lies_in_the_frame_where_it_was_in_the_region(roi: Roi) -> None:
    shown = roi.on_frame(ramp(roi))
    np.testing.assert_allclose(shown[inside(roi)], ramp(WHOLE)[inside(roi)], atol=0.01)
    assert not shown[~inside(roi, -1)].any()


@given(rois())
def test_a_plane_of_the_frame_is_cut_to_the_region(roi: Roi) -> None:
    np.testing.assert_allclose(roi.from_frame(ramp(WHOLE)), ramp(roi), atol=0.03)


@given(rois(), st.integers(0, 1 << 30))
def test_what_was_cut_is_pasted_where_it_was(roi: Roi, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (180, 320, 3), dtype=np.uint8)
    rows = np.zeros((180, 960), np.uint8)
    part = roi.cut(image)
    roi.paste(part.reshape(roi.height, -1), rows)
    expected = np.zeros_like(image)
    columns = slice(roi.left, roi.left + roi.width)
    expected[roi.top : roi.top + roi.height, columns] = image[roi.top : roi.top + roi.height, columns]
    np.testing.assert_array_equal(rows.reshape(image.shape), expected)


@given(rois())
def test_what_lies_outside_is_what_a_full_plane_of_the_region_does_not_cover(roi: Roi) -> None:
    outside = roi.outside(SMALL[::-1])
    left, top, across, down = roi.fractions
    x, y = np.arange(SMALL[0]) / SMALL[0], (np.arange(SMALL[1]) / SMALL[1])[:, None]
    within_x = (x >= left - 1e-9) & (x + 1 / SMALL[0] <= left + across + 1e-9)
    within_y = (y >= top - 1e-9) & (y + 1 / SMALL[1] <= top + down + 1e-9)
    np.testing.assert_array_equal(outside, ~(within_x & within_y))
