from __future__ import annotations

import io
import pickle
import sys
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import safetensors.torch
import torch
from torch import Tensor

from models.checkpoint import load_state_dict
from models.weights import WeightsError
from tests.fuzz.damage import damaged, sampled

pytestmark = pytest.mark.torch

SLOWEST_S = 20.0


def state() -> dict[str, Tensor]:
    return {
        "conv.weight": torch.arange(108.0).reshape(4, 3, 3, 3),
        "conv.bias": torch.ones(4),
        "steps": torch.tensor(7),
    }


class Small(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)

    def forward(self, image: Tensor) -> Tensor:
        result: Tensor = self.conv(image)
        return result


def as_checkpoint() -> bytes:
    file = io.BytesIO()
    torch.save(state(), file)
    return file.getvalue()


def as_old_checkpoint() -> bytes:
    file = io.BytesIO()
    torch.save(state(), file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def as_safetensors() -> bytes:
    return safetensors.torch.save(state())


def as_torchscript() -> bytes:
    file = io.BytesIO()
    # the published checkpoints of one model are such archives; torch warns that saving them is deprecated
    with pytest.warns(DeprecationWarning):
        torch.jit.save(torch.jit.script(Small()), file)
    return file.getvalue()


MAKERS: dict[str, Callable[[], bytes]] = {
    "checkpoint": as_checkpoint,
    "old-checkpoint": as_old_checkpoint,
    "safetensors": as_safetensors,
    "torchscript": as_torchscript,
}


@sampled(60, 2000)
@pytest.mark.parametrize("kind", MAKERS)
def test_broken_weights(tmp_path: Path, kind: str, cases: int) -> None:
    whole = MAKERS[kind]()
    path = tmp_path / "weights.pth"
    path.write_bytes(whole)
    assert "conv.weight" in load_state_dict(path)
    for data in damaged(whole, cases, seed=len(whole)):
        path.write_bytes(data)
        started_s = time.monotonic()
        try:
            assert all(isinstance(value, Tensor) for value in load_state_dict(path).values())
        except WeightsError as error:
            assert str(path) in str(error)
        assert time.monotonic() - started_s < SLOWEST_S


class Trap:
    """A pickle that writes a file if it is loaded without restrictions."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return exec, (f"open({str(self.path)!r}, 'w').write('caught')",)


def bare_pickle(trap: Trap) -> bytes:
    return pickle.dumps(trap)


def in_a_checkpoint(trap: Trap) -> bytes:
    file = io.BytesIO()
    torch.save({"conv.weight": torch.ones(2), "trap": trap}, file)
    return file.getvalue()


def in_an_archive(trap: Trap) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps(trap))
        archive.writestr("model/constants.pkl", pickle.dumps(()))
    return file.getvalue()


@pytest.mark.parametrize("wrap", [bare_pickle, in_a_checkpoint, in_an_archive])
def test_code_in_a_weights_file_is_never_run(tmp_path: Path, wrap: Callable[[Trap], bytes]) -> None:
    path, caught = tmp_path / "weights.pth", tmp_path / "caught"
    path.write_bytes(wrap(Trap(caught)))
    with pytest.raises(WeightsError):
        load_state_dict(path)
    assert not caught.exists()


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
    pickled = io.BytesIO()
    ArchivePickler(pickled, protocol=2).dump({"weight": Tensors(size, stride)})
    path = tmp_path / "weights.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickled.getvalue())
        archive.writestr("model/data/0", bytes(16))
        archive.writestr("model/constants.pkl", pickle.dumps(()))
    with pytest.raises(WeightsError):
        load_state_dict(path)


class ScriptModule:
    """Pickles as a module of a TorchScript archive."""

    __module__ = "__torch__"
    __qualname__ = "ScriptModule"

    def __init__(self, attributes: dict[str, Tensors]) -> None:
        vars(self).update(attributes)


def archive_of(path: Path, tensors: int, floats: int, *, compressed: bool, script: bool) -> None:
    """Write an archive with that many tensors over one storage."""
    pickled = io.BytesIO()
    pickler = ArchivePickler(pickled, protocol=2)
    attributes = {str(number): Tensors((floats,), (1,)) for number in range(tensors)}
    pickler.dump(ScriptModule(attributes) if script else attributes)
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
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
    archive_of(path, 1, 1 << 22, compressed=True, script=script)
    assert path.stat().st_size < 1 << 16

    def refuse(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(zipfile.ZipFile, "read", refuse)
    with pytest.raises(WeightsError) as caught:
        load_state_dict(path)
    assert "declares more than it holds" in str(caught.value.__cause__)


@pytest.mark.usefixtures("_importable")
def test_tensors_that_share_a_storage_take_its_memory_once_and_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    archive_of(path, 3, 1 << 16, compressed=False, script=True)
    tensors = load_state_dict(path).values()
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == 1
    archive_of(path, 2000, 1 << 16, compressed=False, script=True)
    with pytest.raises(WeightsError):
        load_state_dict(path)
