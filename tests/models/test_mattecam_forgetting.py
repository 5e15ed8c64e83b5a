"""Memories are cleared where the picture changes, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.mattecam.network import MattecamNetwork
from models.mattecam.parts import Forgetting, Shares
from models.rules import ForgettingRule

pytestmark = pytest.mark.torch


def kept(before: Tensor, after: Tensor) -> Shares:
    """Return the shares kept at 1/4, 1/8 and 1/16 in the second of two frames."""
    forgetting = Forgetting()
    _, seen = forgetting(before, None, 1)
    shares: Shares | None = forgetting(after, seen, 1)[0]
    assert shares is not None
    return shares


def test_a_static_picture_keeps_every_memory() -> None:
    image = torch.rand(2, 3, 90, 160)

    assert all(torch.equal(share, torch.ones_like(share)) for share in kept(image, image))


def test_noise_and_slow_changes_of_light_keep_every_memory() -> None:
    image = 0.2 + 0.5 * torch.rand(1, 3, 90, 160)
    noisy = 1.1 * image + torch.randn(image.shape, generator=torch.Generator().manual_seed(0)) * 0.03

    assert min(float(share.min()) for share in kept(image, noisy)) > 0.9


def test_memories_go_where_the_picture_changes() -> None:
    before = torch.full((1, 3, 96, 160), 0.4)
    after = before.clone()
    after[..., 32:64, 64:112] += 2.5 * ForgettingRule().change

    for share, factor in zip(kept(before, after), (4, 8, 16), strict=True):
        assert share[..., 32 // factor : 64 // factor, 64 // factor : 112 // factor].max() == 0
        far = share.clone()
        far[..., 16 // factor : 80 // factor, 48 // factor : 128 // factor] = 1
        assert torch.equal(far, torch.ones_like(far))


@pytest.mark.parametrize("size", [(91, 161), (33, 50)])
def test_the_shares_fit_the_memories_of_any_size(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size)

    shapes = [share.shape[2:] for share in kept(image, image)]

    assert shapes == [memory.shape[2:] for memory in MattecamNetwork().initial_state(1, *size)[:3]]


@torch.no_grad()
def test_a_frame_that_shares_nothing_with_the_last_one_is_seen_afresh() -> None:
    torch.manual_seed(0)
    network = MattecamNetwork().eval()
    for memory in (network.memory2, network.memory3, network.memory4):
        torch.nn.init.normal_(memory.candidate.weight, std=0.1)
    dark, bright = 0.2 * torch.rand(1, 3, 48, 64), 0.7 + 0.2 * torch.rand(1, 3, 48, 64)
    _, r1, r2, r3, seen = network.undecided_matte(dark, None, None, None, None)

    def remembering(frame: Tensor) -> Tensor:
        return network.undecided_matte(frame, r1, r2, r3, seen)[0]

    def afresh(frame: Tensor) -> Tensor:
        return network.undecided_matte(frame, None, None, None, None)[0]

    assert torch.allclose(remembering(bright), afresh(bright), atol=1e-5)
    assert not torch.allclose(remembering(dark), afresh(dark), atol=1e-3)
