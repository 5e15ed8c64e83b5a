"""The optimizer: orthogonal steps, one rate, resumable state."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from training.optimizer import Optimizer, orthogonal


@pytest.mark.parametrize("shape", [(2, 16, 144), (1, 40, 96), (3, 72, 24)])
def test_every_direction_counts_alike(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonal(1e-3 * matrices))
    assert values.min() > 0.5 and values.max() < 1.3


def test_the_singular_vectors_stay() -> None:
    matrix = torch.randn(1, 24, 40, generator=torch.Generator().manual_seed(2))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.mT @ orthogonal(matrix) @ v.mT
    off = turned - torch.diag_embed(turned.diagonal(dim1=1, dim2=2))
    assert off.abs().max() < 1e-3


def _network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 1, 1))


def _steps(network: nn.Module, optimizer: Optimizer, count: int) -> list[float]:
    images = torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(4))
    wanted = images.mean(1, keepdim=True)[..., 1:-1, 1:-1]
    losses = []
    for _ in range(count):
        loss = nn.functional.mse_loss(network(images), wanted)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def test_kernels_and_the_rest_both_learn() -> None:
    network = _network()
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    losses = _steps(network, Optimizer(network.parameters(), 0.01), 30)
    assert losses[-1] < losses[0] / 3
    assert all((value != before[name]).any() for name, value in network.named_parameters() if name != "0.bias")


def test_without_a_rate_nothing_moves() -> None:
    network = _network()
    optimizer = Optimizer(network.parameters(), 0.01)
    optimizer.set_rate(0.0)
    before = [value.detach().clone() for value in network.parameters()]
    _steps(network, optimizer, 2)
    assert all((now == old).all() for now, old in zip(network.parameters(), before, strict=True))


def test_a_resumed_run_goes_the_same_way() -> None:
    network = _network()
    optimizer = Optimizer(network.parameters(), 0.01)
    _steps(network, optimizer, 3)
    again = _network()
    again.load_state_dict(network.state_dict())
    resumed = Optimizer(again.parameters(), 0.01)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert _steps(again, resumed, 3) == pytest.approx(_steps(network, optimizer, 3), rel=1e-5)
