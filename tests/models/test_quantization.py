"""Rounding of weights to 8 bits: least error, and no sum of two products beyond 16 bits."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from app.matting.openvino.runtime import core, ov
from models.quantization import (
    PAIR_LIMIT,
    SIGNED,
    UNSIGNED,
    WEIGHT_LIMIT,
    Limits,
    QuantizedConv,
    Quantizer,
    best_scales,
    round_weights,
    rounded,
)
from tests.models.pairs import largest_pair

pytestmark = pytest.mark.torch
LIMITS = (-WEIGHT_LIMIT, WEIGHT_LIMIT)


@given(arrays(np.float32, (3, 8), elements=st.floats(-10, 10, width=32)))
def test_pairs_of_weights_stay_within_the_limit_at_little_cost(values: np.ndarray) -> None:
    weights = torch.from_numpy(values)
    scale = best_scales(weights, LIMITS, paired=True)
    made = rounded(weights, scale, LIMITS, paired=True)
    steps = (made / scale[:, None]).round()
    assert float(steps.abs().max()) <= WEIGHT_LIMIT
    assert largest_pair(steps[..., None, None]) <= PAIR_LIMIT
    assert torch.equal(made.sign() * weights.sign(), made.abs().sign()), "no weight changes its sign"
    largest = weights.abs().amax(1, keepdim=True).clamp_min(1e-8)
    halved = rounded(weights, 2 * largest[:, 0] / WEIGHT_LIMIT, LIMITS, paired=False)
    error, plain = ((x - weights).square().mean(1) for x in (made, halved))
    assert bool((error <= plain).all()), "weights of 7 bits also stay within the limit"


@torch.no_grad()
def test_rounded_weights_are_rounded_to_themselves() -> None:
    torch.manual_seed(0)
    convolution = QuantizedConv(nn.Conv2d(7, 16, 3, padding=1))
    before = convolution.weight.clone()
    network = nn.Sequential(Quantizer(), convolution)
    round_weights(network)
    steps = convolution.weight / convolution.scale[:, None, None, None]
    torch.testing.assert_close(steps, steps.round(), rtol=0, atol=1e-3)
    assert largest_pair(steps.round()) <= PAIR_LIMIT
    assert 0 < float((convolution.weight - before).abs().max()) < 0.05 * float(before.abs().max())
    image = torch.rand(1, 7, 8, 8)
    torch.testing.assert_close(convolution(image), convolution.convolve(image, convolution.weight))


@torch.no_grad()
@pytest.mark.parametrize("limits", [UNSIGNED, SIGNED])
@pytest.mark.parametrize("kernel", [1, 3])
def test_openvino_computes_what_the_simulation_computes_with_the_largest_weights(limits: Limits, kernel: int) -> None:
    """Processors without VNNI add two products in 16 bits: results were off by a sixth on average."""
    torch.manual_seed(0)
    convolution = nn.Conv2d(32, 32, kernel, padding=kernel // 2)
    convolution.weight.copy_(torch.rand_like(convolution.weight))
    quantizer = Quantizer(limits)
    quantizer.scale.fill_(1 / limits[1])
    network = nn.Sequential(quantizer, QuantizedConv(convolution)).eval()
    round_weights(network)
    image = torch.rand(1, 32, 24, 40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about constants and old ways of torch
        converted = ov.convert_model(network, example_input=image, input=[tuple(image.shape)])
    compiled = core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    torch.testing.assert_close(torch.from_numpy(compiled(image.numpy())[0]), network(image), rtol=1e-3, atol=1e-3)
