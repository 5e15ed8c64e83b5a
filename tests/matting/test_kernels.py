"""The CPU kernels of a step, and what surrounds a network in OpenVINO, are as in torch."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from app.core.settings import EdgeSettings
from app.core.threads import Strips
from app.core.types import Backdrop, BlurredBackground, Bytes, Floats
from app.matting.cpu.cpu_backend import Coefficients
from app.matting.interface import StepGeometry, StepRequest
from app.matting.kernels import composite as kernels
from app.matting.kernels.network import matte_rows, shrink_rows
from app.matting.openvino.openvino_backend import decide, filter_kernel, forget_changed, halved
from app.matting.torch.frame_step import layers, to_bgr, to_pixels
from models.blocks import FILTER_EPS, DeepGuidedFilter, fast_guided_filter
from models.exchange import (
    DecisionRule,
    FastFilterWeights,
    FilterWeights,
    ForgettingRule,
    LearnedFilterWeights,
)
from models.mattecam.network import (
    ALPHA_MARGIN,
    MattecamNetwork,
    explained,
    shares_to_keep,
    stretched,
)
from models.mattecam.network import decide as decide_in_torch
from tests.matting.stubs import StubCpu, few_examples, frames
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


def coefficients(height: int, width: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Return coefficients of a person in the middle, with a soft edge and non-zero slopes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot((x / width - 0.5) * 1.6, y / height - 0.6)
    alpha = np.clip((0.4 - distance) * 8, 0, 1)
    edge = (alpha > 0) & (alpha < 1)
    slope = np.stack([rng.normal(0, 0.3, (height, width)) * edge for _ in range(4)])
    offset = np.stack(
        [*(rng.normal(0, 0.05, (height, width)) for _ in range(3)), alpha - 0.5 * slope[3]]
    )
    return slope.astype(np.float32), offset.astype(np.float32), alpha.astype(np.float32)


def difference(one: Bytes, other: Bytes) -> int:
    return int(np.abs(one.astype(np.int16) - other).max())


def test_torch_shows_nobody_where_alpha_is_rounded_to_zero() -> None:
    """Half of a level of a black person before white is rounded to a level of the colour, but to no alpha."""
    alpha = torch.linspace(0.49, 0.5, 2001).reshape(1, 1, 1, -1) / 255
    black = torch.zeros(1, 3, 1, 2001)
    white = torch.ones(1, 3, 1, 2001)
    composite, shown = to_pixels(black, alpha, white)

    assert not shown.any()
    assert (composite == 255).all()


@pytest.mark.parametrize(
    "edges", EDGES, ids=lambda edges: ",".join(sorted(edges.model_fields_set)) or "off"
)
@pytest.mark.parametrize("size", [(160, 90), (131, 97), (90, 160)], ids=str)
def test_finish_is_the_frame_step(size: tuple[int, int], edges: EdgeSettings) -> None:
    geometry = StepGeometry(*size, 0.37)
    small_size = geometry.small_height, geometry.small_width
    pictures = frames(*size, 3)
    backdrops: list[Backdrop] = [
        frames(*size, 1, seed=4)[0],
        BlurredBackground(0),
        BlurredBackground(70),
    ]
    for backdrop in backdrops:
        reference = StubTorch(geometry)
        cpu = StubCpu(geometry)
        for turn, frame in enumerate(pictures):
            small = np.empty((3, *small_size), np.float32)
            shrink_rows(frame, geometry.ratio, geometry.ratio, small, 0, small_size[0])
            reference.coefficients = cpu.coefficients = Coefficients(
                small, *coefficients(*small_size, seed=turn)
            )
            matte, expected = (
                backend.step(StepRequest(frame, backdrop, edges, "off", want_foreground=True))
                for backend in (cpu, reference)
            )
            assert matte.foreground is not None and expected.foreground is not None
            # Contrast amplifies rounding errors; despilling and spreading each round the foreground once more.
            assert difference(matte.alpha, expected.alpha) <= (2 if edges.contrast else 1)
            coarser = (edges.despill > 0) + 2 * (edges.feather_px > 0)
            assert difference(matte.foreground, expected.foreground) <= 1 + coarser
            assert difference(matte.composite, expected.composite) <= 2
        cpu.close()


@few_examples
@given(
    width=st.integers(16, 90),
    height=st.integers(16, 90),
    across=st.floats(0.2, 1.0),
    down=st.floats(0.2, 1.0),
    seed=st.integers(0, 1000),
)
def test_small_frame_is_sampled_at_the_ratios(
    width: int, height: int, across: float, down: float, seed: int
) -> None:
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
    scales = (down, across)
    expected = functional.interpolate(
        image, scale_factor=scales, mode="bilinear", recompute_scale_factor=False
    )[0]
    small = np.empty(expected.shape, np.float32)
    shrink_rows(frame, across, down, small, 0, small.shape[1])

    np.testing.assert_allclose(small, expected.numpy(), atol=2e-4)


@pytest.mark.parametrize("sparse", [False, True], ids=["anybody", "hardly-anybody"])
@few_examples
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 36),
    small_width=st.integers(1, 60),
    small_height=st.integers(1, 20),
    wanted=st.booleans(),
    seed=st.integers(0, 999),
)
def test_rows_of_any_size_are_finished_as_in_torch_also_where_nobody_can_be(
    sparse: bool,
    width: int,
    height: int,
    small_width: int,
    small_height: int,
    wanted: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    frame, behind = (rng.integers(0, 256, (height, 3 * width), dtype=np.uint8) for _ in range(2))
    sigmas = (0.004, 0.001) if sparse else (0.5, 0.5)
    slope, offset = (
        rng.normal(0, sigma, (4, small_height, small_width)).astype(np.float32) for sigma in sigmas
    )
    if sparse:  # a few opaque pixels, often a single one in a wide empty row
        spots = rng.random((small_height, small_width)) < rng.choice([0.01, 0.1, 0.6])
        offset[3][spots] = rng.normal(0.2, 0.4, int(spots.sum()))
    composite = np.full_like(frame, 77)
    alpha = np.full((height, width), 77, np.uint8)
    person = np.full_like(frame, 77) if wanted else np.empty((0, 0), np.uint8)
    kernels.finish_rows(frame, slope, offset, behind, composite, alpha, person, 0, height)
    image, backdrop = (torch.from_numpy(rows.reshape(height, width, 3)) for rows in (frame, behind))
    shown, opacity, background = layers(
        image, torch.from_numpy(slope)[None], torch.from_numpy(offset)[None], backdrop
    )
    expected = *to_pixels(shown, opacity, background), to_bgr(shown)
    for found, right in zip((composite, alpha, person), expected, strict=True):
        assert not found.size or difference(found, right.numpy().reshape(height, -1)) <= 1
    nobody = (alpha == 0).repeat(3, 1)
    np.testing.assert_allclose(composite[nobody].astype(int), behind[nobody].astype(int), atol=1)


@pytest.mark.parametrize("size", [(6, 8), (7, 9), (1, 1)])
def test_cells_become_the_matte_of_the_network(size: tuple[int, int]) -> None:
    height, width = size
    shape = (-(-height // 2), -(-width // 2), 16)
    cells = np.random.default_rng(1).normal(0, 4, shape).astype(np.float32)
    cells[0, 0, 12:] = 1000, -1000, 0, 5  # no overflow
    matte = np.full((4, height, width), np.nan, np.float32)
    matte_rows(cells, ALPHA_MARGIN, matte, 0, height)
    raw = functional.pixel_shuffle(torch.from_numpy(cells).permute(2, 0, 1), 2)[:, :height, :width]
    wanted = torch.cat([raw[:3], stretched(raw[3:])]).numpy()
    np.testing.assert_array_equal(matte[:3], wanted[:3])
    np.testing.assert_allclose(matte[3], wanted[3], atol=1e-6)
    matte_rows(np.full_like(cells, np.nan), ALPHA_MARGIN, matte, 0, height)

    assert np.isnan(matte).all(), "the step then refuses the matte; see `NotAMatteError`"


@pytest.mark.parametrize("size", [(45, 80), (37, 51), (8, 9)])
def test_every_alpha_of_a_stream_is_decided_as_in_torch(size: tuple[int, int]) -> None:
    """They have regions that are certain, unsure, and that change."""
    random = np.random.default_rng(1)
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    last = np.zeros(size, np.float32)
    known = torch.zeros(1, 1, *size)
    for t in range(6):
        body = 1 / (1 + np.exp((np.hypot(x - width / 2 - 3 * t, y - height) - height / 2) / 1.5))
        ghost = 0.25 + 0.35 * (np.sin(x / 9 + t / 2) * np.cos(y / 7) > 0)
        noisy = np.maximum(body, ghost * (x < width / 3)) + random.normal(0, 0.02, size)
        alpha = np.clip(noisy, 0, 1).astype(np.float32)
        wanted, known = decide_in_torch(torch.tensor(alpha)[None, None], known)
        decide(alpha, last, DecisionRule())
        np.testing.assert_allclose(alpha, wanted[0, 0].numpy(), atol=1e-4)


@pytest.mark.parametrize("size", [(90, 160), (91, 163), (33, 50)])
def test_the_memories_keep_what_they_keep_in_torch(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    height, width = size
    y, x = np.mgrid[0:height, 0:width]
    last = halved(halved(np.zeros((3, *size), np.float32)))
    state = MattecamNetwork().initial_state(1, *size)
    seen = state[3]
    for t in range(4):
        disc = np.hypot(x - width * t / 4, y - height / 2) < height / 4
        frame = (np.where(disc, 0.1, 0.7) + random.normal(0, 0.02, (3, *size))).astype(np.float32)
        memories = [np.ones((1, *memory.shape[2:], 5), np.float32) for memory in state[:3]]
        forget_changed(halved(halved(frame)), last, ForgettingRule(), memories)
        shares, seen = shares_to_keep(torch.from_numpy(frame)[None], seen, 1)
        assert shares is not None
        for memory, share in zip(memories, shares, strict=True):
            np.testing.assert_allclose(
                memory, share[0, 0, :, :, None].expand(memory.shape[1:])[None], atol=1e-4
            )
    assert 0.01 < np.mean(memories[0] < 0.5) < 0.7


sizes = given(height=st.integers(1, 12), width=st.integers(1, 140), seed=st.integers(0, 99))


def image_and_given(height: int, width: int, channels: int, seed: int) -> tuple[Floats, Floats]:
    """Return a noisy small frame and random outputs of the network for it."""
    rng = np.random.default_rng(seed)
    return rng.random((3, height, width), np.float32), rng.random(
        (channels, height, width), np.float32
    )


def assert_filter(
    weights: FilterWeights,
    image: Floats,
    values: Floats,
    slope: torch.Tensor,
    offset: torch.Tensor,
    alpha: Floats,
) -> None:
    """Assert that the filter, in two strips, gives the same matte of the small frame, and nearly the same slopes."""
    height, width = image.shape[1:]
    found = [np.full((planes, height, width), np.nan, np.float32) for planes in (4, 4, 1)]
    kernel, parameters = filter_kernel(weights)
    with closing(Strips(2)) as strips:
        strips.run(height, kernel, image, values, *parameters, *found, 0)
    guide = np.concatenate([image, image.mean(0, keepdims=True)])
    wanted_slope = slope[0].numpy()
    wanted_offset = offset[0].numpy()
    scale = max(1.0, float(np.abs(wanted_slope).max()))
    # A covariance is the difference of two nearly equal numbers: rounding depends on the order of summation.
    np.testing.assert_allclose(found[0], wanted_slope, atol=3e-3 * scale)
    matte = found[0] * guide + found[1]
    wanted = wanted_slope * guide + wanted_offset
    np.testing.assert_allclose(matte, wanted, atol=1e-4 * scale)
    np.testing.assert_allclose(found[2][0], np.clip(alpha, 0, 1), atol=1e-5)


@few_examples
@sizes
def test_the_learned_filter_is_that_of_rvm(height: int, width: int, seed: int) -> None:
    image, hidden = image_and_given(height, width, 8, seed)
    torch.manual_seed(seed)
    reference = DeepGuidedFilter(8).eval()
    project = nn.Conv2d(8, 4, 1)
    with torch.inference_mode():
        values = torch.from_numpy(hidden)[None]
        matte = project(values)
        slope, offset = reference(torch.from_numpy(image)[None], matte, values)
    norms = [module for module in reference.conv if isinstance(module, nn.BatchNorm2d)]
    first, second, third = (module for module in reference.conv if isinstance(module, nn.Conv2d))
    guided = LearnedFilterWeights(
        joined(project),
        reference.box_filter.weight.detach().numpy().reshape(4, 9),
        joined(first) * float(1 / np.sqrt(1 + norms[0].eps)),
        joined(second) * float(1 / np.sqrt(1 + norms[1].eps)),
        joined(third),
    )

    assert_filter(guided, image, hidden, slope, offset, matte[0, 3].numpy())


@pytest.mark.parametrize("within", [False, True], ids=["rvm", "mattecam"])
@few_examples
@sizes
def test_the_fast_filter_is_that_of_the_networks(
    within: bool, height: int, width: int, seed: int
) -> None:
    image, matte = image_and_given(height, width, 4, seed)
    with torch.inference_mode():
        small = torch.from_numpy(image)[None]
        values = torch.from_numpy(matte)[None]
        slope, offset = explained(small, values) if within else fast_guided_filter(small, values)
    guided = FastFilterWeights(1e-4 if within else FILTER_EPS, within)

    assert_filter(guided, image, matte, slope, offset, matte[3])


def joined(convolution: nn.Conv2d) -> Floats:
    """Return the weights (M, N + 1) of a 1x1 convolution; the last column is the bias, or zero without one."""
    weights = convolution.weight.detach()[:, :, 0, 0]
    bias = torch.zeros(len(weights)) if convolution.bias is None else convolution.bias.detach()
    return np.ascontiguousarray(torch.cat([weights, bias[:, None]], 1).numpy())
