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
