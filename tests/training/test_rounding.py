"""Exported weights lose nothing in bfloat16."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.mattecam.bundled import load_bundled
from models.mattecam.network import MattecamNetwork
from tests.golden.fill import fill
from training.rounding import round_weights


@pytest.fixture
def rounded() -> MattecamNetwork:
    network = MattecamNetwork(trunk=True).eval()
    network.load_state_dict(fill(network.state_dict()))
    round_weights(network)
    return network


def test_weights_that_an_executor_folds_are_exact_in_bfloat16(rounded: MattecamNetwork) -> None:
    for group in rounded.modules():
        if isinstance(group, nn.Sequential) and len(group) > 1 and isinstance(group[1], nn.BatchNorm2d):
            convolution = group[0]
            assert isinstance(convolution, nn.Conv2d)
            weight = fuse_conv_bn_eval(convolution, group[1]).weight
            torch.testing.assert_close(weight, weight.bfloat16().float(), rtol=1e-6, atol=0)
    assert torch.equal(rounded.project.weight, rounded.project.weight.bfloat16().float())


def test_rounding_twice_changes_nothing_more(rounded: MattecamNetwork) -> None:
    before = copy.deepcopy(rounded.state_dict())
    round_weights(rounded)
    for name, value in rounded.state_dict().items():
        assert torch.equal(value, before[name]), name


@torch.no_grad()
def test_outputs_hardly_change() -> None:
    network = load_bundled()
    frame = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    before = network.matte(frame)[0]
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_var is not None
            module.weight.mul_(2)
            module.running_var.mul_(4).add_(3 * module.eps)  # the same function, no longer folded
    round_weights(network)
    assert float((network.matte(frame)[0] - before).abs().mean()) < 1e-3


def test_a_normalization_without_a_convolution_is_refused() -> None:
    with pytest.raises(AssertionError, match="without a convolution"):
        round_weights(nn.Sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1)))
