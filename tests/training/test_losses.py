"""Losses compared with values of the published implementation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from tests.golden.fill import image
from tests.paths import GOLDEN
from training.losses import coherence_loss, highest, laplacian_loss, matting_losses, segmentation_loss, undecided_loss


def _clip(seed: int) -> Tensor:
    return torch.from_numpy(np.stack([image(128, 160, seed, t) for t in range(4)])[None])


@pytest.fixture(scope="module")
def golden() -> dict[str, float]:
    with np.load(GOLDEN / "rvm_losses.npz") as file:
        return {name: float(file[name]) for name in file}


def test_matting_losses_match_the_golden_values(golden: dict[str, float]) -> None:
    true_pha = (_clip(13)[:, :, :1] - 0.3).clamp(0, 1)
    losses = matting_losses(_clip(10), _clip(11)[:, :, :1], _clip(12), true_pha)
    for name in ("pha_l1", "pha_laplacian", "pha_coherence", "fgr_l1", "fgr_coherence", "total"):
        assert float(getattr(losses, name)) == pytest.approx(golden[name], abs=1e-5), name


def test_segmentation_loss_matches_the_golden_value(golden: dict[str, float]) -> None:
    target = (_clip(11)[:, :, :1] > 0.5).float()
    loss = segmentation_loss(4 * _clip(10)[:, :, :1] - 2, target)
    assert float(loss) == pytest.approx(golden["segmentation"], abs=1e-5)


def test_a_single_frame_has_no_coherence_to_lose() -> None:
    assert float(coherence_loss(torch.rand(2, 1, 1, 4, 4), torch.rand(2, 1, 1, 4, 4))) == 0


def test_the_pyramid_accepts_odd_sizes() -> None:
    loss = laplacian_loss(torch.rand(1, 1, 73, 129), torch.rand(1, 1, 73, 129), levels=4)
    assert 0 < float(loss) < 10


def test_indecision_costs_only_far_from_an_edge() -> None:
    true = torch.zeros(1, 1, 40, 60)
    true[..., 30:] = 1
    near, far = true.clone(), true.clone()
    near[..., 29:31] = 0.5
    far[..., :10] = 0.5
    assert undecided_loss(true, true, 4) == 0
    assert undecided_loss(near, true, 4) == 0
    assert undecided_loss(far, true, 4) > 0.1


@pytest.mark.parametrize("reach", [0, 1, 2, 3, 6, 7])
def test_the_highest_value_around_is_that_of_pooling(reach: int) -> None:
    image = torch.randn(2, 1, 17, 23)
    assert torch.equal(highest(image, reach), functional.max_pool2d(image, 2 * reach + 1, 1, reach))
