"""Edited mattes: what the executors make of them, on random coefficients and in every engine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.framing import MatteEdit, View, viewed
from app.core.settings import MattingSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base.interface import MattingEngine
from app.matting.cpu.compositor import Coefficients
from tests.matting.networks import BuildEngine, frames
from tests.matting.stubs import OFF, STUBS, Case, Fixed, few_examples, random_edit

TOLERANCE = 3
"""Levels of 255 between the rounding of OpenCV and of torch."""


def of_both(
    case: Case, coefficients: Coefficients, frame: BgrImage, backdrop: BgrImage, edit: MatteEdit
) -> list[Matte]:
    """Return the edited mattes of the CPU and of torch."""
    mattes = []
    for stub in STUBS.values():
        with closing(stub(case.geometry, coefficients)) as backend:
            mattes.append(backend.step(frame, backdrop, OFF, Fixed(edit)))
    return mattes


@pytest.mark.torch
@few_examples
@given(st.integers(9, 70), st.integers(9, 50), st.integers(0, 1 << 30))
def test_torch_and_the_cpu_edit_alike(width: int, height: int, seed: int) -> None:
    case = Case(width, height, 0.5, seed)
    # Coefficients of the size that networks give: larger ones multiply the rounding of the frame.
    large = case.coefficients()
    small = replace(large, slope=np.clip(large.slope, -0.1, 0.1), offset=np.clip(large.offset, -1, 1))
    frame = np.ascontiguousarray(case.rng.integers(80, 120, (height, width, 3), dtype=np.uint8))
    first, second = of_both(case, small, frame, np.zeros_like(frame), random_edit(case))
    for one, other in ((first.alpha, second.alpha), (first.composite, second.composite)):
        assert np.abs(one.astype(int) - other).max() <= TOLERANCE
    assert first.frame is not None
    assert second.frame is not None
    np.testing.assert_allclose(first.frame.astype(int), second.frame, atol=TOLERANCE)


@given(st.integers(0, 1 << 30))
def test_a_view_is_where_it_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width, height, size = 160, 96, rng.uniform(0.3, 1)
    left, top = rng.uniform(0, 1 - size, 2)
    columns = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
    shown = viewed(columns, View(left, top, size))
    x = (left + (np.arange(width) + 0.5) / width * size) * width - 0.5
    np.testing.assert_allclose(shown[height // 2], np.clip(x / (width - 1), 0, 1), atol=0.03 / width * 32)


@pytest.fixture(params=[("mattecam", "openvino"), ("toy", "openvino"), ("toy", "eager")], ids="-".join)
def engine(request: pytest.FixtureRequest, weights: dict[str, Path], engines: BuildEngine) -> MattingEngine:
    model, executor = request.param
    settings = MattingSettings(
        model=model, weights=weights[model], executor=executor, device="cpu", precision="float32", downsample_ratio=0.5
    )
    return engines(settings, 160, 96)


FRAME, BACKDROP = frames(160, 96, 2)


@pytest.fixture(params=[BACKDROP, BlurredBackground(60)], ids=["image", "blur"])
def behind(request: pytest.FixtureRequest) -> Backdrop:
    backdrop: Backdrop = request.param
    return backdrop


def test_an_engine_drops_and_crops(engine: MattingEngine, behind: Backdrop) -> None:
    width, height = engine.info.small_size
    gain = np.ones((height, width), np.float32)
    gain[:, : width // 2] = 0
    plain = Fixed(MatteEdit())

    def step(edit: Fixed) -> Matte:
        return engine.step(FRAME, behind, OFF, edit)

    engine.reset()
    same = step(plain)
    engine.reset()
    np.testing.assert_array_equal(same.alpha, engine.step(FRAME, behind, OFF).alpha)
    assert plain.seen[0][0].shape == (3, height, width)
    assert plain.seen[0][1].shape == (height, width)
    engine.reset()
    halved = step(Fixed(MatteEdit(gain)))
    assert halved.alpha[:, :76].max() == 0
    np.testing.assert_allclose(halved.alpha[:, 84:], same.alpha[:, 84:], atol=1)
    if behind is BACKDROP:
        np.testing.assert_allclose(halved.composite[:, 84:].astype(int), same.composite[:, 84:], atol=1)
    if behind is BACKDROP:
        np.testing.assert_array_equal(halved.composite[:, :76], BACKDROP[:, :76])
    engine.reset()
    view = View(0.25, 0.4, 0.5)
    cropped = step(Fixed(MatteEdit(gain, view)))
    assert cropped.frame is not None
    np.testing.assert_allclose(cropped.frame.astype(int), viewed(FRAME, view), atol=2)
    assert cropped.alpha[:, :70].max() == 0
