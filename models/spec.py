"""Descriptions of networks. Imports no torch, so that a warm start does not load it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.export import Export

LoadNetwork = Callable[["Mapping[str, Tensor]", str], "nn.Module"]
"""Map (tensors, refiner) to the network with these weights. Raises RuntimeError if they do not match exactly."""
ExportNetwork = Callable[["nn.Module", bool], "Export"]
"""Map (network, direct) to the inference core; `direct` for frames that are not downsampled."""
QuantizeNetwork = Callable[["Export", "Mapping[str, Tensor]"], "Export"]
"""Map (export, tensors of the int8 file) to the export in int8. Raises RuntimeError if the tensors do not fit."""


def late(package: str | None, module: str, name: str) -> Callable[..., Any]:
    """Return a function of a module of `package` that is imported at the first call: it imports torch."""

    def call(*arguments: object) -> object:
        return getattr(importlib.import_module(f"{package}.{module}"), name)(*arguments)

    return call


@dataclass(frozen=True, slots=True)
class WeightSpec:
    """A published or bundled weights file."""

    name: str
    """Name of the network, as passed to `--model`."""
    file: str
    licence: str
    note: str
    url: str | None = None
    """None: the file ships with the program."""
    bytes: int | None = None
    sha256: str | None = None
    """None: not published; the hash of the first download is recorded next to the file and trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A matting network; `load` returns a `TwoStageNetwork` of `models.export`, or a network with a plate."""

    title: str
    """English display name; the window translates it."""
    weights: WeightSpec
    load: LoadNetwork
    export: ExportNetwork
    needs_plate: bool = False
    recurrent: bool = True
    """Whether the network has recurrent state."""
    direct: bool = False
    """Whether the network runs without its guided filter on frames that are not downsampled."""
    short_side: int = 270
    """Short side of the network's input in pixels if the ratio is chosen automatically."""
    precisions: tuple[str, ...] = ("float32", "float16", "bfloat16")
    """Precisions in which the network was validated; `auto` chooses among them."""
    float32_modules: tuple[str, ...] = ()
    """Submodules that require float32 regardless of the rest. A conversion that loses one is an error."""
    int8: Path | None = None
    """Shipped int8 version; only for the weights that it was made of, see `models.weights`."""
    quantize: QuantizeNetwork | None = None
    """None: a file of the int8 version contains the whole network, which `load` returns."""
    cpu_rank: int | None = None
    """Rank in the order in which `auto` tries networks; None: never tried on a CPU."""
    gpu_rank: int | None = None

    @property
    def name(self) -> str:
        """Name of the network, as passed to `--model`."""
        return self.weights.name

    @property
    def bundled(self) -> bool:
        """Whether the weights ship with the program."""
        return self.weights.url is None
