"""Every composite shows at most alpha of the frame, whatever the network computes; and the edge controls."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, BgrImage, BlurredBackground, Floats, Matte
from app.matting.base.edges import box_radii, octagon, plan
from app.matting.base.interface import NotAMatteError, StepGeometry
from app.matting.cpu.compositor import Coefficients
from tests.matting.stubs import (
    OFF,
    RELIT_ROUNDING,
    ROUNDING,
    STUBS,
    Case,
    Fixed,
    StubCpu,
    assert_bounded,
    edge_settings,
    few_examples,
    nobody,
    random_edit,
    showing,
)

NOT_NUMBERS = (np.nan, np.inf, -np.inf)

backdrops = st.sampled_from(["picture", "frame", "black", "white", "blur:0", "blur:60", "bokeh:60"])


BACKENDS = ["network", "plate", pytest.param("torch", marks=pytest.mark.torch)]


@pytest.mark.parametrize("edited", [False, True], ids=["as-it-is", "edited"])
@pytest.mark.parametrize("backend", BACKENDS)
@few_examples
@given(
    width=st.integers(9, 70),
    height=st.integers(9, 50),
    ratio=st.sampled_from([0.3, 0.5, 1.0]),
    seed=st.integers(0, 1 << 30),
    edges=edge_settings,
    kind=backdrops,
)
def test_composites_are_bounded(
    backend: str, edited: bool, width: int, height: int, ratio: float, seed: int, edges: EdgeSettings, kind: str,
) -> None:  # fmt: skip
    """Checks three frames of a stream: smoothing needs more than one."""
    case = Case(width, height, ratio, seed, padded=backend == "plate")
    make = case.refined if backend == "plate" else case.coefficients
    editor = Fixed(random_edit(case)) if edited else None
    kind = "picture" if edited and ":" in kind else kind  # the part of the frame is what is blurred
    if editor is not None or backend == "plate" or ":" in kind:
        edges = edges.replace(strict="off")  # strict mode changes the coarse alpha, around which it is blurred
    rounding = RELIT_ROUNDING if backend != "network" and plan(edges).relights else ROUNDING
    with closing(STUBS["torch" if backend == "torch" else "cpu"](case.geometry)) as stub:
        for _ in range(3):
            frame, coefficients = case.frame(), make()
            backdrop = shown = case.backdrop(kind, frame)
            if isinstance(backdrop, BlurredBackground):
                stub.coefficients = nobody(coefficients)
                shown = stub.step(frame, backdrop, OFF).composite
            stub.coefficients = coefficients
            matte = stub.step(frame, backdrop, edges, editor, want_foreground=editor is not None)
            assert isinstance(shown, np.ndarray)
            assert_bounded(matte, shown, rounding)
            if editor is not None:
                assert matte.foreground is not None and matte.foreground.shape == frame.shape


def spoiled(case: Case, coefficients: Coefficients, value: float) -> Coefficients:
    """Return the coefficients with one value that is not a number."""
    arrays = [coefficients.slope, coefficients.offset]
    if coefficients.cells is not None and len(coefficients.cells.indices):
        arrays.append(coefficients.cells.matte)
    array = arrays[case.rng.integers(len(arrays))]
    array.flat[case.rng.integers(array.size)] = value
    return coefficients


@pytest.mark.parametrize("backend", BACKENDS)
@few_examples
@given(seed=st.integers(0, 1 << 30), value=st.sampled_from(NOT_NUMBERS), edges=edge_settings)
def test_what_is_not_a_number_never_passes(backend: str, seed: int, value: float, edges: EdgeSettings) -> None:
    case = Case(33, 21, 0.5, seed, padded=backend == "plate")
    make = case.refined if backend == "plate" else case.coefficients
    intact, broken, frame = make(), spoiled(case, make(), value), case.frame()
    with closing(STUBS["torch" if backend == "torch" else "cpu"](case.geometry, intact)) as stub:
        stub.step(frame, np.zeros_like(frame), edges)  # smoothing begins with this frame
        stub.coefficients = broken
        with pytest.raises(NotAMatteError):
            stub.step(frame, np.zeros_like(frame), edges)


def test_infinities_of_both_signs_are_refused_without_a_warning() -> None:
    case = Case(33, 21, 0.5, 1, padded=False)
    coefficients = case.coefficients()
    coefficients.slope.flat[:2] = np.inf, -np.inf
    with closing(StubCpu(case.geometry, coefficients)) as backend, pytest.raises(NotAMatteError):
        backend.step(case.frame(), np.zeros_like(case.frame()), EdgeSettings())


def test_a_composite_that_is_not_bounded_is_noticed() -> None:
    backdrop = np.zeros((4, 4, 3), np.uint8)
    shown, alpha = backdrop.copy(), np.full((4, 4), 9, np.uint8)
    shown[1, 2, 0] = 11
    with pytest.raises(AssertionError):
        assert_bounded(Matte(shown, alpha), backdrop)
    nothing: AlphaImage = np.zeros((4, 4), np.uint8)
    shown[1, 2, 0] = 1
    with pytest.raises(AssertionError):
        assert_bounded(Matte(shown, nothing), backdrop)


def composited(frame: BgrImage, alpha: Floats, backdrop: BgrImage, edges: EdgeSettings) -> Matte:
    """Return the matte of coefficients that give `alpha` (H, W) in 0..1, with its foreground."""
    height, width = alpha.shape
    with closing(StubCpu(StepGeometry(width, height, 1.0), showing(alpha))) as backend:
        return backend.step(frame, backdrop, edges.replace(strict="off"), want_foreground=True)


def treated(alpha: AlphaImage, edges: EdgeSettings) -> AlphaImage:
    """Return the alpha after the edge controls, from coefficients that give `alpha`."""
    frame = np.full((*alpha.shape, 3), 128, np.uint8)
    return composited(frame, (alpha / 255).astype(np.float32), frame, edges).alpha


def disc(radius: int) -> AlphaImage:
    y, x = np.mgrid[-50:51, -50:51]
    return np.where(np.hypot(x, y) <= radius, 255, 0).astype(np.uint8)


def test_defaults_do_nothing() -> None:
    assert not plan(EdgeSettings()).active


@given(st.floats(0, 1), st.floats(0.001, 1))
def test_contrast_keeps_order_and_ends(threshold: float, contrast: float) -> None:
    table = plan(EdgeSettings(threshold=threshold, contrast=contrast)).contrast
    assert table is not None
    assert (np.diff(table.astype(int)) >= 0).all()
    if 0.01 < threshold < 0.99:
        assert table[0] == 0
        assert table[255] == 255


def test_full_contrast_is_a_hard_mask() -> None:
    alpha = np.arange(256, dtype=np.uint8)[None].repeat(4, 0)
    hard = treated(alpha, EdgeSettings(contrast=1, threshold=0.5))
    assert set(np.unique(hard)) == {0, 255}
    assert abs(int((hard[0] == 0).sum()) - 128) <= 1


@given(st.floats(0.01, 1))
def test_temporal_smoothing_arrives_and_lets_motion_pass(temporal_smoothing: float) -> None:
    steps = plan(EdgeSettings(temporal_smoothing=temporal_smoothing)).temporal_smoothing
    assert steps is not None
    difference = np.arange(-255, 256)
    assert (np.abs(steps) <= np.abs(difference)).all()
    assert (np.sign(steps) == np.sign(difference)).all()
    np.testing.assert_array_equal(steps, -steps[::-1])
    assert steps[255 + 200] >= 199
    assert steps[255 + 4] <= 4 - 2 * (temporal_smoothing > 0.9)


@pytest.mark.parametrize("pixels", [1, 3, 8, 20])
def test_growing_and_shrinking_move_the_edge_by_pixels(pixels: int) -> None:
    alpha = disc(25)
    radius = 25.5
    grown = (treated(alpha, EdgeSettings(grow_px=pixels)) > 127).sum()
    shrunk = (treated(alpha, EdgeSettings(grow_px=-pixels)) > 127).sum()
    assert np.sqrt(grown / np.pi) == pytest.approx(radius + pixels, abs=1 + 0.05 * pixels)
    assert np.sqrt(shrunk / np.pi) == pytest.approx(radius - pixels, abs=1.1 + 0.05 * pixels)


@pytest.mark.parametrize("pixels", [2, 5, 12, 20])
def test_feather_goes_outward_only(pixels: int) -> None:
    alpha = disc(25)
    soft = treated(alpha, EdgeSettings(feather_px=pixels))
    assert (soft[alpha == 255] == 255).all()
    row = soft[50, 76:]
    assert (np.diff(row.astype(int)) <= 0).all()
    reach = int((row > 0).sum())
    assert 0.5 * pixels <= reach <= pixels + 2


def test_feather_shows_nothing_of_the_old_room() -> None:
    """For a red person in a white room on black, the feathered rim is red, not pink."""
    alpha = disc(25)
    height, width = alpha.shape
    frame = np.full((height, width, 3), 255, np.uint8)
    frame[alpha > 0] = (0, 0, 200)
    matte = composited(frame, (alpha / 255).astype(np.float32), np.zeros_like(frame), EdgeSettings(feather_px=12))

    rim = (alpha == 0) & (matte.alpha > 0)
    assert rim.any()
    assert matte.composite[rim][:, :2].max() <= 2
    assert matte.composite[rim][:, 2].max() > 100


@given(st.integers(0, 40))
def test_radii_add_up(pixels: int) -> None:
    assert sum(octagon(pixels)) == pixels
    assert sum(box_radii(pixels)) == -(-pixels // 2)


def test_despill_takes_green_from_the_edge_only() -> None:
    frame = np.full((1, 4, 3), (50, 200, 60), np.uint8)
    matte = composited(frame, np.array([[0.0, 0.5, 0.9, 1.0]], np.float32), frame, EdgeSettings(despill=1))
    assert matte.foreground is not None
    green = matte.foreground[0, :, 1].astype(int)
    assert green[1] == 60
    assert 60 < green[2] < 200
    assert green[3] == 200
