"""Reading checkpoints: the three formats give equal tensors; malicious or damaged files are rejected."""

from __future__ import annotations

import argparse
import pickle
import warnings
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from models.checkpoint import load_state_dict
from models.weights import WeightsDamagedError, WeightsError, WeightsNotFoundError

pytestmark = pytest.mark.torch


class Block(nn.Module):
    """A small network with parameters, buffers, lists and unused parts."""

    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, bias=False)
        self.layers = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, 2, 1))
        self.scale = 2.0
        self.absent: nn.Module | None = None
        self.register_buffer("mean", torch.arange(3.0).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layers(self.conv(x)) * self.scale
        return result


@pytest.fixture(scope="module")
def network() -> Block:
    torch.manual_seed(7)
    return Block().eval()


def save_torchscript(network: nn.Module, path: Path, *, trace: bool = False) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # published checkpoints use this deprecated format
        if trace:
            torch.jit.trace(network, torch.zeros(1, 3, 8, 8)).save(str(path))  # type: ignore[no-untyped-call]
        else:
            torch.jit.script(network).save(str(path))  # type: ignore[no-untyped-call]


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("kind", ["zip", "legacy", "nested", "safetensors", "script", "trace", "half"])
def test_every_kind_comes_back_equal(network: Block, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "weights"
    expected = network.state_dict()
    if kind == "safetensors":
        save_file(expected, path)
    elif kind in {"script", "trace"}:
        save_torchscript(network, path, trace=kind == "trace")
    elif kind == "half":
        halved = Block().half()
        expected = halved.state_dict()
        save_torchscript(halved, path)
    else:
        content = {"state_dict": expected, "epoch": 3} if kind == "nested" else expected
        torch.save(content, path, _use_new_zipfile_serialization=kind != "legacy")
    assert same(load_state_dict(path), expected)


def test_transposed_and_shared_storage_in_torchscript(tmp_path: Path) -> None:
    block = Block()
    block.conv.weight = nn.Parameter(block.conv.weight.detach().transpose(0, 3).contiguous().transpose(0, 3))
    path = tmp_path / "weights"
    save_torchscript(block, path)
    assert same(load_state_dict(path), block.state_dict())


OBJECTS: dict[str, object] = {
    "arguments": argparse.Namespace(learning_rate=0.1),
    "score": np.float64(0.5),
    "history": np.zeros(3),
    "folder": Path("runs"),
    "time": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "class": nn.Conv2d,
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_that_a_trainer_saves_beside_the_network_do_not_matter(
    network: Block, tmp_path: Path, kind: str
) -> None:
    torch.save({"model": network.state_dict(), kind: OBJECTS[kind]}, tmp_path / "weights.pth")
    assert same(load_state_dict(tmp_path / "weights.pth"), network.state_dict())


def test_no_code_beside_the_network_runs(network: Block, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    torch.save({"model": network.state_dict(), "other": Bomb(marker)}, tmp_path / "weights.pth")
    assert same(load_state_dict(tmp_path / "weights.pth"), network.state_dict())
    assert not marker.exists()


class Bomb:
    """Creates a file if it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.marker), "w")


@pytest.mark.parametrize("kind", ["pickle", "checkpoint", "legacy", "torchscript"])
def test_no_code_in_a_file_runs(tmp_path: Path, kind: str) -> None:
    marker = tmp_path / "marker"
    path = tmp_path / "weights.pth"
    if kind == "torchscript":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x/data.pkl", pickle.dumps(Bomb(marker)))
            archive.writestr("x/constants.pkl", b"")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(Bomb(marker)))
    else:
        torch.save({"a": Bomb(marker)}, path, _use_new_zipfile_serialization=kind != "legacy")
    with pytest.raises(WeightsDamagedError, match="damaged or holds no weights"):
        load_state_dict(path)
    assert not marker.exists()


@pytest.mark.parametrize("content", [{}, {"a": 1}, [torch.zeros(1)], torch.zeros(2), {1: torch.zeros(1)}])
def test_a_checkpoint_of_something_else(tmp_path: Path, content: object) -> None:
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    with pytest.raises(WeightsDamagedError):
        load_state_dict(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", ["zip", "safetensors", "script"])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, kind: str, value: float) -> None:
    path = tmp_path / "weights"
    block = Block()
    with torch.no_grad():
        block.get_buffer("layers.0.running_var")[1] = value
    if kind == "script":
        save_torchscript(block, path)
    else:
        (save_file if kind == "safetensors" else torch.save)(block.state_dict(), path)
    with pytest.raises(WeightsDamagedError, match="contains NaN or infinite values; replace it") as caught:
        load_state_dict(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("only_convolutions", [True, False])
def test_weights_of_zeros_are_refused(network: Block, tmp_path: Path, only_convolutions: bool) -> None:
    path = tmp_path / "weights"
    state = {
        name: value if only_convolutions and value.ndim != 4 else torch.zeros_like(value)
        for name, value in network.state_dict().items()
    }
    save_file({**state, "mean": network.state_dict()["mean"]} if only_convolutions else state, path)
    with pytest.raises(WeightsDamagedError, match="are all zero; replace it") as caught:
        load_state_dict(path)
    assert str(path) in str(caught.value)


def test_one_convolution_of_zeros_is_allowed(network: Block, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    state = network.state_dict()
    expected = {**state, "conv.weight": torch.zeros_like(state["conv.weight"])}
    save_file(expected, path)
    assert same(load_state_dict(path), expected)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(WeightsNotFoundError, match="cannot be read"):
            load_state_dict(path)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("samples")
    small = nn.Conv2d(1, 1, 1)
    save_torchscript(small, folder / "script")
    save_file(small.state_dict(), folder / "safetensors")
    torch.save(small.state_dict(), folder / "zip")
    torch.save(small.state_dict(), folder / "legacy", _use_new_zipfile_serialization=False)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@pytest.mark.filterwarnings("ignore::UserWarning:torch")  # torch warns about unexpected pickle versions
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_truncated_and_flipped_files_are_named(samples: list[bytes], tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(samples)))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 3)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    try:
        tensors = load_state_dict(path)
    except WeightsError as error:
        assert str(path) in str(error)
    else:
        assert all(isinstance(tensor, Tensor) for tensor in tensors.values())
