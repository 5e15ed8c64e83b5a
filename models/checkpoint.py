"""Reads state dicts from untrusted files without executing code from them.

Supports safetensors, PyTorch checkpoints (`weights_only=True`) and TorchScript archives. Only the
tensors of a TorchScript archive are read: a restricted unpickler accepts nothing but tensors, so no
code is compiled or executed.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from models.errors import WeightsDamagedError, WeightsNotFoundError

# Names under which trainers save the network beside epoch, optimizer and the like, the first one
# first.
CONTAINERS = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "generator"),
    *("params", "weights", "module", "model_ema", "ema_state_dict", "ema"),
)
# Prefixes of trainers and of `torch.compile`; what has none beside those that have one is a
# trainer's own. No network here has a part of such a name.
WRAPPERS = ("_orig_mod.", "module.", "model.", "net.", "network.", "generator.", "ema.")
MAX_DEPTH = 5


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by name, on the CPU.

    Of the checkpoint of a trainer, those of the network: see `CONTAINERS` and `WRAPPERS`.

    Raises WeightsNotFoundError if the file cannot be read, and WeightsDamagedError if it is
    truncated, corrupt or not a checkpoint, if it contains NaN or infinity, or if all its
    convolution weights are zero.
    """
    try:
        tensors = _without_wrappers(_read(path))
        extremes = {}
        for name, value in tensors.items():
            if value.is_floating_point() and value.numel():
                extremes[name] = _extremes(value.detach())
    except OSError as error:
        raise WeightsNotFoundError(
            "The weights file {file} cannot be read; check the path and its permissions.", file=path
        ) from error
    except WeightsDamagedError:
        raise
    except Exception as error:
        # On arbitrary bytes the three readers raise anything, from struct.error to MemoryError.
        raise WeightsDamagedError(
            "The weights file {file} is damaged or holds no weights of PyTorch or safetensors; "
            "download it again or choose another file⟦ with --weights⟧.",
            file=path,
        ) from error
    if not all(math.isfinite(low) and math.isfinite(high) for low, high in extremes.values()):
        raise WeightsDamagedError(
            "The weights file {file} contains NaN or infinite values; replace it with an intact "
            "file.",
            file=path,
        )
    # Single tensors may be zero: published checkpoints contain layers without effect.
    weights = [name for name in extremes if name.endswith("weight")]
    convolutions = [name for name in weights if tensors[name].ndim == 4]
    if extremes and not any(any(extremes[name]) for name in convolutions or extremes):
        raise WeightsDamagedError(
            "The weights in the file {file} are all zero; replace it with an intact file.",
            file=path,
        )
    return tensors


def _read(path: Path) -> dict[str, Tensor]:
    with path.open("rb") as file:
        start = file.read(16)
    if path.suffix.lower() == ".onnx" or re.match(rb"\x08[\x01-\x20]\x12", start):
        raise WeightsDamagedError(
            "The weights file {file} is in the format of ONNX, which is not supported; choose a "
            "file of PyTorch or safetensors⟦ with --weights⟧.",
            file=path,
        )
    if start[8:9] == b"{":
        return safetensors.torch.load_file(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if _declared_bytes(archive) > path.stat().st_size:
                raise ValueError("the archive is compressed or declares more than it holds")
            if any(name.endswith("/constants.pkl") for name in archive.namelist()):
                return _torchscript_state(archive)
    # Trainers save their arguments and scores beside the network, as objects of any class.
    others = get_unsafe_globals_in_checkpoint(path) if zipfile.is_zipfile(path) else []
    with safe_globals([(_Inert, name) for name in others]):
        return _tensors(torch.load(path, map_location="cpu", weights_only=True))


class _Inert:
    """Stands for an object of any class: keeps nothing of it, and runs nothing."""

    def __new__(cls, *_: object) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def _declared_bytes(archive: zipfile.ZipFile) -> int:
    """Return the sizes of all members but code, which is never read and alone may be compressed."""
    total = 0
    for member in archive.infolist():
        _, _, place = member.filename.partition("/")
        if place.split("/")[0] != "code":
            total += member.file_size
    return total


def _extremes(tensor: Tensor) -> tuple[float, float]:
    """Return the minimum and maximum; both are NaN if any value is NaN.

    Allocates no copy of float16 or wider.
    """
    if tensor.element_size() == 1:
        # Torch does not compare float8.
        tensor = tensor.float()
    low, high = tensor.aminmax()
    return float(low), float(high)


def _without_wrappers(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors by their names in the network, without those that a trainer keeps
    beside it.
    """
    while True:
        prefix = _wrapper_of(tensors)
        if prefix is None:
            return tensors
        wrapped = [name for name in tensors if name.startswith(prefix)]
        tensors = {name.removeprefix(prefix): tensors[name] for name in wrapped}


def _wrapper_of(names: Iterable[str]) -> str | None:
    """Return the first prefix of `WRAPPERS` that one of the names has."""
    known = list(names)
    for prefix in WRAPPERS:
        if any(name.startswith(prefix) for name in known):
            return prefix
    return None


def _tensors(loaded: object) -> dict[str, Tensor]:
    """Return the state dict in what was loaded, also in the checkpoint of a trainer.

    Raises ValueError.
    """
    for _ in range(MAX_DEPTH):
        if not isinstance(loaded, Mapping) or not loaded:
            break
        if all(isinstance(value, Tensor) for value in loaded.values()):
            if all(isinstance(name, str) for name in loaded):
                return dict(loaded)
            break
        loaded = _inner_of(loaded)
    raise ValueError("no state dict")


def _inner_of(checkpoint: Mapping[object, object]) -> object:
    """Return what a trainer calls the network, in the order of `CONTAINERS`; None if nothing is."""
    for name in CONTAINERS:
        inner = checkpoint.get(name)
        if isinstance(inner, Mapping) and inner:
            return inner
    return None


class _Module:
    """A module of a TorchScript archive: a container of attributes."""

    attributes: dict[str, object]

    def __setstate__(self, state: dict[str, object]) -> None:
        self.attributes = state


def _first(value: object, *_: object) -> object:
    return value


_STORAGES: dict[str, torch.dtype] = {
    f"{name}Storage": getattr(torch, name.lower())
    for name in ("Float", "Half", "BFloat16", "Double", "Long", "Int", "Short", "Bool")
} | {"CharStorage": torch.int8, "ByteStorage": torch.uint8}


# Bytes of all tensors per byte of all storages, which tensors may share.
MAX_SHARED = 4


class _ArchiveUnpickler(pickle.Unpickler):
    """Restricted unpickler: accepts tensors, lists of numbers and attribute containers; rejects
    every other name.
    """

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self._archive = archive
        self._root = root
        self._storages: dict[str, Tensor] = {}
        self._bytes_left = MAX_SHARED * _declared_bytes(archive)

    def find_class(self, module: str, name: str) -> Callable[..., object] | torch.dtype:
        if module.startswith("__torch__"):
            return _Module
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._make_tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch.jit._pickle":  # marks the type of a list or dict
            return _first
        raise pickle.UnpicklingError(f"{module}.{name} has no place among weights")

    def persistent_load(self, pid: tuple[str, torch.dtype, str, str, int]) -> Tensor:
        _, dtype, key, _, _ = pid
        if key not in self._storages:
            data = bytearray(self._archive.read(f"{self._root}/data/{key}"))
            if data:
                self._storages[key] = torch.frombuffer(data, dtype=dtype)
            else:
                # Torch takes no empty buffer.
                self._storages[key] = torch.empty(0, dtype=dtype)
        return self._storages[key]

    def _make_tensor(
        self,
        storage: Tensor,
        offset: int,
        size: tuple[int, ...],
        stride: tuple[int, ...],
        *_: object,
    ) -> Tensor:
        """Return a view of a storage.

        Raises ValueError if it, or all views together, are larger than the data.
        """
        self._bytes_left -= math.prod(size) * storage.itemsize
        if math.prod(size) > storage.numel() or self._bytes_left < 0:
            raise ValueError("a tensor is larger than its data")
        return torch.as_strided(storage, size, stride, offset)


def _torchscript_state(archive: zipfile.ZipFile) -> dict[str, Tensor]:
    paths = [name.split("/") for name in archive.namelist()]
    root = next(path[0] for path in paths if path[1:] == ["data.pkl"])
    tensors: dict[str, Tensor] = {}
    _collect(_ArchiveUnpickler(archive, root).load(), "", tensors)
    return _tensors(tensors)


def _collect(value: object, prefix: str, tensors: dict[str, Tensor]) -> None:
    if isinstance(value, Tensor):
        tensors[prefix] = value
    elif isinstance(value, _Module):
        for name, inner in value.attributes.items():
            _collect(inner, f"{prefix}.{name}" if prefix else name, tensors)
