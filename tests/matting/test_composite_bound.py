"""Every composite shows at most alpha of the frame, whatever the network computes; the rest is the backdrop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from app.core.settings import EdgeSettings, StrictLevel
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base import Executor, NotAMatteError
from app.matting.geometry import StepGeometry
from app.matting.kernels import composite as numba_kernels
from app.matting.kernels import numpy_composite
from app.matting.openvino_backend.compositor import Cells, Coefficients
from app.matting.openvino_backend.executor import CpuExecutor
from app.matting.step.core import Core
from app.matting.torch_backend.eager import EagerExecutor

CELL = 4
ROUNDING = 1
"""Alpha and composite are each rounded by up to half a level of 255."""
NOT_NUMBERS = (np.nan, np.inf, -np.inf)
KERNELS = (numba_kernels, numpy_composite)

edge_settings = st.builds(
    EdgeSettings,
    threshold=st.floats(0, 1),
    contrast=st.sampled_from([0.0, 0.3, 1.0]),
    grow_px=st.sampled_from([0, 0, -7, -1, 1, 12]),
    feather_px=st.sampled_from([0, 0, 1, 9, 40]),
    temporal_smoothing=st.sampled_from([0.0, 0.5, 1.0]),
    despill=st.sampled_from([0.0, 0.4, 1.0]),
    strict=st.sampled_from(get_args(StrictLevel)),
    light_match=st.sampled_from([0.0, 0.0, 50.0, 100.0]),
    light_wrap=st.sampled_from([0.0, 0.0, 100.0]),
    portrait_light=st.sampled_from([0.0, 0.0, 100.0]),
)
backdrops = st.sampled_from(["picture", "frame", "black", "white", "blur:0", "blur:60", "bokeh:60"])
any_case = settings(max_examples=40, deadline=None)


class Given(CpuExecutor):
    """Returns coefficients that a test has chosen."""

    coefficients: Coefficients

    def infer(self, frame: BgrImage, region: bool) -> Coefficients:
        given = self.coefficients  # strict mode changes the arrays
        return given._replace(slope=given.slope.copy(), offset=given.offset.copy(), coarse=given.coarse.copy())


class GivenNetwork(nn.Module):
    """The same for the frame step in torch."""

    coefficients_now: Coefficients

    def initial_state(self, batch: int, height_small: int, width_small: int) -> tuple[Tensor, ...]:
        """Return no recurrent states."""
        return ()

    def coefficients(self, small: Tensor) -> tuple[Tensor, ...]:
        """Return the chosen coefficients."""
        _, slope, offset, coarse, *_ = self.coefficients_now
        return tuple(torch.from_numpy(array.copy())[None] for array in (slope, offset, coarse[None]))


class Case:
    """One stream: an executor, its size, and random frames, backdrops and coefficients."""

    def __init__(self, width: int, height: int, ratio: float, seed: int, *, padded: bool = False) -> None:
        self.size = height, width
        self.dice = np.random.default_rng(seed)
        if padded:
            width, height = -(-width // CELL) * CELL, -(-height // CELL) * CELL
        self.geometry = StepGeometry(width, height, ratio)

    def frame(self) -> BgrImage:
        """Return noise, or two colours far from each other."""
        if self.dice.random() < 0.5:
            return self.dice.integers(0, 256, (*self.size, 3), dtype=np.uint8)
        return self.dice.choice(np.array([0, 255], np.uint8), (*self.size, 3))

    def backdrop(self, kind: str, frame: BgrImage) -> Backdrop:
        if kind.startswith(("blur", "bokeh")):
            shape, strength = kind.split(":")
            return BlurredBackground(float(strength), shape == "bokeh")
        if kind == "picture":
            return self.dice.integers(0, 256, frame.shape, dtype=np.uint8)
        return frame.copy() if kind == "frame" else np.full_like(frame, 0 if kind == "black" else 255)

    def coefficients(self) -> Coefficients:
        """Return coefficients from tiny to absurd, with alpha from nowhere to everywhere."""
        height, width = self.geometry.small_height, self.geometry.small_width
        slope, offset = (
            self.dice.normal(0, self.dice.choice([0, 0.003, 0.3, 30, 1e6]), (4, height, width)).astype(np.float32)
            for _ in range(2)
        )
        offset[3] += np.float32(self.dice.choice([-1, 0, 0.5, 1]))
        hidden = self.dice.random((height, width)) < 0.4
        slope[3, hidden], offset[3, hidden] = 0, -1
        small, coarse = self.dice.random((3, height, width)), self.dice.random((height, width))
        return Coefficients(small.astype(np.float32), slope, offset, coarse.astype(np.float32))

    def refined(self) -> Coefficients:
        """Return the same with refined cells, as a network with a plate gives them."""
        count = (self.geometry.height // CELL) * (self.geometry.width // CELL)
        indices = np.sort(self.dice.permutation(count)[: self.dice.integers(0, count + 1)]).astype(np.int64)
        matte = self.dice.normal(0, self.dice.choice([0.003, 0.5, 1e6]), (len(indices), CELL, CELL, 4))
        return self.coefficients()._replace(cells=Cells(indices, matte.astype(np.float32)))


def nobody(coefficients: Coefficients) -> Coefficients:
    """Return the coefficients with alpha 0 everywhere: the composite is the backdrop."""
    slope, offset = coefficients.slope.copy(), coefficients.offset.copy()
    slope[3], offset[3] = 0, -1
    return coefficients._replace(slope=slope, offset=offset, cells=None)


def assert_bounded(matte: Matte, behind: BgrImage) -> None:
    """Assert that the composite differs from the backdrop by at most alpha, and nowhere where alpha is 0."""
    difference = np.abs(matte.composite.astype(int) - behind).max(2)
    assert (difference <= matte.alpha.astype(int) + ROUNDING).all()
    assert not difference[matte.alpha == 0].any()


def check_stream(
    executor: Executor,
    give: Callable[[Coefficients], None],
    case: Case,
    make: Callable[[], Coefficients],
    edges: EdgeSettings,
    kind: str,
) -> None:
    """Check three frames of a stream: smoothing needs more than one. give: sets what the network computes next."""
    for _ in range(3):
        frame, coefficients = case.frame(), make()
        backdrop = behind = case.backdrop(kind, frame)
        if isinstance(backdrop, BlurredBackground):
            edges = edges.replace(strict="off")  # strict mode changes the coarse alpha, around which the blur is made
            give(nobody(coefficients))
            behind = executor.run(frame, backdrop, EdgeSettings(strict="off"), False).composite
        give(coefficients)
        assert isinstance(behind, np.ndarray)
        assert_bounded(executor.run(frame, backdrop, edges, want_foreground=False), behind)


sizes = {
    "width": st.integers(9, 70),
    "height": st.integers(9, 50),
    "ratio": st.sampled_from([0.3, 0.5, 1.0]),
    "seed": st.integers(0, 1 << 30),
    "edges": edge_settings,
    "kind": backdrops,
}


@pytest.mark.parametrize("kernels", KERNELS, ids=["numba", "numpy"])
@pytest.mark.parametrize("plate", [False, True], ids=["network", "plate"])
@any_case
@given(**sizes)
def test_composites_of_the_cpu_are_bounded(
    kernels: ModuleType, plate: bool, width: int, height: int, ratio: float, seed: int, edges: EdgeSettings, kind: str
) -> None:
    case = Case(width, height, ratio, seed, padded=plate)
    executor = Given(case.geometry, "float32", kernels)
    executor.supports_strict = not plate
    try:
        check_stream(
            executor,
            partial(setattr, executor, "coefficients"),
            case,
            case.refined if plate else case.coefficients,
            edges,
            kind,
        )
    finally:
        executor.close()


@any_case
@given(**sizes)
def test_composites_of_torch_are_bounded(
    width: int, height: int, ratio: float, seed: int, edges: EdgeSettings, kind: str
) -> None:
    case, network = Case(width, height, ratio, seed), GivenNetwork()
    executor = EagerExecutor(Core(network), case.geometry)
    check_stream(executor, partial(setattr, network, "coefficients_now"), case, case.coefficients, edges, kind)


def spoiled(case: Case, coefficients: Coefficients, value: float) -> Coefficients:
    """Return the coefficients with one value that is not a number."""
    arrays = [coefficients.slope, coefficients.offset]
    if coefficients.cells is not None and len(coefficients.cells.indices):
        arrays.append(coefficients.cells.matte)
    array = arrays[case.dice.integers(len(arrays))]
    array.flat[case.dice.integers(array.size)] = value
    return coefficients


@pytest.mark.parametrize("backend", ["numba", "numpy", "plate", "torch"])
@any_case
@given(seed=st.integers(0, 1 << 30), value=st.sampled_from(NOT_NUMBERS), edges=edge_settings)
def test_what_is_not_a_number_never_passes(backend: str, seed: int, value: float, edges: EdgeSettings) -> None:
    case = Case(33, 21, 0.5, seed, padded=backend == "plate")
    intact = case.refined() if backend == "plate" else case.coefficients()
    coefficients = spoiled(case, case.refined() if backend == "plate" else case.coefficients(), value)
    frame = case.frame()
    executor: Executor
    if backend == "torch":
        network = GivenNetwork()
        give = partial(setattr, network, "coefficients_now")
        executor = EagerExecutor(Core(network), case.geometry)
    else:
        executor = Given(case.geometry, "float32", numpy_composite if backend == "numpy" else numba_kernels)
        give = partial(setattr, executor, "coefficients")
    try:
        give(intact)
        executor.run(frame, np.zeros_like(frame), edges, want_foreground=False)  # smoothing begins with this frame
        give(coefficients)
        with pytest.raises(NotAMatteError):
            executor.run(frame, np.zeros_like(frame), edges, want_foreground=False)
    finally:
        executor.close()


def test_infinities_of_both_signs_are_refused_without_a_warning() -> None:
    case = Case(33, 21, 0.5, 1, padded=False)
    executor = Given(case.geometry, "float32", numba_kernels)
    coefficients = case.coefficients()
    coefficients.slope.flat[:2] = np.inf, -np.inf
    executor.coefficients = coefficients
    try:
        with pytest.raises(NotAMatteError):
            executor.run(case.frame(), np.zeros_like(case.frame()), EdgeSettings(), want_foreground=False)
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
