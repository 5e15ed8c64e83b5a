"""Moving and scaling the person: alpha and foreground together, and nothing of the frame beside them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.framing import area_of, in_corner
from app.core.matte_edit import MatteEdit
from app.core.settings import MAX_SCALE, MIN_SCALE, EdgeSettings, MattingSettings, PlacementSettings
from app.core.types import Backdrop, BlurredBackground, Matte
from app.matting.cpu.full_size import placed
from app.matting.cpu.strips import Strips
from tests.matting.edits import MODELS, OFF, Fixed, random_edit
from tests.matting.networks import BuildEngine, frames
from tests.matting.stubs import (
    RELIT_ROUNDING,
    ROUNDING,
    STUBS,
    Case,
    StubCpu,
    assert_bounded,
    edge_settings,
    few_examples,
    nobody,
)

TOLERANCE = 3
places = st.builds(PlacementSettings, x=st.floats(-1, 1), y=st.floats(-1, 1), scale=st.floats(MIN_SCALE, MAX_SCALE))
sizes = {"width": st.integers(9, 70), "height": st.integers(9, 50), "seed": st.integers(0, 1 << 30)}


def edited(case: Case, place: PlacementSettings) -> Fixed:
    edit = random_edit(case)
    return Fixed(MatteEdit(edit.gain, edit.keep, edit.view, place))


def assert_nothing_beside(matte: Matte, place: PlacementSettings) -> None:
    """Assert that alpha is 0 where the moved frame is not."""
    height, width = matte.alpha.shape
    area = area_of(place, width, height)
    beside = matte.alpha.copy()
    beside[max(area.top, 0) : max(area.top + area.height, 0), max(area.left, 0) : max(area.left + area.width, 0)] = 0
    assert not beside.any()


@pytest.mark.parametrize("plate", [False, True], ids=["network", "plate"])
@few_examples
@given(**sizes, place=places, edges=edge_settings, kind=st.sampled_from(["picture", "frame", "blur:60"]))
def test_placed_composites_of_the_cpu_are_bounded(
    plate: bool,
    width: int,
    height: int,
    seed: int,
    place: PlacementSettings,
    edges: EdgeSettings,
    kind: str,
) -> None:
    case = Case(width, height, 0.5, seed, padded=plate)
    coefficients = case.refined() if plate else case.coefficients()
    frame = case.frame()
    backdrop: Backdrop = case.backdrop(kind, frame)
    edges = edges.replace(strict="off")
    with closing(StubCpu(case.geometry, nobody(coefficients))) as backend:
        shown = backdrop
        if isinstance(backdrop, BlurredBackground):
            shown = backend.step(frame, backdrop, OFF).result().composite
        backend.coefficients = coefficients
        edit = Fixed(MatteEdit(placement=place))
        matte = backend.step(frame, backdrop, edges, edit, want_foreground=True).result()
    assert isinstance(shown, np.ndarray)
    assert_bounded(matte, shown, RELIT_ROUNDING if plate else ROUNDING)
    assert_nothing_beside(matte, place)
    assert matte.foreground is not None
    assert matte.foreground.shape == frame.shape


@pytest.mark.torch
@few_examples
@given(**sizes, place=places)
def test_placed_composites_of_torch_are_bounded(width: int, height: int, seed: int, place: PlacementSettings) -> None:
    case = Case(width, height, 0.5, seed)
    backend, frame = STUBS["torch"](case.geometry, case.coefficients()), case.frame()
    backdrop = case.rng.integers(0, 256, frame.shape, dtype=np.uint8)
    with closing(backend):
        matte = backend.step(frame, backdrop, OFF, edited(case, place)).result()
    assert_bounded(matte, backdrop)
    assert_nothing_beside(matte, place)


MOVED = (PlacementSettings(x=0.25, y=-0.125), in_corner("bottom-right", 0.5), PlacementSettings(scale=2))


@pytest.mark.parametrize("place", MOVED, ids=["shifted", "corner", "large"])
@pytest.mark.parametrize(("model", "executor"), MODELS)
@pytest.mark.parametrize("blurred", [False, True])
def test_an_engine_moves_the_person_over_a_backdrop_that_stays(
    model: str,
    executor: str,
    blurred: bool,
    place: PlacementSettings,
    weights: dict[str, Path],
    engines: BuildEngine,
) -> None:
    """Make a person of a block of the frame, so that its place in the composite is known."""
    frame, backdrop = frames(160, 96, 2)
    settings = MattingSettings(
        model=model, weights=weights[model], executor=executor, device="cpu", precision="float32", downsample_ratio=0.5
    )
    engine = engines(settings, 160, 96)
    width, height = engine.info.small_size
    block = slice(height // 4, height // 2), slice(width // 4, width // 2)
    gain, keep = np.zeros((2, height, width), np.float32)
    keep[block] = 1
    behind = BlurredBackground(60) if blurred else backdrop

    def step(edit: Fixed) -> Matte:
        return engine.step(frame, behind, OFF, edit).result()

    unmoved = step(Fixed(MatteEdit(gain, keep)))
    engine.reset()
    moved = step(Fixed(MatteEdit(gain, keep, placement=place)))
    area = area_of(place, 160, 96)
    left, top = area.left + area.width // 4, area.top + area.height // 4
    right, bottom = area.left + area.width // 2, area.top + area.height // 2
    inside = slice(max(top + 5, 0), bottom - 5), slice(max(left + 5, 0), right - 5)
    assert moved.alpha[inside].min() == 255
    beyond = moved.alpha.copy()
    beyond[max(top - 5, 0) : bottom + 5, max(left - 5, 0) : right + 5] = 0
    assert not beyond.any()
    seen = (moved.alpha == 0) & (unmoved.alpha == 0)
    np.testing.assert_array_equal(moved.composite[seen], unmoved.composite[seen])
    if place.scale == 1:
        rows, columns = slice(29, 43), slice(45, 75)
        there = slice(29 + area.top, 43 + area.top), slice(45 + area.left, 75 + area.left)
        np.testing.assert_allclose(moved.composite[there], unmoved.composite[rows, columns], atol=1)


@pytest.mark.torch
@pytest.mark.parametrize("place", MOVED, ids=["shifted", "corner", "large"])
def test_torch_and_the_cpu_place_alike(place: PlacementSettings) -> None:
    case = Case(160, 96, 0.5, 3)
    random = case.coefficients()
    smooth = replace(random, slope=np.zeros_like(random.slope), offset=np.zeros_like(random.offset))
    smooth.offset[3] = np.linspace(0, 1, smooth.offset.shape[2], dtype=np.float32)
    grey = np.tile(np.linspace(40, 200, 160, dtype=np.uint8)[None, :, None], (96, 1, 3))
    mattes = []
    for stub in STUBS.values():
        with closing(stub(case.geometry, smooth)) as backend:
            edit = Fixed(MatteEdit(placement=place))
            mattes.append(backend.step(grey, np.full_like(grey, 90), OFF, edit).result())
    one, other = mattes
    np.testing.assert_allclose(one.alpha, other.alpha, atol=TOLERANCE)
    np.testing.assert_allclose(one.composite, other.composite, atol=TOLERANCE)


@pytest.mark.parametrize("scale", [0.55, 0.83, 1.27, 2.6])
def test_a_person_does_not_shake_while_the_part_that_is_resized_changes(scale: float) -> None:
    """Only the part around the person is resized; a raised hand makes it larger."""
    strips, behind = Strips(), np.zeros((360, 640, 3), np.uint8)
    results = []
    for hand in range(0, 90, 7):
        alpha = np.zeros((360, 640), np.float32)
        alpha[120:300, 260:380] = 255
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 6))
        alpha[200:204, 120 - hand : 124 - hand] = 255
        levels = alpha.astype(np.uint8)
        matte = Matte(np.repeat(levels[..., None], 3, axis=2), levels)
        area = area_of(PlacementSettings(scale=scale), 640, 360)
        moved = placed(matte, behind, PlacementSettings(scale=scale), strips).alpha
        results.append(moved[:, max(0, round(area.left + 150 * scale)) :].astype(int))
    strips.close()
    for other in results[1:]:
        assert np.abs(other - results[0]).max() <= 3
