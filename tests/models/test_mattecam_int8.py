"""The int8 version of the bundled network: it belongs to the shipped weights, and simulation and file agree."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.int8 import SOURCE, find_int8, int8_file
from models.mattecam.bundled import load, load_bundled, save
from models.mattecam.network import MattecamNetwork
from models.mattecam.quantized import load_quantized, quantized, save_quantized
from models.mattecam.spec import BUNDLED
from models.quantization import PAIR_LIMIT, SIGNED, UNSIGNED, Quantizer
from models.weights import sha256_of
from tests.golden.fill import fill
from tests.models.pairs import largest_pair
from tests.paths import GOLDEN
from training.export import expected_outputs

pytestmark = pytest.mark.torch


@pytest.fixture
def random_int8() -> MattecamNetwork:
    """Return a network with generated weights, in int8."""
    network = MattecamNetwork().eval()
    network.load_state_dict(fill(network.state_dict()))
    student = quantized(network)
    for module in student.modules():
        if isinstance(module, Quantizer):
            module.scale.fill_(4 / module.limits[1])
    return student.eval()


def test_the_int8_version_was_made_of_the_bundled_weights() -> None:
    assert find_int8(BUNDLED) == int8_file(BUNDLED), "run `python -m training.quantize` for the new weights"


def test_the_int8_version_is_small() -> None:
    assert int8_file(BUNDLED).stat().st_size <= 4_000_000


def test_the_int8_version_gives_nearly_the_expected_outputs() -> None:
    outputs = expected_outputs(load(int8_file(BUNDLED)))
    with np.load(GOLDEN / "student.npz") as golden:
        for name in ("r1", "r2", "r3"):
            difference = np.abs(outputs[name] - golden[name]).mean()
            assert 0 < difference < 0.1 * golden[name].std(), name


def test_changed_weights_have_no_int8_version(tmp_path: Path) -> None:
    weights = Path(shutil.copy(BUNDLED, tmp_path))
    assert find_int8(weights) is None
    shutil.copy(int8_file(BUNDLED), int8_file(weights))
    assert find_int8(weights) == int8_file(weights)
    network = load_bundled()
    torch.nn.init.zeros_(network.memory2.gates.weight)
    save(network, weights)
    assert find_int8(weights) is None


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\xff" * 64])
def test_a_damaged_file_is_no_int8_version(tmp_path: Path, content: bytes) -> None:
    weights = Path(shutil.copy(BUNDLED, tmp_path))
    int8_file(weights).write_bytes(content)
    assert find_int8(weights) is None


@torch.no_grad()
def test_a_saved_network_gives_the_same_outputs(random_int8: MattecamNetwork, tmp_path: Path) -> None:
    save_quantized(random_int8, tmp_path / "int8.safetensors", {SOURCE: sha256_of(BUNDLED)})
    loaded = load(tmp_path / "int8.safetensors")
    image = torch.rand(1, 3, 48, 64)
    for before, after in zip(random_int8(image), loaded(image), strict=True):
        assert before.std() > 0
        torch.testing.assert_close(before, after, rtol=1e-3, atol=1e-3)


def test_all_but_the_first_convolutions_and_the_gate_by_context_are_int8() -> None:
    tensors = load_file(int8_file(BUNDLED))
    weights = {name: tensor.dtype for name, tensor in tensors.items() if tensor.ndim == 4}
    exact = {name for name, dtype in weights.items() if dtype != torch.int8}
    assert exact == {"detail1.0.weight", "encode1.0.weight", "trunk.encoder.stem.0.weight", "reduce1.0.weight"}
    assert any(name.startswith("memory2.gates") for name in weights)


@torch.no_grad()
def test_a_quantizer_takes_256_values() -> None:
    for limits in (SIGNED, UNSIGNED):
        rounded = Quantizer(limits).eval()(torch.linspace(-500, 500, 4001))
        assert rounded.unique().tolist() == list(range(limits[0], limits[1] + 1))


def test_no_pair_of_shipped_weights_can_overflow() -> None:
    """Without VNNI, OpenVINO adds the products of two neighbouring input channels in 16 bits."""
    weights = [x for x in load_file(int8_file(BUNDLED)).values() if x.dtype == torch.int8 and x.shape[1] > 1]
    assert weights
    for weight in weights:
        assert largest_pair(weight) <= PAIR_LIMIT


def test_a_file_without_scales_is_refused(random_int8: MattecamNetwork) -> None:
    tensors = {name: value.detach() for name, value in random_int8.state_dict().items()}
    name = "project.1.weight"
    tensors[name] = tensors[name].to(torch.int8)
    del tensors["project.1.scale"]
    with pytest.raises(RuntimeError, match="no scales"):
        load_quantized(tensors)
