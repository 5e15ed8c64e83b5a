"""The guided filters of the CPU kernels compared with those of the networks, for random sizes and in strips."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from app.core.types import Floats
from app.matting.cpu.strips import Strips
from models.mattecam.network import explained
from models.rules import FastFilterWeights, FilterWeights, LearnedFilterWeights
from models.rvm.guided_filter import EPS, DeepGuidedFilter, FastGuidedFilter

pytestmark = pytest.mark.torch

CHANNELS = 8
sizes = given(height=st.integers(1, 12), width=st.integers(1, 140), seed=st.integers(0, 99))


def image_and_given(height: int, width: int, channels: int, seed: int) -> tuple[Floats, Floats]:
    """Return a noisy small frame and random outputs of the network for it."""
    rng = np.random.default_rng(seed)
    return rng.random((3, height, width), np.float32), rng.random((channels, height, width), np.float32)


def run(weights: FilterWeights, image: Floats, values: Floats) -> list[Floats]:
    """Return slope, offset and coarse alpha, computed in two strips."""
    height, width = image.shape[1:]
    outputs = tuple(np.full((planes, height, width), np.nan, np.float32) for planes in (4, 4, 1))
    with closing(Strips(2)) as strips:
        strips.filter(weights, values, image, outputs)  # type: ignore[arg-type]
    return list(outputs)


def assert_close(found: list[Floats], image: Floats, slope: torch.Tensor, offset: torch.Tensor, alpha: Floats) -> None:
    """Assert that the matte of the small frame is equal and the slopes are close."""
    guide = np.concatenate([image, image.mean(0, keepdims=True)])
    wanted_slope, wanted_offset = slope[0].numpy(), offset[0].numpy()
    scale = max(1.0, float(np.abs(wanted_slope).max()))
    # A covariance is the difference of two nearly equal numbers: rounding depends on the order of summation.
    np.testing.assert_allclose(found[0], wanted_slope, atol=3e-3 * scale)
    matte, wanted = found[0] * guide + found[1], wanted_slope * guide + wanted_offset
    np.testing.assert_allclose(matte, wanted, atol=1e-4 * scale)
    np.testing.assert_allclose(found[2][0], np.clip(alpha, 0, 1), atol=1e-5)


@settings(max_examples=25, deadline=None)
@sizes
def test_the_learned_filter_is_that_of_rvm(height: int, width: int, seed: int) -> None:
    image, hidden = image_and_given(height, width, CHANNELS, seed)
    torch.manual_seed(seed)
    reference = DeepGuidedFilter(CHANNELS).eval()
    project = nn.Conv2d(CHANNELS, 4, 1)
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

    assert_close(run(guided, image, hidden), image, slope, offset, matte[0, 3].numpy())


@pytest.mark.parametrize("within", [False, True], ids=["rvm", "mattecam"])
@settings(max_examples=25, deadline=None)
@sizes
def test_the_fast_filter_is_that_of_the_networks(within: bool, height: int, width: int, seed: int) -> None:
    image, matte = image_and_given(height, width, 4, seed)
    with torch.inference_mode():
        small, values = torch.from_numpy(image)[None], torch.from_numpy(matte)[None]
        slope, offset = explained(small, values) if within else FastGuidedFilter(4)(small, values, values)
    guided = FastFilterWeights(1e-4 if within else EPS, within)

    assert_close(run(guided, image, matte), image, slope, offset, matte[3])


def joined(convolution: nn.Conv2d) -> Floats:
    """Return the weights (M, N + 1) of a 1x1 convolution; the last column is the bias, or zero without one."""
    weights = convolution.weight.detach()[:, :, 0, 0]
    bias = torch.zeros(len(weights)) if convolution.bias is None else convolution.bias.detach()
    return np.ascontiguousarray(torch.cat([weights, bias[:, None]], 1).numpy())
