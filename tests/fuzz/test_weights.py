"""Archives that ask for more memory than they hold; `tests/models/test_checkpoint.py` damages them otherwise."""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from models.checkpoint import load_state_dict
from models.weights import WeightsDamagedError

pytestmark = pytest.mark.torch


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
    with pytest.raises(WeightsDamagedError):
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
    with pytest.raises(WeightsDamagedError) as caught:
        load_state_dict(path)
    assert "declares more than it holds" in str(caught.value.__cause__)


@pytest.mark.usefixtures("_importable")
def test_tensors_that_share_a_storage_take_its_memory_once_and_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    archive_of(path, 3, 1 << 16, compressed=False, script=True)
    tensors = load_state_dict(path).values()
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == 1
    archive_of(path, 2000, 1 << 16, compressed=False, script=True)
    with pytest.raises(WeightsDamagedError):
        load_state_dict(path)
