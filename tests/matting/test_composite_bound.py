"""Every composite shows at most alpha of the frame, whatever the network computes; the rest is the backdrop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, BlurredBackground, Matte
from app.matting.base.interface import Backend, NotAMatteError
from app.matting.cpu.coefficients import Coefficients
from app.matting.torch.core import Core
from app.matting.torch.torch_backend import TorchBackend
from tests.matting.given import (
    RELIT_ROUNDING,
    ROUNDING,
    Case,
    Given,
    GivenNetwork,
    any_case,
    assert_bounded,
    edge_settings,
    nobody,
)

NOT_NUMBERS = (np.nan, np.inf, -np.inf)

backdrops = st.sampled_from(["picture", "frame", "black", "white", "blur:0", "blur:60", "bokeh:60"])


def check_stream(
    executor: Backend,
    give: Callable[[Coefficients], None],
    case: Case,
    make: Callable[[], Coefficients],
    edges: EdgeSettings,
    kind: str,
    rounding: int,
) -> None:
    """Check three frames of a stream: smoothing needs more than one. give: sets what the network computes next."""
    for _ in range(3):
        frame, coefficients = case.frame(), make()
        backdrop = behind = case.backdrop(kind, frame)
        if isinstance(backdrop, BlurredBackground):
            edges = edges.replace(strict="off")  # strict mode changes the coarse alpha, around which the blur is made
            give(nobody(coefficients))
            behind = executor.step(frame, backdrop, EdgeSettings(strict="off")).result().composite
        give(coefficients)
        assert isinstance(behind, np.ndarray)
        assert_bounded(executor.step(frame, backdrop, edges).result(), behind, rounding)


sizes = {
    "width": st.integers(9, 70),
    "height": st.integers(9, 50),
    "ratio": st.sampled_from([0.3, 0.5, 1.0]),
    "seed": st.integers(0, 1 << 30),
    "edges": edge_settings,
    "kind": backdrops,
}


@pytest.mark.parametrize("plate", [False, True], ids=["network", "plate"])
@any_case
@given(**sizes)
def test_composites_of_the_cpu_are_bounded(
    plate: bool, width: int, height: int, ratio: float, seed: int, edges: EdgeSettings, kind: str
) -> None:
    case = Case(width, height, ratio, seed, padded=plate)
    executor = Given(case.geometry, "float32")
    edges = edges.replace(strict="off") if plate else edges
    try:
        check_stream(
            executor,
            partial(setattr, executor, "coefficients"),
            case,
            case.refined if plate else case.coefficients,
            edges,
            kind,
            RELIT_ROUNDING if plate else ROUNDING,
        )
    finally:
        executor.close()


@any_case
@given(**sizes)
def test_composites_of_torch_are_bounded(
    width: int, height: int, ratio: float, seed: int, edges: EdgeSettings, kind: str
) -> None:
    case, network = Case(width, height, ratio, seed), GivenNetwork()
    executor = TorchBackend(Core(network), case.geometry)
    check_stream(
        executor, partial(setattr, network, "coefficients_now"), case, case.coefficients, edges, kind, RELIT_ROUNDING
    )


def spoiled(case: Case, coefficients: Coefficients, value: float) -> Coefficients:
    """Return the coefficients with one value that is not a number."""
    arrays = [coefficients.slope, coefficients.offset]
    if coefficients.cells is not None and len(coefficients.cells.indices):
        arrays.append(coefficients.cells.matte)
    array = arrays[case.dice.integers(len(arrays))]
    array.flat[case.dice.integers(array.size)] = value
    return coefficients


@pytest.mark.parametrize("backend", ["network", "plate", "torch"])
@any_case
@given(seed=st.integers(0, 1 << 30), value=st.sampled_from(NOT_NUMBERS), edges=edge_settings)
def test_what_is_not_a_number_never_passes(backend: str, seed: int, value: float, edges: EdgeSettings) -> None:
    case = Case(33, 21, 0.5, seed, padded=backend == "plate")
    intact = case.refined() if backend == "plate" else case.coefficients()
    coefficients = spoiled(case, case.refined() if backend == "plate" else case.coefficients(), value)
    frame = case.frame()
    executor: Backend
    if backend == "torch":
        network = GivenNetwork()
        give = partial(setattr, network, "coefficients_now")
        executor = TorchBackend(Core(network), case.geometry)
    else:
        executor = Given(case.geometry, "float32")
        give = partial(setattr, executor, "coefficients")
    try:
        give(intact)
        executor.step(frame, np.zeros_like(frame), edges).result()  # smoothing begins with this frame
        give(coefficients)
        with pytest.raises(NotAMatteError):
            executor.step(frame, np.zeros_like(frame), edges).result()
    finally:
        executor.close()


def test_infinities_of_both_signs_are_refused_without_a_warning() -> None:
    case = Case(33, 21, 0.5, 1, padded=False)
    executor = Given(case.geometry, "float32")
    coefficients = case.coefficients()
    coefficients.slope.flat[:2] = np.inf, -np.inf
    executor.coefficients = coefficients
    try:
        with pytest.raises(NotAMatteError):
            executor.step(case.frame(), np.zeros_like(case.frame()), EdgeSettings()).result()
    finally:
        executor.close()


def test_a_composite_that_is_not_bounded_is_noticed() -> None:
    behind = np.zeros((4, 4, 3), np.uint8)
    shown, alpha = behind.copy(), np.full((4, 4), 9, np.uint8)
    shown[1, 2, 0] = 11
    with pytest.raises(AssertionError):
        assert_bounded(Matte(shown, alpha), behind)
    nothing: AlphaImage = np.zeros((4, 4), np.uint8)
    shown[1, 2, 0] = 1
    with pytest.raises(AssertionError):
        assert_bounded(Matte(shown, nothing), behind)
