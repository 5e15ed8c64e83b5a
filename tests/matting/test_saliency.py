"""U2-Net's engine: preprocessing and postprocessing of the network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from app.core.errors import ModelError
from app.matting.torch.core import Core
from app.matting.torch.networks import load_core
from models.u2net.saliency import HOLD, STILL, U2Net, blur_fusion, steadied
from tests.golden.fill import fill

pytestmark = pytest.mark.torch


def nothing_seen() -> torch.Tensor:
    """Return the state before the first frame."""
    return torch.zeros(1, 4, 12, 16)


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_the_first_mask_is_taken_as_it_is(grey: float) -> None:
    mask = torch.rand(1, 1, 12, 16)
    state = steadied(torch.full((1, 3, 12, 16), grey), mask, nothing_seen())
    assert torch.equal(state[:, 3:], mask)


def test_the_mask_is_held_where_nothing_moves_alone() -> None:
    image = torch.full((1, 3, 12, 16), 0.3)
    state = steadied(image, torch.zeros(1, 1, 12, 16), nothing_seen())
    moved = image.clone()
    moved[..., 8:] += 10 * STILL

    after = steadied(moved, torch.ones(1, 1, 12, 16), state)[:, 3:]

    torch.testing.assert_close(after[..., :6], torch.full((1, 1, 12, 6), 1 - HOLD))
    assert (after[..., 8:] == 1).all()


def test_edges_get_the_persons_colours() -> None:
    """Colours mixed at the soft edge of a red person before a green wall are separated."""
    alpha = torch.linspace(-2, 3, 80).clamp(0, 1).expand(1, 1, 40, 80)
    red, green = (torch.tensor(c).view(1, 3, 1, 1) for c in ([0.9, 0.1, 0.1], [0.1, 0.8, 0.1]))
    image = alpha * red + (1 - alpha) * green

    person = blur_fusion(image, alpha)

    left, before = (float((alpha * (colours - red)).abs().max()) for colours in (person, image))
    assert before > 0.19
    assert left < 0.08


@pytest.mark.parametrize("model", ["u2net", "u2net-human-seg", "bgmv2-mobilenetv2"])
def test_weights_of_another_network_are_refused(weights: dict[str, Path], model: str) -> None:
    with pytest.raises(ModelError, match=rf"u2netp\.pth does not contain weights of {model}"):
        load_core(model, weights["u2netp"], "auto", 0.5, "cpu", "float32")


def test_half_precision_leaves_the_matte_a_matte() -> None:
    """Only the network runs in half precision; pre- and postprocessing run in float32."""
    network = U2Net(small=True)
    network.load_state_dict(fill(network.state_dict()))
    small = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        exact = Core(network.eval())
        state = exact.initial_state(48, 64)
        slope, offset, mask, _ = exact(small, *state)
        half = Core(network.bfloat16())
        rough_slope, rough_offset, rough, after = half(small.bfloat16(), *state)
    assert (mask - rough).abs().max() < 0.05
    assert rough_slope.dtype == rough_offset.dtype == after.dtype == torch.float32
    assert offset.shape == slope.shape == (1, 4, 48, 64)
