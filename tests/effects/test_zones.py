"""Zones as planes: what is inside, and what is outside."""

from __future__ import annotations

import itertools
from contextlib import closing
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.geometry import View, cutout, from_camera, to_camera
from app.core.settings import EdgeSettings, FramingSettings, PeopleSettings, Settings, Zone
from app.core.types import BlurredBackground
from app.effects.base import FrameContext
from app.effects.table import Effects
from app.effects.zones import CANVAS_HEIGHT, draw_zones, zone_gain
from app.matting.base.interface import StepGeometry
from tests.matting.stubs import StubCpu, showing

ASPECT, SIZE = 16 / 9, (90, 160)
WHOLE = FramingSettings()
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def area(*points: tuple[float, float]) -> Zone:
    return Zone(points=points, radius=0, filled=True)


def context(
    settings_: Settings, framing: FramingSettings = WHOLE, camera: str = "", size: tuple[int, int] = (160, 90)
) -> FrameContext:
    return FrameContext(settings_, framing, size, 0.0, BlurredBackground(85), camera)


fractions = st.floats(0, 1)
zones = st.builds(
    Zone,
    points=st.lists(st.tuples(fractions, fractions), min_size=1, max_size=8).map(tuple),
    radius=st.floats(0, 0.3),
    filled=st.booleans(),
)
framings = st.builds(FramingSettings, zoom=st.floats(1, 4), pan_x=st.floats(-1, 1), pan_y=st.floats(-1, 1))


@settings(deadline=None, max_examples=30)
@given(st.lists(zones, max_size=4), framings, st.integers(20, 200), st.integers(20, 200))
def test_the_factor_stays_between_0_and_1(
    painted: list[Zone], framing: FramingSettings, rows: int, columns: int
) -> None:
    gain = zone_gain(draw_zones(painted, columns / rows), framing, (rows, columns))
    assert gain.shape == (rows, columns)
    assert gain.min() >= 0
    assert gain.max() <= 1


def test_a_zone_is_empty_inside_and_soft_outside() -> None:
    gain = zone_gain(draw_zones([area(*LEFT)], ASPECT), WHOLE, SIZE)
    assert gain[:, :81].max() == 0, "up to the border, and one cell beyond"
    np.testing.assert_allclose(gain[45, 81:88], [0, 0.2, 0.4, 0.6, 0.8, 1, 1], atol=1e-6)
    assert gain[:, 86:].min() == 1


@settings(deadline=None, max_examples=20)
@given(framings, st.floats(0.3, 0.7), st.floats(0.3, 0.7))
def test_zones_follow_the_manual_framing(framing: FramingSettings, x: float, y: float) -> None:
    """A stroke hides the same part of the camera's frame, however it is cropped."""
    height, width = 360, 640
    zone = Zone(points=((x, y),), radius=0.1)
    gain = zone_gain(draw_zones([zone], width / height), framing, (height, width))
    left, top, part_width, part_height = cutout(framing, width, height)
    camera = np.ones((height, width), np.float32)
    camera[top : top + part_height, left : left + part_width] = cv2.resize(gain, (part_width, part_height))
    rows, columns = np.mgrid[0:height, 0:width]
    distance = np.hypot(columns + 0.5 - x * width, rows + 0.5 - y * height) / height
    inside = np.zeros((height, width), bool)
    inside[top + 2 : top + part_height - 2, left + 2 : left + part_width - 2] = True
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
def test_zones_hold_for_cameras_that_nobody_can_tell_apart(painted: str, camera: str, applies: bool) -> None:
    """A second camera of a model without serial numbers gives both another id: zones of the first one were lost."""
    zones = (area(*LEFT).replace(camera=painted),)
    assert PeopleSettings(zones=zones).zones_of(camera) == zones * applies


def test_zones_belong_to_their_camera() -> None:
    effects = Effects()
    ours = Settings(people=PeopleSettings(zones=(area(*LEFT).replace(camera="usb-1"),)))
    assert effects.prepare(context(ours, camera="usb-1"))
    assert not effects.prepare(context(ours, camera="usb-2"))


@pytest.mark.parametrize("radius", [0.02, 0.3])
def test_a_stroke_covers_what_is_near_its_line_and_nothing_else(radius: float) -> None:
    points = ((0.3, 0.3), (0.5, 0.6), (0.7, 0.4))
    drop = draw_zones([Zone(points=points, radius=radius)], ASPECT)
    rows, columns = np.mgrid[: drop.shape[0], : drop.shape[1]]
    distance = np.full(drop.shape, np.inf)
    for start, end in itertools.pairwise(np.array(points) * (drop.shape[1], drop.shape[0])):
        along = end - start
        part = np.clip(((columns - start[0]) * along[0] + (rows - start[1]) * along[1]) / (along @ along), 0, 1)
        away = np.hypot(columns - start[0] - part * along[0], rows - start[1] - part * along[1])
        np.minimum(distance, away, out=distance)
    width = radius * CANVAS_HEIGHT
    assert drop[distance < width - 1.5].all()
    assert not drop[distance > width + 2.5].any()


def test_the_most_zones_are_drawn_once_and_in_fewer_steps_than_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 zones of 1,000 points held the frames for 1.65 s, with the widest brush for 50 s."""
    walk = tuple((0.5 + 0.4 * np.sin(0.11 * step), 0.5 + 0.4 * np.cos(0.07 * step)) for step in range(1000))
    painted = tuple(Zone(points=walk, radius=0.5 if number % 2 else 0.03) for number in range(200))
    chosen, effects = Settings(people=PeopleSettings(zones=painted)), Effects()
    calls = {name: Mock(wraps=getattr(cv2, name)) for name in ("circle", "polylines", "distanceTransform")}
    for name, call in calls.items():
        monkeypatch.setattr(cv2, name, call)
    for zoom in (1, 2, 3):
        effects.prepare(context(chosen, FramingSettings(zoom=zoom)))
        gain = effects.edit(np.zeros((3, 45, 80), np.float32), np.ones((45, 80), np.float32)).gain
        assert gain is not None and gain.min() == 0
    assert [call.call_count for call in calls.values()] == [0, 200, 2]


@pytest.mark.parametrize("grow_px", [0, 7, 20])
def test_a_matte_that_is_grown_stays_out_of_zones(grow_px: int) -> None:
    """It grew by up to 20 pixels into them."""
    chosen = Settings(people=PeopleSettings(zones=(area(*LEFT),)))
    edges = EdgeSettings(strict="off", grow_px=grow_px)
    height, width = 4 * SIZE[0], 4 * SIZE[1]
    white = np.full((height, width, 3), 255, np.uint8)
    backend = StubCpu(StepGeometry(width, height, 0.25), showing(np.ones(SIZE, np.float32)))
    effects = Effects()
    effects.prepare(context(chosen.replaced_at(["matting"], edges=edges), size=(width, height)))
    with closing(backend):
        composite = backend.step(white, np.zeros_like(white), edges, effects).composite
    assert composite[:, : width // 2].max() == 0
    assert composite[:, width // 2 :].max() == 255
