"""The decision stage of the bundled network: which alphas it changes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from models.mattecam.network import MattecamNetwork
from models.mattecam.parts import Decision
from models.rules import DecisionRule

pytestmark = pytest.mark.torch

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


def test_a_certain_matte_is_unchanged() -> None:
    assert torch.equal(decided(person())[0], person())


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


def test_thin_parts_keep_their_alpha() -> None:
    alpha = torch.zeros(1, 1, *SIZE)
    alpha[..., 20:23] = 0.8  # a finger three pixels wide

    assert torch.equal(decided(alpha)[0][..., 20:23], alpha[..., 20:23])


def test_a_region_that_wavers_stays_as_it_was_decided() -> None:
    """Its alpha swings about 0.5 from frame to frame."""
    wavering = [torch.full((1, 1, *SIZE), 0.5 + 0.07 * math.sin(2.1 * t)) for t in range(20)]

    shown = decided(torch.full((1, 1, *SIZE), 0.9), *wavering)
    hidden = decided(torch.full((1, 1, *SIZE), 0.1), *wavering)

    assert all(result.min() > 0.7 for result in shown)
    assert all(result.max() < 0.5 for result in hidden)


def test_a_region_that_the_network_gives_up_is_gone_in_the_same_frame() -> None:
    results = decided(torch.full((1, 1, *SIZE), 0.9), torch.full((1, 1, *SIZE), 0.15))

    assert results[1].max() == 0


@torch.no_grad()
def test_the_network_starts_a_stream_undecided() -> None:
    network = MattecamNetwork().eval()

    *_, last = network.initial_state(2, 45, 80)

    assert last.shape == (2, 1, 45, 80) and not last.any()
