"""The bundled network: weights, outputs, and the same call signature as RVM."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.mattecam.bundled import export, load_bundled
from models.mattecam.network import MattecamNetwork
from models.mattecam.spec import BUNDLED
from tests.paths import GOLDEN
from training.export import expected_outputs, pattern

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def student() -> MattecamNetwork:
    return load_bundled()


@pytest.fixture
def lively() -> MattecamNetwork:
    """Return a network with random weights, whose output depends on its recurrent state."""
    torch.manual_seed(0)
    network = MattecamNetwork().eval()
    for memory in (network.memory2, network.memory3, network.memory4):
        torch.nn.init.normal_(memory.gates.weight, std=0.1)
        torch.nn.init.normal_(memory.candidate.weight, std=0.1)
    return network


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
@pytest.mark.parametrize("size", [(144, 256), (192, 256), (91, 161), (33, 50)])
def test_any_size_will_do(lively: MattecamNetwork, size: tuple[int, int]) -> None:
    image = torch.rand(2, 3, *size)
    state = lively.initial_state(2, *size)
    slope, offset, alpha, *after = lively.coefficients(image, *state)
    assert slope.shape == offset.shape == (2, 4, *size) and alpha.shape == (2, 1, *size)
    assert [x.shape for x in after] == [x.shape for x in state]
    assert len(state) == MattecamNetwork.state_count
    fgr, pha = lively.apply_coefficients(torch.rand(2, 3, 2 * size[0], 2 * size[1]), slope, offset)
    assert fgr.shape == (2, 3, 2 * size[0], 2 * size[1]) and pha.shape == (2, 1, 2 * size[0], 2 * size[1])
    assert float(pha.min()) >= 0 and float(pha.max()) <= 1 and float(fgr.min()) >= 0 and float(fgr.max()) <= 1


@torch.no_grad()
def test_a_clip_in_one_call_is_its_frames_one_by_one(lively: MattecamNetwork) -> None:
    clip = torch.rand(2, 3, 3, 48, 64)
    fgr, pha, *state = lively(clip)
    step: tuple[torch.Tensor, ...] = lively.initial_state(2, 48, 64)
    for t in range(3):
        fgr_t, pha_t, *rest = lively(clip[:, t], *step)
        step = tuple(rest)
        assert torch.allclose(fgr[:, t], fgr_t, atol=1e-5) and torch.allclose(pha[:, t], pha_t, atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(state, step, strict=True))


@torch.no_grad()
def test_no_state_is_a_state_of_zeros(lively: MattecamNetwork) -> None:
    image = torch.rand(1, 3, 48, 64)
    for without, zeros in zip(lively(image), lively(image, *lively.initial_state(1, 48, 64)), strict=True):
        assert torch.allclose(without, zeros, atol=1e-5)


@torch.no_grad()
def test_a_ratio_is_its_two_stages(lively: MattecamNetwork) -> None:
    image = torch.rand(1, 3, 96, 128)
    fgr, pha, *_ = lively(image, downsample_ratio=0.5)
    small = torch.nn.functional.interpolate(image, scale_factor=0.5, mode="bilinear", recompute_scale_factor=False)
    slope, offset, *_ = lively.coefficients(small)
    for one, two in zip((fgr, pha), lively.apply_coefficients(image, slope, offset), strict=True):
        assert torch.equal(one, two)
    assert fgr.shape == (1, 3, 96, 128) and pha.shape == (1, 1, 96, 128)


@torch.no_grad()
def test_the_memory_changes_what_comes_next(lively: MattecamNetwork) -> None:
    first = torch.rand(1, 3, 48, 64)
    second = (first + 0.1 * torch.rand(first.shape)).clamp(0, 1)
    _, _, *state = lively(first)
    assert not torch.allclose(lively(second, *state)[1], lively(second)[1], atol=1e-4)


@torch.no_grad()
def test_the_coarse_alpha_is_the_one_before_the_decision(student: MattecamNetwork) -> None:
    """Strict mode tells people from ghosts by it."""
    image = pattern(0)
    undecided, *_ = student.undecided_matte(image, None, None, None, None)

    _, _, coarse, *_ = student.coefficients(image)

    assert torch.equal(coarse, undecided[:, 3:])
    assert not torch.equal(coarse, student.matte(image)[0][:, 3:])


def test_a_trunk_runs_in_float32_up_to_an_eighth() -> None:
    """Its first layers would cause most of the error in bfloat16."""
    network = MattecamNetwork(trunk=True).eval()
    assert network.trunk is not None
    beginning, body = export(network).stages
    assert beginning.float32 and not body.float32
    begun = beginning.module(torch.rand(1, 3, 45, 75))
    assert begun.shape == (1, 40, 6, 10) and "begun" in body.reads
    assert [stage.name for stage in export(MattecamNetwork().eval()).stages] == ["body"]
