"""The bundled network: weights and outputs, the decision stage, and memories that are cleared where frames change."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from models.mattecam.bundled import export, load_bundled
from models.mattecam.network import MattecamNetwork
from models.mattecam.parts import Decision, Forgetting, Shares
from models.mattecam.spec import BUNDLED
from models.rules import DecisionRule, ForgettingRule
from tests.paths import GOLDEN
from training.export import expected_outputs, portrait

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def student() -> MattecamNetwork:
    return load_bundled()


def test_the_bundled_network_is_small_enough_to_ship(student: MattecamNetwork) -> None:
    assert sum(p.numel() for p in student.parameters()) <= 3_500_000
    assert BUNDLED.stat().st_size <= 7_000_000


def test_the_bundled_weights_give_the_expected_outputs(student: MattecamNetwork) -> None:
    with np.load(GOLDEN / "student.npz") as golden:
        outputs = expected_outputs(student)
        assert set(golden) == set(outputs)
        for name, value in outputs.items():
            np.testing.assert_allclose(value, golden[name], atol=1e-3, err_msg=name)


@torch.no_grad()
def test_the_coarse_alpha_is_the_one_before_the_decision(student: MattecamNetwork) -> None:
    """Strict mode tells people from ghosts by it."""
    image = portrait(0)
    undecided, *_ = student.undecided_matte(image)

    _, _, coarse, *_ = student.coefficients(image)

    assert torch.equal(coarse, undecided[:, 3:])
    assert not torch.equal(coarse, student.matte(image)[0][:, 3:])


def test_a_trunk_runs_in_float32_up_to_an_eighth() -> None:
    """Its first layers would cause most of the error in bfloat16."""
    network = MattecamNetwork(trunk=True).eval()
    assert network.trunk is not None
    beginning, rest, body = export(network).stages
    assert [stage.float32 for stage in (beginning, rest, body)] == [True, False, False]
    begun = beginning.module(torch.rand(1, 3, 45, 75))
    assert begun.shape == (1, 40, 6, 10) and rest.reads == ("begun",)
    assert [stage.name for stage in export(MattecamNetwork().eval()).stages] == ["body"]


def test_the_features_of_a_trunk_are_those_that_fit_the_next_frames() -> None:
    *trunk, body = export(MattecamNetwork(trunk=True).eval()).stages
    assert all(stage.steady for stage in trunk) and not body.steady
    assert set(body.reads) & {name for stage in trunk for name in stage.writes} == {"deep"}


SIZE = 60, 80
EDGE = 30
"""First column of the background in `person`."""
REACH = 2 * (DecisionRule().band + DecisionRule().ramp)
"""Ghosts may remain so near to the contour."""


def person(value: float = 1.0) -> Tensor:
    """Return an alpha whose left columns are a person with a soft edge."""
    column = torch.arange(SIZE[1], dtype=torch.float32)
    return (value * ((EDGE - column) / 4 + 0.5).clamp(0, 1)).expand(1, 1, *SIZE).clone()


def decided(*alphas: Tensor) -> list[Tensor]:
    """Return the alphas of a stream after the decision stage."""
    decision, last, results = Decision(), torch.zeros_like(alphas[0]), []
    for alpha in alphas:
        result, last = decision(alpha, last)
        results.append(result)
    return results


@pytest.mark.parametrize("ghost", [0.15, 0.3])
def test_a_faint_region_away_from_the_person_becomes_background(ghost: float) -> None:
    alpha = torch.maximum(person(), torch.full((1, 1, *SIZE), ghost))

    result = decided(alpha)[0]

    assert result[..., EDGE + REACH :].max() == 0
    assert torch.equal(result[..., :EDGE], alpha[..., :EDGE])


@pytest.mark.parametrize("ghost", [0.7, 0.85])
def test_a_person_with_holes_becomes_opaque(ghost: float) -> None:
    result = decided(person(ghost))[0]

    assert result[..., : EDGE - REACH].min() == 1


def test_the_band_along_the_contour_keeps_its_alpha() -> None:
    """Hair and motion blur reach some pixels beyond the contour."""
    alpha = person()
    alpha[..., EDGE : EDGE + 3] = 0.3

    assert torch.equal(decided(alpha)[0], alpha)


def test_a_region_that_wavers_stays_as_it_was_decided() -> None:
    """Its alpha swings about 0.5 from frame to frame."""
    wavering = [torch.full((1, 1, *SIZE), 0.5 + 0.07 * math.sin(2.1 * t)) for t in range(20)]

    shown = decided(torch.full((1, 1, *SIZE), 0.9), *wavering)
    hidden = decided(torch.full((1, 1, *SIZE), 0.1), *wavering)

    assert all(result.min() > 0.7 for result in shown)
    assert all(result.max() < 0.5 for result in hidden)


def shares_kept(before: Tensor, after: Tensor) -> Shares:
    """Return the shares kept at 1/4, 1/8 and 1/16 in the second of two frames."""
    forgetting = Forgetting()
    _, seen = forgetting(before, None, 1)
    shares: Shares | None = forgetting(after, seen, 1)[0]
    assert shares is not None
    return shares


def test_noise_and_slow_changes_of_light_keep_every_memory() -> None:
    image = 0.2 + 0.5 * torch.rand(1, 3, 90, 160)
    noisy = 1.1 * image + torch.randn(image.shape, generator=torch.Generator().manual_seed(0)) * 0.03

    assert min(float(share.min()) for share in shares_kept(image, noisy)) > 0.9


def test_memories_go_where_the_picture_changes() -> None:
    before = torch.full((1, 3, 96, 160), 0.4)
    after = before.clone()
    after[..., 32:64, 64:112] += 2.5 * ForgettingRule().change

    for share, factor in zip(shares_kept(before, after), (4, 8, 16), strict=True):
        assert share[..., 32 // factor : 64 // factor, 64 // factor : 112 // factor].max() == 0
        far = share.clone()
        far[..., 16 // factor : 80 // factor, 48 // factor : 128 // factor] = 1
        assert torch.equal(far, torch.ones_like(far))
