"""The region: planes keep their place in the frame, and the tracker follows people and seldom moves it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.types import BgrImage, Floats
from app.matting.cpu.compositor import NOTHING, Coefficients, FullSize
from app.matting.region.coefficients import RegionCoefficients, on_frame
from app.matting.region.tracker import (
    FULL_FRAME_EVERY,
    LARGEST,
    LEAST_MARGIN,
    MAX_ASPECT,
    MOST_SETTLE_FRAMES,
    SETTLE_FRAMES,
    SMALLEST,
    PeopleBox,
    RegionTracker,
    Roi,
    people_box,
)

SIZE = 320, 180
SMALL = 80, 45
WHOLE = Roi.whole(*SIZE)


@st.composite
def rois(draw: st.DrawFn) -> Roi:
    """Draw a region of at least a third of the frame."""
    width, height = draw(st.integers(110, 320)), draw(st.integers(60, 180))
    return Roi(draw(st.integers(0, 320 - width)), draw(st.integers(0, 180 - height)), width, height, *SIZE)


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


def part(roi: Roi) -> RegionCoefficients:
    """Return coefficients of the region, at which the network alone looked."""
    planes = np.zeros((3 + 4 + 4, *SMALL[::-1]), np.float32)
    return RegionCoefficients(planes[:3], planes[3:7], planes[7:], planes[0], roi=roi)


@given(rois())
def test_a_plane_lies_in_the_frame_where_it_was_in_the_region(roi: Roi) -> None:
    shown = on_frame(ramp(roi), roi)
    np.testing.assert_allclose(shown[inside(roi)], ramp(WHOLE)[inside(roi)], atol=0.01)
    assert not shown[~inside(roi, -1)].any()


@given(rois())
def test_a_plane_of_the_frame_is_cut_to_the_region(roi: Roi) -> None:
    np.testing.assert_allclose(part(roi).at_slope(ramp(WHOLE)), ramp(roi), atol=0.03)


@given(rois(), st.integers(0, 1 << 30))
def test_the_part_is_composited_where_it_is_and_nobody_outside(roi: Roi, seed: int) -> None:
    frame, backdrop = np.random.default_rng(seed).integers(0, 256, (2, 180, 320, 3), dtype=np.uint8)

    def opaque(coefficients: Coefficients, image: BgrImage, behind: BgrImage) -> FullSize:
        assert image.shape == behind.shape == (roi.height, roi.width, 3)
        return FullSize(image.reshape(roi.height, -1), np.full(image.shape[:2], 255, np.uint8), NOTHING)

    composite, alpha, _ = part(roi).full_size(opaque, frame, backdrop)
    columns, rows = slice(roi.left, roi.left + roi.width), slice(roi.top, roi.top + roi.height)
    expected, person = backdrop.copy(), np.zeros(frame.shape[:2], np.uint8)
    expected[rows, columns], person[rows, columns] = frame[rows, columns], 255
    np.testing.assert_array_equal(composite.reshape(frame.shape), expected)
    np.testing.assert_array_equal(alpha, person)


@given(rois())
def test_what_lies_outside_is_what_a_full_plane_of_the_region_does_not_cover(roi: Roi) -> None:
    _, outside = part(roi).network_alpha()
    assert outside is not None
    left, top, across, down = roi.fractions
    x, y = np.arange(SMALL[0]) / SMALL[0], (np.arange(SMALL[1]) / SMALL[1])[:, None]
    within_x = (x >= left - 1e-9) & (x + 1 / SMALL[0] <= left + across + 1e-9)
    within_y = (y >= top - 1e-9) & (y + 1 / SMALL[1] <= top + down + 1e-9)
    np.testing.assert_array_equal(outside, ~(within_x & within_y))


FRAME = 1280, 720
FAR = PeopleBox(0.45, 0.6, 0.55, 1.0)


def settled(box: PeopleBox = FAR) -> RegionTracker:
    """Return a tracker that has seen somebody sit there for a while."""
    tracker = RegionTracker(FRAME)
    for _ in range(SETTLE_FRAMES):
        assert tracker.roi.is_whole
        tracker.follow(box)
    return tracker


def shifted(box: PeopleBox, x: float) -> PeopleBox:
    return PeopleBox(box.left + x, box.top, box.right + x, box.bottom)


def test_somebody_far_away_gets_a_region_with_margins() -> None:
    roi = settled().roi
    assert SMALLEST <= roi.width / FRAME[0] < 0.6
    assert FAR.margin_in(roi) > 2 * LEAST_MARGIN
    assert roi.top + roi.height == FRAME[1]


@pytest.mark.parametrize(
    ("people", "across", "down"),
    [
        (
            PeopleBox(0.4, 0.3, 0.55, 1.0),
            0.875 / MAX_ASPECT,
            0.875,
        ),  # somebody who stands: as narrow as allowed
        (PeopleBox(0.25, 0.7, 0.85, 1.0), 0.9375, 0.9375 / MAX_ASPECT),  # several far away, side by side
        (PeopleBox(0.4, 0.5, 0.7, 1.0), 0.5, 0.625),
    ],
)
def test_the_shape_follows_the_people_within_limits(people: PeopleBox, across: float, down: float) -> None:
    roi = settled(people).roi
    _, _, width, height = roi.fractions
    assert (width, height) == pytest.approx((across, down), abs=0.04)
    assert max(width / height, height / width) <= MAX_ASPECT * 1.01
    assert roi.area <= LARGEST
    assert people.margin_in(roi) >= LEAST_MARGIN


@pytest.mark.parametrize("people", [PeopleBox(0.1, 0.1, 0.9, 1.0), PeopleBox(0.3, 0.1, 0.6, 1.0), None])
def test_somebody_near_or_nobody_gets_the_whole_frame(people: PeopleBox | None) -> None:
    tracker = RegionTracker(FRAME)
    for _ in range(10 * SETTLE_FRAMES):
        tracker.follow(people)
        assert tracker.roi.is_whole
        assert not tracker.full_frame_due


def test_small_movements_do_not_move_the_region() -> None:
    tracker = settled()
    roi = tracker.roi
    for n in range(300):
        people = shifted(FAR, 0.02 * math.sin(n / 5))
        assert not tracker.lost(people)
        tracker.follow(people)
        assert tracker.roi == roi


def test_somebody_who_walks_stays_inside() -> None:
    tracker, rois = settled(), set()
    for n in range(120):
        people = shifted(FAR, 0.3 * n / 120)  # a quarter of the frame in three seconds and a bit
        assert not tracker.lost(people)
        assert people.margin_in(tracker.roi) >= LEAST_MARGIN - 0.01
        tracker.follow(people)
        rois.add(tracker.roi)
    assert 2 <= len(rois) <= 8
    assert not any(roi.is_whole for roi in rois)


@pytest.mark.parametrize("people", [None, PeopleBox(0.25, 0.6, 0.5, 1.0), PeopleBox(0.45, 0.2, 0.55, 1.0)])
def test_people_who_leave_the_region_get_the_whole_frame_at_once(people: PeopleBox | None) -> None:
    tracker = settled()
    if people is not None:
        left, top, *_ = tracker.roi.fractions  # alpha ends at the border of the region
        people = PeopleBox(max(people.left, left), max(people.top, top), people.right, people.bottom)
    assert tracker.lost(people)
    assert tracker.roi.is_whole
    assert not tracker.lost(people)


def test_the_whole_frame_is_looked_at_at_least_once_a_second_at_15_fps() -> None:
    tracker, last = settled(), 0
    for n in range(1, 200):
        if tracker.full_frame_due:
            assert n - last <= FULL_FRAME_EVERY <= 15
            last = n
            tracker.found(FAR)
        tracker.follow(FAR)
    assert last > 180


def test_the_region_grows_for_a_second_person() -> None:
    tracker = settled(PeopleBox(0.3, 0.7, 0.38, 1.0))
    tracker.found(PeopleBox(0.3, 0.7, 0.62, 1.0))
    assert not tracker.roi.is_whole
    assert PeopleBox(0.3, 0.7, 0.62, 1.0).margin_in(tracker.roi) > LEAST_MARGIN
    tracker.found(PeopleBox(0.05, 0.4, 0.95, 1.0))
    assert tracker.roi.is_whole


def test_what_is_found_in_vain_is_waited_for_longer_and_longer() -> None:
    tracker, waits = settled(), []
    for _ in range(6):
        tracker.found(PeopleBox(0.05, 0.4, 0.95, 1.0))
        assert tracker.roi.is_whole
        waits.append(0)
        while tracker.roi.is_whole:
            tracker.follow(FAR)
            waits[-1] += 1
    assert waits == sorted(waits)
    assert waits[-1] >= MOST_SETTLE_FRAMES
    assert waits[0] < waits[-1] / 4


def test_the_region_shrinks_when_people_do() -> None:
    tracker = settled(PeopleBox(0.3, 0.5, 0.6, 1.0))
    before = tracker.roi
    for _ in range(300):
        tracker.follow(PeopleBox(0.45, 0.75, 0.52, 1.0))
    assert tracker.roi.area < before.area
    assert before.area <= LARGEST


def test_a_saved_state_goes_on_where_it_was() -> None:
    tracker, other = settled(), RegionTracker(FRAME)
    for n in range(7):
        tracker.follow(shifted(FAR, n / 40))
    other.seen = tracker.roi
    other.load_state(tracker.state())
    assert other.seen == tracker.seen
    for n in range(7, 60):
        assert other.roi == tracker.roi
        assert other.full_frame_due == tracker.full_frame_due
        for each in (tracker, other):
            each.follow(shifted(FAR, n / 200))


def test_a_state_of_another_size_is_refused() -> None:
    small = RegionTracker((320, 180))
    saved = settled().state()
    with pytest.raises(ValueError, match="outside the frame"):
        small.load_state(saved)


def test_boxes_are_fractions_of_the_frame() -> None:
    alpha = np.zeros((180, 320), np.float32)
    alpha[90:180, 80:160] = 0.9
    alpha[3:5, 3:5] = 1  # noise
    found = people_box(alpha, Roi.whole(*FRAME))
    assert found == PeopleBox(0.25, 0.5, 0.5, 1.0)
    lower_right = people_box(alpha, Roi(640, 360, 640, 360, *FRAME))
    assert lower_right == PeopleBox(0.625, 0.75, 0.75, 1.0)
    assert people_box(np.zeros_like(alpha), Roi.whole(*FRAME)) is None


def test_faint_and_small_parts_alone_are_nobody() -> None:
    faint, small = np.zeros((180, 320), np.float32), np.zeros((180, 320), np.float32)
    faint[90:, 80:160] = 0.4
    small[100:115, 100:115] = 1
    for alpha in (faint, small):
        assert people_box(alpha, Roi.whole(*FRAME)) is None
    beside = faint.copy()
    beside[60:120, 150:180] = 1
    assert people_box(beside, Roi.whole(*FRAME)) == PeopleBox(0.25, 60 / 180, 180 / 320, 1.0)


def test_a_box_grows_at_once_and_shrinks_slowly() -> None:
    box = PeopleBox(0.4, 0.4, 0.6, 1.0)
    grown = box.damped(PeopleBox(0.2, 0.5, 0.7, 1.0))
    assert (grown.left, grown.right, grown.bottom) == (0.2, 0.7, 1.0)
    assert 0.4 < grown.top < 0.41
