"""On-disk format of converted networks.

An artefact is a folder with an OpenVINO model for each exported stage, the guided filter's weights, an index, which
holds the rule of the decision stage, and the SHA-256 of each of these files.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from app.matting.openvino.runtime import core, ov
from models.rules import DecisionRule, FastFilterWeights, FilterWeights, ForgettingRule, LearnedFilterWeights
from models.weights import sha256_of

INDEX, WEIGHTS, CHECKSUMS = "index.json", "filter.npz", "SHA256SUMS"
FILTERS: dict[str, type[FilterWeights]] = {"learned": LearnedFilterWeights, "fast": FastFilterWeights}


@dataclass(frozen=True, slots=True)
class StageIndex:
    """Index entry of a part of a network that reads and writes named arrays; see `models.export`."""

    name: str
    float32: bool
    steady: bool
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """Content of `index.json`. decision, forgetting: see `models.rules`."""

    stages: tuple[StageIndex, ...]
    states: tuple[tuple[int, int], ...]
    filter: str | None
    decision: DecisionRule | None
    forgetting: ForgettingRule | None
    alpha_margin: float | None


JSON = TypeAdapter(Index)


@dataclass(frozen=True, slots=True)
class NetworkStage(StageIndex):
    """A converted part of a network."""

    model: ov.Model


@dataclass(frozen=True, slots=True)
class Artefact:
    """A converted network, independent of the frame size. Callers must not modify the models."""

    stages: tuple[NetworkStage, ...]
    states: tuple[tuple[int, int], ...]
    """(channels, downsampling factor) of each state."""
    guided_filter: FilterWeights | None
    decision: DecisionRule | None = None
    forgetting: ForgettingRule | None = None
    alpha_margin: float | None = None
    """Range of alpha, for a network that writes `cells`; see `models.export.Export`."""

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
    stages = tuple(
        NetworkStage(**asdict(stage), model=_read_model(folder / f"{stage.name}.xml", in_memory))
        for stage in index.stages
    )
    guided_filter = _read_filter(index.filter, folder / WEIGHTS)
    return Artefact(stages, index.states, guided_filter, index.decision, index.forgetting, index.alpha_margin)


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
