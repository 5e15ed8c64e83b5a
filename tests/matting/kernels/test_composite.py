"""The CPU kernels compared with the frame step in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.core.settings import EdgeSettings
from app.core.threads import Strips
from app.core.types import Backdrop, BlurredBackground
from app.matting.base.edges import plan
from app.matting.base.interface import StepGeometry
from app.matting.cpu.compositor import Coefficients, Compositor
from app.matting.cpu.cpu_backend import shrink
from app.matting.kernels import composite as kernels
from app.matting.kernels.network_arrays import halve_rows, shrink_rows
from app.matting.torch.full_size import LayerTensors, Pixels, layers, to_pixels
from tests.matting.networks import frames
from tests.matting.torch_stubs import StubTorch

pytestmark = pytest.mark.torch

EDGES = [
    EdgeSettings(),
    EdgeSettings(contrast=0.4, threshold=0.3),
    EdgeSettings(grow_px=5),
    EdgeSettings(grow_px=-4),
    EdgeSettings(feather_px=9),
    EdgeSettings(temporal_smoothing=0.7),
    EdgeSettings(despill=1),
    EdgeSettings(contrast=0.3, grow_px=2, feather_px=4, temporal_smoothing=0.5, despill=0.5),
]


def coefficients(
    height: int, width: int, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return coefficients of a person in the middle, with a soft edge and non-zero slopes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot((x / width - 0.5) * 1.6, y / height - 0.6)
    alpha = np.clip((0.4 - distance) * 8, 0, 1)
    edge = (alpha > 0) & (alpha < 1)
    slope = np.stack([rng.normal(0, 0.3, (height, width)) * edge for _ in range(4)])
    offset = np.stack([*(rng.normal(0, 0.05, (height, width)) for _ in range(3)), alpha - 0.5 * slope[3]])
    return slope.astype(np.float32), offset.astype(np.float32), alpha.astype(np.float32)


def finished(
    frame: NDArray[np.uint8], slope: NDArray[np.float32], offset: NDArray[np.float32], behind: NDArray[np.uint8]
) -> Pixels:
    """Return what torch makes of frame and backdrop, (H, 3 * W), and coefficients."""
    image, backdrop = (torch.from_numpy(rows.reshape(len(rows), -1, 3)) for rows in (frame, behind))
    slopes, offsets = (torch.from_numpy(planes)[None] for planes in (slope, offset))
    return to_pixels(layers(image, slopes, offsets, backdrop), foreground=True)


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int(np.abs(one.astype(np.int16) - other).max())


def test_torch_shows_nobody_where_alpha_is_rounded_to_zero() -> None:
    """Half of a level of a black person before white is rounded to a level of the colour, but to no alpha."""
    alpha = torch.linspace(0.49, 0.5, 2001).reshape(1, 1, 1, -1) / 255
    black, white = torch.zeros(1, 3, 1, 2001), torch.ones(1, 3, 1, 2001)
    pixels = to_pixels(LayerTensors(black, alpha, white), foreground=False)
    assert not pixels.alpha.any()
    assert (pixels.composite == 255).all()


@pytest.mark.parametrize("edges", EDGES, ids=lambda edges: ",".join(sorted(edges.model_fields_set)) or "off")
@pytest.mark.parametrize("size", [(160, 90), (131, 97), (90, 160)], ids=str)
def test_finish_is_the_frame_step(size: tuple[int, int], edges: EdgeSettings) -> None:
    geometry = StepGeometry(*size, 0.37)
    small_size = geometry.small_height, geometry.small_width
    strips = Strips()
    cpu = Compositor(geometry, strips)
    pictures = frames(*size, 3)
    small = np.empty((3, *small_size), np.float32)
    backdrops: list[Backdrop] = [frames(*size, 1, seed=4)[0], BlurredBackground(0), BlurredBackground(70)]
    for backdrop in backdrops:
        reference = StubTorch(geometry)
        for turn, frame in enumerate(pictures):
            shrink(strips, frame, (geometry.ratio, geometry.ratio), small)
            reference.coefficients = Coefficients(small, *coefficients(*small_size, seed=turn))
            matte = cpu.composite(frame, reference.coefficients, backdrop, plan(edges), want_foreground=True)
            expected = reference.step(frame, backdrop, edges.replace(strict="off"), want_foreground=True)
            assert matte.foreground is not None and expected.foreground is not None
            # Contrast amplifies rounding errors; despilling and spreading each round the foreground once more.
            assert difference(matte.alpha, expected.alpha) <= (2 if edges.contrast else 1)
            assert difference(matte.foreground, expected.foreground) <= 1 + (edges.despill > 0) + 2 * (
                edges.feather_px > 0
            )
            assert difference(matte.composite, expected.composite) <= 2
        cpu.reset()
    strips.close()


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(16, 90),
    height=st.integers(16, 90),
    across=st.floats(0.2, 1.0),
    down=st.floats(0.2, 1.0),
    seed=st.integers(0, 1000),
)
def test_small_frame_is_sampled_at_the_ratios(width: int, height: int, across: float, down: float, seed: int) -> None:
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
    scales = (down, across)
    expected = functional.interpolate(image, scale_factor=scales, mode="bilinear", recompute_scale_factor=False)[0]

    small = np.empty(expected.shape, np.float32)
    shrink_rows(frame, across, down, small, 0, small.shape[1])
    np.testing.assert_allclose(small, expected.numpy(), atol=2e-4)


@settings(max_examples=40, deadline=None)
@given(width=st.integers(1, 90), height=st.integers(1, 60), seed=st.integers(0, 99))
def test_halving_takes_the_mean_of_the_pixels_there_are(width: int, height: int, seed: int) -> None:
    picture = np.random.default_rng(seed).random((3, height, width), dtype=np.float32)
    expected = functional.avg_pool2d(
        torch.from_numpy(picture)[None], 2, 2, ceil_mode=True, count_include_pad=False
    ).numpy()[0]
    halved = np.full((3, -(-height // 2), -(-width // 2)), np.nan, np.float32)
    halve_rows(picture, halved, 0, halved.shape[1])
    np.testing.assert_allclose(halved, expected, atol=1e-6)


@pytest.mark.parametrize("sparse", [False, True], ids=["anybody", "hardly-anybody"])
@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 36),
    small_width=st.integers(1, 60),
    small_height=st.integers(1, 20),
    wanted=st.booleans(),
    seed=st.integers(0, 999),
)
def test_rows_of_any_size_are_finished_as_in_torch_also_where_nobody_can_be(
    sparse: bool, width: int, height: int, small_width: int, small_height: int, wanted: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    frame, behind = (rng.integers(0, 256, (height, 3 * width), dtype=np.uint8) for _ in range(2))
    sigmas = (0.004, 0.001) if sparse else (0.5, 0.5)
    slope, offset = (rng.normal(0, sigma, (4, small_height, small_width)).astype(np.float32) for sigma in sigmas)
    if sparse:  # a few opaque pixels, often a single one in a wide empty row
        spots = rng.random((small_height, small_width)) < rng.choice([0.01, 0.1, 0.6])
        offset[3][spots] = rng.normal(0.2, 0.4, int(spots.sum()))
    composite, alpha = np.full_like(frame, 77), np.full((height, width), 77, np.uint8)
    person = np.full_like(frame, 77) if wanted else np.empty((0, 0), np.uint8)
    kernels.finish_rows(frame, slope, offset, behind, composite, alpha, person, 0, height)
    expected = finished(frame, slope, offset, behind)
    assert difference(composite, expected.composite.numpy().reshape(height, -1)) <= 1
    assert difference(alpha, expected.alpha.numpy().reshape(height, -1)) <= 1
    assert expected.foreground is not None
    if wanted:
        assert difference(person, expected.foreground.numpy().reshape(height, -1)) <= 1
    nobody = (alpha == 0).repeat(3, 1)
    np.testing.assert_allclose(composite[nobody].astype(int), behind[nobody].astype(int), atol=1)
