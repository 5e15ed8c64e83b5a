"""On-disk format of converted networks.

An artefact is a folder with an OpenVINO model for each exported stage, the guided filter's weights, an index, which
holds the rule of the decision stage, and the SHA-256 of each of these files.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from app.matting.openvino.runtime import core, ov
from models.rules import DecisionRule, FastFilterWeights, FilterWeights, ForgettingRule, LearnedFilterWeights
from models.weights import sha256_of

INDEX, WEIGHTS, CHECKSUMS = "index.json", "filter.npz", "SHA256SUMS"
FILTERS: dict[str, type[FilterWeights]] = {"learned": LearnedFilterWeights, "fast": FastFilterWeights}


@dataclass(frozen=True, slots=True)
class NetworkStage:
    """A converted part of a network, which reads and writes named arrays; see `models.export`."""

    name: str
    float32: bool
    steady: bool
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """Content of `index.json`."""

    stages: tuple[NetworkStage, ...]
    states: tuple[tuple[int, int], ...]
    """(channels, downsampling factor) of each state."""
    filter: str | None
    """Of `FILTERS`."""
    decision: DecisionRule | None
    forgetting: ForgettingRule | None
    alpha_margin: float | None
    """Range of alpha, for a network that writes `cells`; see `models.export.Export`."""


JSON = TypeAdapter(Index)


@dataclass(frozen=True, slots=True)
class Artefact(Index):
    """A converted network, independent of the frame size. Callers must not modify the models."""

    models: tuple[ov.Model, ...]
    """Of the stages."""
    guided_filter: FilterWeights | None

    def state_shapes(self, height: int, width: int) -> list[tuple[int, int, int, int]]:
        """Return the shapes (1, h, w, C) of the states for a small frame of this size."""
        return [(1, -(-height // factor), -(-width // factor), channels) for channels, factor in self.states]


def read_artefact(folder: Path, in_memory: bool = False) -> Artefact:
    """Read an artefact from a folder.

    in_memory: load all data, so that the folder can be deleted. Raises ValueError if a file is damaged or missing,
    OSError or WeightsError if one cannot be read.
    """
    if (folder / CHECKSUMS).read_text("utf-8") != _checksums(folder):
        raise ValueError("a file differs from its SHA-256")
    index = JSON.validate_json((folder / INDEX).read_bytes())
    models = tuple(_read_model(folder / f"{stage.name}.xml", in_memory) for stage in index.stages)
    content = {field.name: getattr(index, field.name) for field in fields(index)}
    return Artefact(**content, models=models, guided_filter=_read_filter(index.filter, folder / WEIGHTS))


def write_checksums(folder: Path) -> None:
    """Complete an artefact: write the SHA-256 of its files. Raises OSError."""
    (folder / CHECKSUMS).write_text(_checksums(folder), "utf-8")


def _checksums(folder: Path) -> str:
    files = sorted(file for file in folder.iterdir() if file.name != CHECKSUMS)
    return "".join(f"{sha256_of(file)}  {file.name}\n" for file in files)


def _read_model(path: Path, in_memory: bool) -> ov.Model:
    if in_memory:
        return core().read_model(path.read_bytes(), path.with_suffix(".bin").read_bytes())
    return core().read_model(path)


def _read_filter(kind: str | None, path: Path) -> FilterWeights | None:
    if kind is None:
        return None
    with np.load(path, allow_pickle=False) as arrays:
        fields = {name: array if array.ndim else array.item() for name, array in arrays.items()}
    return FILTERS[kind](**fields)
