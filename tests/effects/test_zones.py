"""Zones hide what is in them, whatever the crop, and hold for the camera they were painted for."""

from __future__ import annotations

import itertools
from contextlib import closing
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.core.geometry import cutout, from_camera, to_camera
from app.core.settings import EdgeSettings, FramingSettings
from app.core.types import BlurredBackground, View
from app.effects.base import FrameContext
from app.effects.table import Effects
from app.effects.zones import (
    CANVAS_HEIGHT,
    MAX_ZONES,
    Zone,
    ZoneSettings,
    draw_zones,
    zone_gain,
)
from app.matting.interface import StepGeometry, StepRequest
from app.settings import Settings
from tests.matting.stubs import StubCpu, showing

ASPECT = 16 / 9
SIZE = (90, 160)
WHOLE = FramingSettings()


def frame_of(
    chosen: Settings, *, camera: str = "", size: tuple[int, int] = (160, 90)
) -> FrameContext:
    return FrameContext(chosen, size, 0.0, BlurredBackground(85), camera)


def with_zones(*zones: Zone) -> Settings:
    return Settings(people=Settings().people.replace(zones=zones))


LEFT = Zone(points=((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)), radius=0, filled=True)
fractions = st.floats(0, 1)
zones = st.builds(
    Zone,
    points=st.lists(st.tuples(fractions, fractions), min_size=1, max_size=8).map(tuple),
    radius=st.floats(0, 0.3),
    filled=st.booleans(),
)
framings = st.builds(
    FramingSettings, zoom=st.floats(1, 4), pan_x=st.floats(-1, 1), pan_y=st.floats(-1, 1)
)


@settings(deadline=None, max_examples=30)
@given(st.lists(zones, max_size=4), framings, st.integers(20, 200), st.integers(20, 200))
def test_the_factor_stays_between_0_and_1(
    painted: list[Zone], framing: FramingSettings, rows: int, columns: int
) -> None:
    gain = zone_gain(draw_zones(painted, columns / rows), framing, (rows, columns))

    assert gain.shape == (rows, columns)
    assert 0 <= gain.min() <= gain.max() <= 1


def test_a_zone_is_empty_inside_and_soft_outside() -> None:
    gain = zone_gain(draw_zones([LEFT], ASPECT), WHOLE, SIZE)

    assert gain[:, :81].max() == 0, "up to the border, and one cell beyond"
    np.testing.assert_allclose(gain[45, 81:88], [0, 0.2, 0.4, 0.6, 0.8, 1, 1], atol=1e-6)
    assert gain[:, 86:].min() == 1


def test_a_zone_that_makes_no_more_room_is_left_out() -> None:
    """An old zone that made room for it would show what it hides."""
    other = Zone(points=((0.5, 0.5),))
    nearly_full = ZoneSettings(zones=(LEFT,) * (MAX_ZONES - 1))

    full = nearly_full.with_zone(other)

    assert full.zones == (*nearly_full.zones, other)
    assert full.with_zone(LEFT) == full


def test_an_outline_is_filled_from_three_points_on() -> None:
    corners = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))

    triangle = draw_zones([Zone(points=corners, radius=0, filled=True)], ASPECT)
    line = draw_zones([Zone(points=corners[:2], radius=0, filled=True)], ASPECT)

    assert 0.49 < (triangle > 0).mean() < 0.51
    assert triangle[10, 10]
    assert not triangle[-10, -10]
    assert not line.any()


@settings(deadline=None, max_examples=20)
@given(framings, st.floats(0.3, 0.7), st.floats(0.3, 0.7))
def test_zones_follow_the_manual_framing(framing: FramingSettings, x: float, y: float) -> None:
    """A stroke hides the same part of the camera's frame, however it is cropped."""
    height = 360
    width = 640
    zone = Zone(points=((x, y),), radius=0.1)

    gain = zone_gain(draw_zones([zone], width / height), framing, (height, width))

    left, top, part_width, part_height = cutout(framing, width, height)
    part = cv2.resize(gain, (part_width, part_height))
    camera = np.ones((height, width), np.float32)
    camera[top : top + part_height, left : left + part_width] = part
    inside = np.zeros((height, width), bool)
    inside[top + 2 : top + part_height - 2, left + 2 : left + part_width - 2] = True
    rows, columns = np.mgrid[0:height, 0:width]
    distance = np.hypot(columns + 0.5 - x * width, rows + 0.5 - y * height) / height
    assert camera[inside & (distance < 0.09)].max(initial=0) < 0.02
    assert camera[inside & (distance > 0.19)].min(initial=1) > 0.98


@given(framings, fractions, fractions, st.floats(0.2, 1), fractions, fractions)
def test_positions_on_the_preview_and_in_the_frame_convert_both_ways(
    framing: FramingSettings, x: float, y: float, size: float, left: float, top: float
) -> None:
    view = View(left * (1 - size), top * (1 - size), size)

    in_camera = to_camera(framing, view, x, y)

    assert all(-1e-9 <= value <= 1 + 1e-9 for value in in_camera)
    assert from_camera(framing, view, *in_camera) == pytest.approx((x, y), abs=1e-6)


@pytest.mark.parametrize(
    ("painted", "camera", "applies"),
    [
        ("usb-1", "usb-1#2", True),
        ("usb-1#2", "usb-1", True),
        ("usb-1#0", "usb-1#2", True),
        ("usb-1#pci-usb-2", "usb-1", True),
        ("usb-1#pci-usb-2", "usb-1#pci-usb-3", True),
        ("pci-usb-2", "usb-1#pci-usb-2", True),
        ("pci-usb-2", "usb-1#pci-usb-3", False),
        ("/talk#1.mp4", "/talk#2.mp4", False),
        ("usb-1", "usb-12", False),
        ("", "usb-12", True),
        ("usb#a&1", "usb#b&1", False),
    ],
)
def test_zones_hold_for_cameras_that_nobody_can_tell_apart(
    painted: str, camera: str, applies: bool
) -> None:
    """A second camera of a model without serial numbers gives both another id."""
    effects = Effects()
    chosen = with_zones(LEFT.replace(camera=painted))

    assert effects.begin_frame(frame_of(chosen, camera=painted))
    assert bool(effects.begin_frame(frame_of(chosen, camera=camera))) == applies


@pytest.mark.parametrize("radius", [0.02, 0.3])
def test_a_stroke_covers_what_is_near_its_line_and_nothing_else(radius: float) -> None:
    points = ((0.3, 0.3), (0.5, 0.6), (0.7, 0.4))

    drop = draw_zones([Zone(points=points, radius=radius)], ASPECT)

    distance = distance_from_line(points, drop.shape)
    reach = radius * CANVAS_HEIGHT
    assert drop[distance < reach - 1.5].all()
    assert not drop[distance > reach + 2.5].any()


def distance_from_line(
    points: tuple[tuple[float, float], ...], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return how many cells each cell of a canvas is away from the line through these points."""
    height, width = shape
    rows, columns = np.mgrid[:height, :width]
    cells = columns + 1j * rows
    corners = [complex(x * width, y * height) for x, y in points]
    distance = np.full(shape, np.inf)
    for start, end in itertools.pairwise(corners):
        along = (cells - start) / (end - start)
        away = np.abs(along - np.clip(along.real, 0, 1)) * abs(end - start)
        np.minimum(distance, away, out=distance)
    return distance


def test_the_most_zones_are_drawn_once_and_in_fewer_steps_than_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """200 zones of 1,000 points held the frames for 1.65 s, with the widest brush for 50 s."""
    effects = Effects()
    chosen = with_zones(*(long_zone(0.5 if number % 2 else 0.03) for number in range(200)))
    circle = counted(monkeypatch, "circle")
    polylines = counted(monkeypatch, "polylines")
    distance_transform = counted(monkeypatch, "distanceTransform")

    for zoom in (1, 2, 3):
        effects.begin_frame(frame_of(chosen.replace(framing=FramingSettings(zoom=zoom))))
        gain = effects.edit(np.zeros((3, 45, 80), np.float32), np.ones((45, 80), np.float32)).gain
        assert gain is not None
        assert gain.min() == 0

    assert circle.call_count == 0
    assert polylines.call_count == 200
    assert distance_transform.call_count == 2


def long_zone(radius: float) -> Zone:
    """Return a zone of 1,000 points."""
    steps = np.arange(1000)
    x = 0.5 + 0.4 * np.sin(0.11 * steps)
    y = 0.5 + 0.4 * np.cos(0.07 * steps)
    return Zone(points=tuple(zip(x.tolist(), y.tolist(), strict=True)), radius=radius)


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> Mock:
    """Count the calls of a function of OpenCV."""
    call = Mock(wraps=getattr(cv2, name))
    monkeypatch.setattr(cv2, name, call)
    return call


@pytest.mark.parametrize("grow_px", [0, 7, 20])
def test_a_matte_that_is_grown_stays_out_of_zones(grow_px: int) -> None:
    """It grew by up to 20 pixels into them."""
    edges = EdgeSettings(grow_px=grow_px)
    chosen = with_zones(LEFT).replaced_at(["matting"], edges=edges)
    height = 4 * SIZE[0]
    width = 4 * SIZE[1]
    white = np.full((height, width, 3), 255, np.uint8)
    black = np.zeros_like(white)
    backend = StubCpu(StepGeometry(width, height, 0.25), showing(np.ones(SIZE, np.float32)))
    effects = Effects()
    effects.begin_frame(frame_of(chosen, size=(width, height)))

    with closing(backend):
        composite = backend.step(StepRequest(white, black, edges, "off", effects)).composite

    assert composite[:, : width // 2].max() == 0
    assert composite[:, width // 2 :].max() == 255
