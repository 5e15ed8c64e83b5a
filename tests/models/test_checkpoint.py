"""Reading checkpoints: formats, containers of trainers, and files that are malicious, damaged or of other programs."""

from __future__ import annotations

import argparse
import io
import pickle
import sys
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from models.checkpoint import CONTAINERS, WRAPPERS, load_state_dict
from models.errors import WeightsDamagedError, WeightsError, WeightsNotFoundError

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


def check(path: Path, state: dict[str, Tensor]) -> None:
    """Assert that the file holds exactly these tensors."""
    found = load_state_dict(path)
    assert found.keys() == state.keys() and all(torch.equal(found[name], state[name]) for name in state)


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
    check(path, expected)


def test_transposed_and_shared_storage_in_torchscript(tmp_path: Path) -> None:
    block = Block()
    block.conv.weight = nn.Parameter(block.conv.weight.detach().transpose(0, 3).contiguous().transpose(0, 3))
    path = tmp_path / "weights"
    save_torchscript(block, path)
    check(path, block.state_dict())


class Bomb:
    """Creates a file if it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.marker), "w")


OBJECTS: dict[str, object] = {
    "arguments": argparse.Namespace(learning_rate=0.1),
    "score": np.float64(0.5),
    "history": np.zeros(3),
    "folder": Path("runs"),
    "time": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "class": nn.Conv2d,
    "code": Bomb(Path("marker")),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_that_a_trainer_saves_beside_the_network_do_not_matter_and_run_no_code(
    network: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": network.state_dict(), kind: OBJECTS[kind]}, "weights.pth")
    check(Path("weights.pth"), network.state_dict())
    assert not Path("marker").exists()


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


@pytest.mark.parametrize(
    "content",
    [
        {}, {"a": 1}, [torch.zeros(1)], torch.zeros(2), {1: torch.zeros(1)}, {"model": {}}, {"model": 3},
        {"net": {"net": {"net": {"net": {}}}}},
    ],
)  # fmt: skip
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
    one_of_them = {**network.state_dict(), "conv.weight": state["conv.weight"]}
    save_file(one_of_them, path)
    check(path, one_of_them)


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


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(3)
    return {"conv.weight": torch.randn(4, 3, 3, 3), "norm.weight": torch.randn(4), "norm.count": torch.tensor(7)}


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in state.items()}


@pytest.mark.parametrize("prefix", [*WRAPPERS, "module.model.", "_orig_mod.module.", "model._orig_mod.", "model.net."])
@pytest.mark.parametrize("safe", [False, True])
def test_prefixes_of_trainers_are_removed(prefix: str, safe: bool, state: dict[str, Tensor], tmp_path: Path) -> None:
    save = save_file if safe else torch.save
    save(prefixed(state, prefix), tmp_path / "a.pth")
    check(tmp_path / "a.pth", state)


@pytest.mark.parametrize("container", [*CONTAINERS, "nested"])
def test_containers_of_trainers_are_opened(container: str, state: dict[str, Tensor], tmp_path: Path) -> None:
    saved: object = prefixed(state, "module.")
    if container == "nested":
        container, saved = "model", {"state_dict": saved, "config": {"size": 3}}
    other = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(other.parameters())
    other(torch.ones(2)).sum().backward()
    optimizer.step()
    beside = {"epoch": 3, "best": 0.5, "optimizer": optimizer.state_dict(), "scaler": {}, "name": "rvm"}
    torch.save({**beside, container: saved}, tmp_path / "a.pth")
    check(tmp_path / "a.pth", state)


def test_the_network_goes_before_its_average_and_other_networks(state: dict[str, Tensor], tmp_path: Path) -> None:
    other = {"conv.weight": torch.ones(1, 1, 1, 1)}
    torch.save({"ema": other, "discriminator": other, "model": state}, tmp_path / "a.pth")
    check(tmp_path / "a.pth", state)
    torch.save(prefixed(state, "model.") | prefixed(other, "criterion."), tmp_path / "b.pth")
    check(tmp_path / "b.pth", state)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.onnx", b"anything", "format of ONNX, which is not supported"),
        ("a.pth", b"\x08\x08\x12\x07pytorch\x1a\x05", "format of ONNX, which is not supported"),
        ("a.tflite", b"\x1c\0\0\0TFL3", "no weights of PyTorch or safetensors"),
    ],
)
def test_files_of_other_programs_are_not_supported(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content + bytes(64))
    with pytest.raises(WeightsDamagedError, match=words) as raised:
        load_state_dict(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


class Storage:
    """Pickles as a storage of the 16 bytes in `model/data/0`."""


class ArchivePickler(pickle.Pickler):
    def persistent_id(self, value: object) -> object:
        return ("storage", torch.FloatStorage, "0", "cpu", 4) if isinstance(value, Storage) else None


class Tensors:
    """Pickles as a tensor of any size over those 16 bytes."""

    def __init__(self, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.size, self.stride = size, stride

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        rebuild: Callable[..., object] = torch._utils._rebuild_tensor_v2
        return rebuild, (Storage(), 0, self.size, self.stride, False, OrderedDict())


@pytest.mark.parametrize(
    ("size", "stride"),
    [((1 << 16, 1 << 8), (0, 0)), ((1 << 40,), (0,)), ((5,), (1,)), ((-5,), (1,)), ((2, 2), (-1, 1)), ((4,), (9,))],
)
def test_a_small_file_cannot_ask_for_much_memory(
    tmp_path: Path, size: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    path = tmp_path / "weights.pth"
    write_archive(path, {"weight": Tensors(size, stride)}, 4)
    with pytest.raises(WeightsDamagedError):
        load_state_dict(path)


class ScriptModule:
    """Pickles as a module of a TorchScript archive."""

    __module__ = "__torch__"
    __qualname__ = "ScriptModule"

    def __init__(self, attributes: dict[str, Tensors]) -> None:
        vars(self).update(attributes)


def write_archive(
    path: Path, content: object, floats: int, *, method: int = zipfile.ZIP_STORED, script: bool = True
) -> None:
    """Write an archive of tensors over one storage with that many floats."""
    pickled = io.BytesIO()
    ArchivePickler(pickled, protocol=2).dump(content)
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("model/data.pkl", pickled.getvalue())
        archive.writestr("model/data/0", b"\0\0\x80\x3f" * floats)
        archive.writestr("model/version", b"3\n")
        if script:
            archive.writestr("model/constants.pkl", pickle.dumps(()))


@pytest.fixture
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("__torch__")
    vars(module)["ScriptModule"] = ScriptModule
    monkeypatch.setitem(sys.modules, "__torch__", module)


@pytest.mark.usefixtures("_importable")
@pytest.mark.parametrize("script", [True, False])
def test_the_sizes_in_an_archive_are_added_up_before_it_is_read(
    tmp_path: Path, script: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.pth"
    content = {"0": Tensors((1 << 22,), (1,))}
    write_archive(
        path, ScriptModule(content) if script else content, 1 << 22, method=zipfile.ZIP_DEFLATED, script=script
    )
    assert path.stat().st_size < 1 << 16

    def refuse(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(zipfile.ZipFile, "read", refuse)
    with pytest.raises(WeightsDamagedError) as caught:
        load_state_dict(path)
    assert "declares more than it holds" in str(caught.value.__cause__)


@pytest.mark.usefixtures("_importable")
def test_tensors_that_share_a_storage_take_its_memory_once_and_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    shared = [(str(number), Tensors((1 << 16,), (1,))) for number in range(2000)]
    write_archive(path, ScriptModule(dict(shared[:3])), 1 << 16)
    tensors = load_state_dict(path).values()
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == 1
    write_archive(path, ScriptModule(dict(shared)), 1 << 16)
    with pytest.raises(WeightsDamagedError):
        load_state_dict(path)
