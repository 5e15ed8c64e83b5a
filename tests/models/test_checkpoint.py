"""Reading checkpoints: formats, containers of trainers, and files that are malicious, damaged or
of other programs.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.checkpoint import CONTAINERS, MAX_SHARED, WRAPPERS, load_state_dict
from models.errors import WeightsDamagedError, WeightsError, WeightsNotFoundError
from tests.fuzz.damage import damaged

# Published checkpoints use the format of TorchScript, which is deprecated.
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")]


class Block(nn.Module):
    """A small network with parameters, buffers, lists and unused parts."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.layers = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
        self.scale = 2.0
        self.absent: nn.Module | None = None
        self.register_buffer("mean", torch.arange(3.0).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layers(self.conv(x)) * self.scale
        return result


@pytest.fixture
def network() -> Block:
    torch.manual_seed(7)
    return Block().eval()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "weights.pth"


def save_script(network: nn.Module, path: Path) -> None:
    torch.jit.script(network).save(str(path))  # type: ignore[no-untyped-call]


def save_zip(network: nn.Module, path: Path) -> None:
    torch.save(network.state_dict(), path)


def save_legacy(network: nn.Module, path: Path) -> None:
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)


def save_safetensors(network: nn.Module, path: Path) -> None:
    save_file(network.state_dict(), path)


def save_trace(network: nn.Module, path: Path) -> None:
    example = torch.zeros(1, 3, 8, 8)
    torch.jit.trace(network, example).save(str(path))  # type: ignore[no-untyped-call]


SAVE: dict[str, Callable[[nn.Module, Path], None]] = {
    "zip": save_zip,
    "legacy": save_legacy,
    "safetensors": save_safetensors,
    "script": save_script,
    "trace": save_trace,
}


def check(path: Path, state: dict[str, Tensor]) -> None:
    """Assert that the file holds exactly these tensors."""
    torch.testing.assert_close(load_state_dict(path), state, rtol=0, atol=0)


def refuse(
    path: Path, words: str | None = None, kind: type[WeightsError] = WeightsDamagedError
) -> WeightsError:
    """Assert that the file is refused by its name, with these words; return the error."""
    with pytest.raises(kind, match=words) as caught:
        load_state_dict(path)
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize("kind", [*SAVE, "half", "transposed"])
def test_every_kind_comes_back_equal(network: Block, path: Path, kind: str) -> None:
    if kind == "half":
        network.half()
    if kind == "transposed":
        weight = network.conv.weight.detach().transpose(0, 3)
        network.conv.weight = nn.Parameter(weight.contiguous().transpose(0, 3))
    SAVE.get(kind, save_script)(network, path)
    check(path, network.state_dict())


class Bomb:
    """Creates a file in the current folder if it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, ("marker", "w")


OBJECTS: dict[str, object] = {
    "arguments": argparse.Namespace(learning_rate=0.1),
    "score": np.float64(0.5),
    "history": np.zeros(3),
    "folder": Path("runs"),
    "time": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "class": nn.Conv2d,
    "code": Bomb(),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_that_a_trainer_saves_beside_the_network_do_not_matter_and_run_no_code(
    network: Block, path: Path, kind: str
) -> None:
    torch.save({"model": network.state_dict(), kind: OBJECTS[kind]}, path)
    check(path, network.state_dict())

    assert not Path("marker").exists()


@pytest.mark.parametrize("kind", ["pickle", "zip", "legacy", "script"])
def test_no_code_in_a_file_runs(path: Path, kind: str) -> None:
    if kind == "script":
        save_tensors(path, {"a": Bomb()})
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    else:
        torch.save({"a": Bomb()}, path, _use_new_zipfile_serialization=kind != "legacy")
    refuse(path, "damaged or holds no weights")

    assert not Path("marker").exists()


@pytest.mark.parametrize(
    "content",
    [
        {}, {"a": 1}, [torch.zeros(1)], torch.zeros(2), {1: torch.zeros(1)}, {"model": {}}, {"model": 3},
        {"net": {"net": {"net": {"net": {}}}}},
    ],
)  # fmt: skip
def test_a_checkpoint_of_something_else(path: Path, content: object) -> None:
    torch.save(content, path)
    refuse(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", ["zip", "safetensors", "script"])
def test_values_that_are_not_finite_are_refused(
    network: Block, path: Path, kind: str, value: float
) -> None:
    network.get_buffer("layers.0.running_var")[1] = value
    SAVE[kind](network, path)
    refuse(path, "contains NaN or infinite values; replace it")


def test_weights_of_zeros_are_refused(network: Block, path: Path) -> None:
    state = network.state_dict()
    zeros = {name: torch.zeros_like(value) for name, value in state.items()}
    convolutions = {
        name: value for name, value in zeros.items() if value.ndim == 4 and name.endswith("weight")
    }
    for dead in (zeros, state | convolutions):
        save_file(dead, path)
        refuse(path, "are all zero; replace it")
    alive = state | {"conv.weight": zeros["conv.weight"]}
    save_file(alive, path)
    check(path, alive)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pth", tmp_path):
        refuse(path, "cannot be read", WeightsNotFoundError)


@pytest.mark.filterwarnings(
    "ignore::UserWarning:torch"
)  # torch warns about unexpected pickle versions
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors", "script"])
def test_damaged_files_are_named(path: Path, kind: str) -> None:
    SAVE[kind](nn.Conv2d(1, 1, 1), path)
    for content in damaged(path.read_bytes(), 100):
        path.write_bytes(content)
        try:
            tensors = load_state_dict(path)
        except WeightsError as error:
            assert str(path) in str(error)
        else:
            assert all(isinstance(tensor, Tensor) for tensor in tensors.values())


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in state.items()}


@pytest.mark.parametrize(
    "prefix", [*WRAPPERS, "module.model.", "_orig_mod.module.", "model._orig_mod.", "model.net."]
)
@pytest.mark.parametrize("safe", [False, True])
def test_prefixes_of_trainers_are_removed(
    prefix: str, safe: bool, network: Block, path: Path
) -> None:
    (save_file if safe else torch.save)(prefixed(network.state_dict(), prefix), path)
    check(path, network.state_dict())


@pytest.mark.parametrize("container", [*CONTAINERS, "nested"])
def test_containers_of_trainers_are_opened(container: str, network: Block, path: Path) -> None:
    saved: object = prefixed(network.state_dict(), "module.")
    if container == "nested":
        container = "model"
        saved = {"state_dict": saved, "config": {"size": 3}}
    other = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(other.parameters())
    other(torch.ones(2)).sum().backward()
    optimizer.step()
    beside = {
        "epoch": 3,
        "best": 0.5,
        "optimizer": optimizer.state_dict(),
        "scaler": {},
        "name": "rvm",
    }
    torch.save({**beside, container: saved}, path)
    check(path, network.state_dict())


def test_the_network_goes_before_its_average_and_other_networks(network: Block, path: Path) -> None:
    state = network.state_dict()
    other = {"conv.weight": torch.ones(1, 1, 1, 1)}
    for content in (
        {"ema": other, "discriminator": other, "model": state},
        prefixed(state, "model.") | prefixed(other, "criterion."),
    ):
        torch.save(content, path)
        check(path, state)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.onnx", b"anything", "format of ONNX, which is not supported"),
        ("a.pth", b"\x08\x08\x12\x07pytorch\x1a\x05", "format of ONNX, which is not supported"),
        ("a.tflite", b"\x1c\0\0\0TFL3", "no weights of PyTorch or safetensors"),
    ],
)
def test_files_of_other_programs_are_not_supported(
    name: str, content: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content + bytes(64))
    refuse(tmp_path / name, words)


class Tensors:
    """Pickles as a tensor of any size over a storage of four floats."""

    def __init__(self, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.size = size
        self.stride = stride

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, (storage, offset, _, _, *others) = torch.ones(4).__reduce_ex__(2)  # type: ignore[no-untyped-call]
        return rebuild, (storage, offset, self.size, self.stride, *others)


class ScriptModule:
    """Pickles as a module of a TorchScript archive."""

    __module__ = "__torch__"
    __qualname__ = "ScriptModule"


def save_tensors(path: Path, tensors: Mapping[str, object]) -> None:
    """Write a TorchScript archive whose tensors refer to their storages one by one, as those of
    torch do not.
    """
    module = ScriptModule()
    vars(module).update(tensors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__torch__", SimpleNamespace(ScriptModule=ScriptModule))
        torch.save(module, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{path.stem}/constants.pkl", b"")


def test_a_small_file_cannot_ask_for_much_memory(path: Path) -> None:
    save_tensors(path, {"weight": Tensors((2, 2), (2, 1))})
    check(path, {"weight": torch.ones(2, 2)})
    much = ((1 << 16, 1 << 8), (0, 0)), ((1 << 40,), (0,)), ((8,), (0,))
    for size, stride in (*much, ((5,), (1,)), ((-5,), (1,)), ((2, 2), (-1, 1)), ((4,), (9,))):
        save_tensors(path, {"weight": Tensors(size, stride)})
        refuse(path)


@pytest.mark.parametrize("kind", ["script", "zip"])
def test_the_sizes_in_an_archive_are_added_up_before_it_is_read(
    path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    SAVE[kind](nn.BatchNorm2d(1 << 20), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert path.stat().st_size < 1 << 16
    for reader in ("torch.load", "zipfile.ZipFile.read"):
        monkeypatch.setattr(reader, Mock(side_effect=AssertionError))
    assert "declares more than it holds" in str(refuse(path).__cause__)


def test_tensors_that_share_a_storage_take_its_memory_once_and_are_bounded(path: Path) -> None:
    values = torch.ones(1 << 16)
    shared = [(str(number), values[:]) for number in range(MAX_SHARED + 1)]
    save_tensors(path, dict(shared[:3]))
    assert (
        len({tensor.untyped_storage().data_ptr() for tensor in load_state_dict(path).values()}) == 1
    )
    save_tensors(path, dict(shared))
    refuse(path)
