"""A network in OpenVINO looks at the part of the frame around people; everything else works on the frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.matte_edit import MatteEdit, View
from app.core.settings import EdgeSettings, StrictLevel
from app.core.types import BgrImage, BlurredBackground
from app.matting.base.interface import StateArrays, StepGeometry
from app.matting.openvino.openvino_backend import OpenVinoBackend
from app.matting.region.tracker import FULL_FRAME_EVERY, SETTLE_FRAMES, Roi
from tests.clips import demo
from tests.matting.networks import bundled_backend
from tests.matting.stubs import Fixed

SIZE = 640, 360
GEOMETRY = StepGeometry(*SIZE, 0.5)
ON = EdgeSettings()
OFF = EdgeSettings(person_region=False)
BACKDROP = np.full((SIZE[1], SIZE[0], 3), (200, 30, 120), np.uint8)
SCALE = 0.4
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Room:
    """An empty room, and somebody who is far away in it."""

    empty: BgrImage
    person: BgrImage
    mask: Mask

    def frame(self, *places: int, noise: int = 0) -> BgrImage:
        """Return a frame with a person at each place: shift from the middle in pixels."""
        image = self.empty.copy()
        for place in places:
            seen = self.at(place)
            image[seen] = np.roll(self.person, place, 1)[seen]
        return np.clip(image.astype(int) + np.random.default_rng(noise).integers(-2, 3, image.shape), 0, 255).astype(
            np.uint8
        )

    def at(self, place: int) -> Mask:
        return np.roll(self.mask, place, 1)


@pytest.fixture(scope="module")
def room() -> Room:
    """Return the demo's scene with its person, made small; the network's matte of the large one is the truth."""
    empty, occupied = demo(*SIZE, (0, 1), fps=1.0, empty_scene_s=1.0, motion=0.0)
    executor = bundled_backend(GEOMETRY)
    try:
        alpha = [executor.step(occupied, BACKDROP, OFF.replace(strict="off")).result().alpha for _ in range(3)][-1]
    finally:
        executor.close()
    width, height = round(SCALE * SIZE[0]), round(SCALE * SIZE[1])
    person, mask = np.zeros_like(empty), np.zeros(empty.shape[:2], np.uint8)
    left = (SIZE[0] - width) // 2
    person[-height:, left : left + width] = cv2.resize(occupied, (width, height), interpolation=cv2.INTER_AREA)
    mask[-height:, left : left + width] = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    return Room(empty, person, mask > 127)


def settle(executor: OpenVinoBackend, room: Room) -> None:
    """Show somebody far away until the region is in use."""
    for n in range(4 * SETTLE_FRAMES):
        # Strict mode shows people when they move.
        executor.step(room.frame(round(6 * np.sin(n / 2)), noise=n), BACKDROP, ON).result()
        if n > SETTLE_FRAMES and not roi_of(executor).is_whole:
            break
    assert not roi_of(executor).is_whole


@pytest.fixture(scope="module")
def _settled(room: Room) -> Iterator[tuple[OpenVinoBackend, StateArrays]]:
    executor = bundled_backend(GEOMETRY)
    settle(executor, room)
    yield executor, executor.state()
    executor.close()


@pytest.fixture
def executor(_settled: tuple[OpenVinoBackend, StateArrays]) -> OpenVinoBackend:
    """Return an executor that has seen nothing."""
    _settled[0].reset()
    return _settled[0]


@pytest.fixture
def following(_settled: tuple[OpenVinoBackend, StateArrays]) -> OpenVinoBackend:
    """Return an executor to which somebody far away was shown until the region was in use."""
    executor, state = _settled
    executor.reset()
    executor.load_state(state)
    assert not roi_of(executor).is_whole
    return executor


def roi_of(executor: OpenVinoBackend) -> Roi:
    return executor.tracker.seen


def outside_roi(executor: OpenVinoBackend) -> Mask:
    """Return which pixels of the frame the network did not see."""
    roi, outside = roi_of(executor), np.ones(SIZE[::-1], bool)
    outside[roi.top : roi.top + roi.height, roi.left : roi.left + roi.width] = False
    return outside


def error(alpha: NDArray[np.uint8], mask: Mask) -> float:
    """Return the error of alpha relative to the person's area."""
    return float(np.abs(alpha / 255.0 - mask).sum() / mask.sum())


def test_somebody_far_away_is_matted_better_and_nothing_beside_is_shown(following: OpenVinoBackend, room: Room) -> None:
    matte = following.step(room.frame(0), BACKDROP, ON, want_foreground=True).result()
    outside, (_, _, across, down) = outside_roi(following), roi_of(following).fractions
    assert outside.mean() > 0.3
    assert down > 1.1 * across, "the part has the shape of the person"
    assert not matte.alpha[outside].any()
    np.testing.assert_array_equal(matte.composite[outside], BACKDROP[outside])
    assert matte.foreground is not None
    assert not matte.foreground[outside].any()
    assert error(matte.alpha, room.mask) < 0.2
    following.reset()
    for n in range(SETTLE_FRAMES + 3):
        before = following.step(room.frame(2 * (n % 3) if n < 8 else 0, noise=n), BACKDROP, OFF).result()
        assert roi_of(following).is_whole
    assert error(matte.alpha, room.mask) < 0.8 * error(before.alpha, room.mask)


@pytest.mark.parametrize("stops", [False, True], ids=["moves", "stops-before-being-found"])
def test_a_second_person_is_shown_within_a_second(following: OpenVinoBackend, room: Room, stops: bool) -> None:
    second = room.at(200) & ~room.at(0)
    for n in range(FULL_FRAME_EVERY + 3 * stops):
        place = max(200, 230 - 10 * n) if stops else 200 + 3 * (n % 3)
        alpha = following.step(room.frame(0, place, noise=n), BACKDROP, ON).result().alpha
        if (alpha[second] > 127).mean() > 0.7:
            return
        assert stops or not alpha[outside_roi(following)].any()
    raise AssertionError(f"the second person was not shown within {n + 1} frames")


@pytest.mark.parametrize("strict", ["off", "balanced"])
def test_somebody_who_jumps_is_shown_in_the_same_frame_without_memory_of_the_region(
    following: OpenVinoBackend, room: Room, strict: StrictLevel
) -> None:
    frame, edges = room.frame(180), ON.replace(strict=strict)
    alpha = following.step(frame, BACKDROP, edges).result().alpha
    assert roi_of(following).is_whole
    assert (alpha[room.at(180)] > 127).mean() > 0.7
    following.reset()
    if strict == "off":
        np.testing.assert_array_equal(following.step(frame, BACKDROP, edges).result().alpha, alpha)


def test_somebody_who_walks_is_followed(following: OpenVinoBackend, room: Room) -> None:
    first = roi_of(following)
    for n in range(30):
        alpha = following.step(room.frame(5 * n, noise=n), BACKDROP, ON).result().alpha
        assert (alpha[room.at(5 * n)] > 127).mean() > 0.8
        assert not roi_of(following).is_whole
    assert roi_of(following) != first


def test_a_reset_and_the_switch_show_the_whole_frame(following: OpenVinoBackend, room: Room) -> None:
    following.reset()
    following.step(room.frame(0), BACKDROP, ON).result()
    assert roi_of(following).is_whole
    settle(following, room)
    alpha = following.step(room.frame(0), BACKDROP, OFF).result().alpha
    assert roi_of(following).is_whole
    assert (alpha[room.mask] > 127).mean() > 0.8


def test_the_network_never_looks_closer_at_an_empty_room(executor: OpenVinoBackend, room: Room) -> None:
    for n in range(SETTLE_FRAMES + 12):
        assert not executor.step(room.frame(noise=n), BACKDROP, ON).result().alpha.any()
        assert roi_of(executor).is_whole
    settle(executor, room)
    for n in range(2):
        executor.step(room.frame(noise=n), BACKDROP, ON).result()
    assert roi_of(executor).is_whole


def test_without_strict_mode_the_network_looks_closer_at_a_certain_person(
    executor: OpenVinoBackend, room: Room
) -> None:
    for n in range(SETTLE_FRAMES + 3):
        executor.step(room.frame(2 * (n % 3), noise=n), BACKDROP, ON.replace(strict="off")).result()
    assert not roi_of(executor).is_whole


def test_zones_and_people_keep_the_coordinates_of_the_frame(following: OpenVinoBackend, room: Room) -> None:
    gain = np.ones((180, 320), np.float32)
    gain[:, 160:] = 0
    editor = Fixed(MatteEdit(gain))
    matte = following.step(room.frame(0), BACKDROP, ON, editor).result()
    assert not roi_of(following).is_whole
    ((small, alpha),) = editor.seen
    truth = cv2.resize(room.mask.astype(np.float32), (320, 180), interpolation=cv2.INTER_AREA)
    assert np.abs(alpha - truth).sum() < 0.25 * truth.sum()
    shown = cv2.resize(room.frame(0), (320, 180), interpolation=cv2.INTER_LINEAR)[..., ::-1].transpose(2, 0, 1) / 255
    assert np.abs(small - shown).mean() < 0.01
    assert not matte.alpha[:, 324:].any()
    np.testing.assert_array_equal(matte.composite[90:190, :200], BACKDROP[90:190, :200])


def test_a_view_shows_the_same_person(following: OpenVinoBackend, room: Room) -> None:
    view = View(0.25, 0.4, 0.6)
    matte = following.step(room.frame(0), BACKDROP, ON, Fixed(MatteEdit(view=view))).result()
    assert not roi_of(following).is_whole
    left, top = round(0.25 * SIZE[0]), round(0.4 * SIZE[1])
    seen = room.mask[top : top + round(0.6 * SIZE[1]), left : left + round(0.6 * SIZE[0])].astype(np.uint8)
    expected = cv2.resize(seen, SIZE, interpolation=cv2.INTER_NEAREST) > 0
    assert matte.frame is not None
    assert error(matte.alpha, expected) < 0.25


BLUR, BOKEH = BlurredBackground(60), BlurredBackground(60, bokeh=True)
EDGES = EdgeSettings(grow_px=2, feather_px=4, temporal_smoothing=0.5, despill=0.5)
LIGHT = EdgeSettings(light_match=80, portrait_light=80)


@pytest.mark.parametrize(
    ("edges", "backdrop"),
    [(ON, BACKDROP), (ON, BLUR), (EDGES, BACKDROP), (EDGES, BOKEH), (LIGHT, BACKDROP), (LIGHT, BLUR)],
    ids=["strict-image", "strict-blur", "edges-image", "edges-bokeh", "light-image", "light-blur"],
)
def test_every_control_works_in_the_region(
    following: OpenVinoBackend, room: Room, edges: EdgeSettings, backdrop: BgrImage | BlurredBackground
) -> None:
    for shift in (3, 0):
        matte = following.step(room.frame(shift), backdrop, edges, want_foreground=True).result()
    assert not roi_of(following).is_whole
    assert (matte.alpha[room.mask] > 127).mean() > 0.8
    assert not matte.alpha[:, :100].any()
    if backdrop is BACKDROP:
        difference = np.abs(matte.composite.astype(int) - BACKDROP).max(2)
        assert (difference <= matte.alpha.astype(int) + 1).all()
