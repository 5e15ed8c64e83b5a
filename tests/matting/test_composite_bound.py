"""Every composite shows at most alpha of the frame, whatever the network computes; the rest is the backdrop."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, BlurredBackground, Matte
from app.matting.base.edges import plan
from app.matting.base.interface import NotAMatteError
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
