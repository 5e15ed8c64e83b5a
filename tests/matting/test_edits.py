"""Edited mattes: what the executors make of an edit, on random coefficients and in every engine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.matte_edit import MatteEdit, View, viewed
from app.core.settings import MattingSettings
from app.core.types import BlurredBackground, Matte
from tests.matting.edits import MODELS, OFF, Fixed, random_edit
from tests.matting.networks import BuildEngine, frames
from tests.matting.stubs import STUBS, Case, StubCpu, assert_bounded, few_examples

TOLERANCE = 3
"""Levels of 255 between the rounding of OpenCV and of torch."""


@pytest.mark.parametrize("plate", [False, True], ids=["network", "plate"])
@few_examples
@given(st.integers(9, 70), st.integers(9, 50), st.integers(0, 1 << 30))
def test_edited_composites_of_the_cpu_are_bounded(plate: bool, width: int, height: int, seed: int) -> None:
    case = Case(width, height, 0.5, seed, padded=plate)
    frame = case.frame()
    backdrop = case.rng.integers(0, 256, frame.shape, dtype=np.uint8)
    with closing(StubCpu(case.geometry, case.refined() if plate else case.coefficients())) as backend:
        assert_bounded(backend.step(frame, backdrop, OFF, Fixed(random_edit(case))).result(), backdrop)


@pytest.mark.torch
@few_examples
@given(st.integers(9, 70), st.integers(9, 50), st.integers(0, 1 << 30))
def test_torch_and_the_cpu_edit_alike(width: int, height: int, seed: int) -> None:
    case = Case(width, height, 0.5, seed)
    # Coefficients of the size that networks give: larger ones multiply the rounding of the frame.
    large = case.coefficients()
    small = replace(large, slope=np.clip(large.slope, -0.1, 0.1), offset=np.clip(large.offset, -1, 1))
    frame = np.ascontiguousarray(case.rng.integers(80, 120, (height, width, 3), dtype=np.uint8))
    backdrop, edit = np.zeros_like(frame), random_edit(case)
    mattes = []
    for stub in STUBS.values():
        with closing(stub(case.geometry, small)) as backend:
            mattes.append(backend.step(frame, backdrop, OFF, Fixed(edit)).result())
    first, second = mattes
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


@pytest.mark.parametrize(("model", "executor"), MODELS)
@pytest.mark.parametrize("blurred", [False, True])
def test_an_engine_drops_keeps_and_crops(
    model: str, executor: str, blurred: bool, weights: dict[str, Path], engines: BuildEngine
) -> None:
    frame, backdrop = frames(160, 96, 2)
    settings = MattingSettings(
        model=model, weights=weights[model], executor=executor, device="cpu", precision="float32", downsample_ratio=0.5
    )
    engine = engines(settings, 160, 96)
    width, height = engine.info.small_size
    gain, keep = np.ones((height, width), np.float32), np.zeros((height, width), np.float32)
    gain[:, : width // 2] = 0
    gain[:, width // 2 :], keep[:, width // 2 :] = 0, 1
    behind = BlurredBackground(60) if blurred else backdrop
    plain = Fixed(MatteEdit())

    def step(edit: Fixed) -> Matte:
        return engine.step(frame, behind, OFF, edit).result()

    engine.reset()
    same = step(plain)
    engine.reset()
    np.testing.assert_array_equal(same.alpha, engine.step(frame, behind, OFF).result().alpha)
    assert plain.seen[0][0].shape == (3, height, width)
    assert plain.seen[0][1].shape == (height, width)
    engine.reset()
    halved = step(Fixed(MatteEdit(gain, keep)))
    assert halved.alpha[:, :76].max() == 0
    assert halved.alpha[:, 84:].min() == 255
    np.testing.assert_allclose(halved.composite[:, 84:], frame[:, 84:], atol=1)
    if not blurred:
        np.testing.assert_array_equal(halved.composite[:, :76], backdrop[:, :76])
    engine.reset()
    view = View(0.25, 0.4, 0.5)
    cropped = step(Fixed(MatteEdit(gain, keep, view)))
    assert cropped.frame is not None
    np.testing.assert_allclose(cropped.frame.astype(int), viewed(frame, view), atol=2)
    assert cropped.alpha[:, :70].max() == 0
    np.testing.assert_allclose(cropped.composite[:, 90:], cropped.frame[:, 90:], atol=2)
