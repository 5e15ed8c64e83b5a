"""Checkpoints as trainers write them: containers, prefixes, and files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.checkpoint import CONTAINERS, WRAPPERS, load_state_dict
from models.faults import WeightsFault
from models.table import NETWORKS
from models.weights import WeightsDamagedError, on_hand

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(3)
    return {"conv.weight": torch.randn(4, 3, 3, 3), "norm.weight": torch.randn(4), "norm.count": torch.tensor(7)}


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in state.items()}


def trainer(state: object, name: str) -> dict[str, Any]:
    """Return a checkpoint with what trainers keep beside the network."""
    other = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(other.parameters())
    other(torch.ones(2)).sum().backward()
    optimizer.step()
    return {"epoch": 3, "best": 0.5, "optimizer": optimizer.state_dict(), "scaler": {}, "name": "rvm", name: state}


def check(path: Path, state: dict[str, Tensor]) -> None:
    found = load_state_dict(path)
    assert found.keys() == state.keys() and all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize("prefix", [*WRAPPERS, "module.model.", "_orig_mod.module.", "model._orig_mod.", "model.net."])
@pytest.mark.parametrize("safe", [False, True])
def test_prefixes_of_trainers_are_removed(prefix: str, safe: bool, state: dict[str, Tensor], tmp_path: Path) -> None:
    save = save_file if safe else torch.save
    save(prefixed(state, prefix), tmp_path / "a.pth")
    check(tmp_path / "a.pth", state)


@pytest.mark.parametrize("container", CONTAINERS)
def test_containers_of_trainers_are_opened(container: str, state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(trainer(prefixed(state, "module."), container), tmp_path / "a.pth")
    check(tmp_path / "a.pth", state)


def test_nested_containers_are_opened(state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(trainer({"state_dict": prefixed(state, "model."), "config": {"size": 3}}, "model"), tmp_path / "a.pth")
    check(tmp_path / "a.pth", state)


def test_the_network_goes_before_its_average_and_other_networks(state: dict[str, Tensor], tmp_path: Path) -> None:
    other = {"conv.weight": torch.ones(1, 1, 1, 1)}
    torch.save({"ema": other, "discriminator": other, "model": state}, tmp_path / "a.pth")
    check(tmp_path / "a.pth", state)
    torch.save(prefixed(state, "model.") | prefixed(other, "criterion."), tmp_path / "b.pth")
    check(tmp_path / "b.pth", state)


@pytest.mark.parametrize("content", [{"epoch": 3}, {"model": {}}, {"net": {"net": {"net": {"net": {}}}}}, {"model": 3}])
def test_a_checkpoint_without_weights_is_refused(content: dict[str, Any], tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(WeightsDamagedError) as raised:
        load_state_dict(tmp_path / "a.pth")
    assert raised.value.fault is WeightsFault.DAMAGED


@pytest.mark.parametrize(
    ("name", "content", "format_name"),
    [
        ("a.onnx", b"anything", "ONNX"),
        ("a.pth", b"\x08\x08\x12\x07pytorch\x1a\x05", "ONNX"),
        ("a.tflite", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        ("a.bin", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        ("a.pth", b"\x89HDF\r\n\x1a\n", "Keras"),
        ("a.gguf", b"GGUF\x03", "GGUF"),
    ],
)
def test_files_of_other_programs_are_not_supported(name: str, content: bytes, format_name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content + bytes(64))
    with pytest.raises(WeightsDamagedError, match=f"format of {format_name}, which is not supported") as raised:
        load_state_dict(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


@pytest.mark.parametrize("fault", WeightsFault)
def test_no_sentence_advises_to_remove_a_file(fault: WeightsFault) -> None:
    assert not any(word in fault.value for word in ("remove it", "delete it", "remove the", "delete the"))


@pytest.mark.parametrize("name", NETWORKS)
def test_no_network_has_a_part_named_as_a_wrapper(name: str) -> None:
    path = on_hand(name)
    if path is None:
        pytest.skip("the weights are not installed")
    tensors = load_state_dict(path)
    assert not any(each.startswith(WRAPPERS) for each in tensors)
    assert len({each.split(".")[0] for each in tensors}) > 1
