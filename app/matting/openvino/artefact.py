"""Converted networks: their format on disk, and compiling them for one size.

An artefact is a folder with an OpenVINO model for each exported stage, the guided filter's weights, and an index, which
holds the rule of the decision stage.

Importing openvino sends usage data to its vendor unless the package `openvino_telemetry` cannot be imported; OpenVINO
then uses a stub without network access. This program sends no telemetry: all other modules import OpenVINO from here.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from app.core.errors import ModelError, text_of
from app.core.threads import thread_limit
from models.errors import WeightsError
from models.rules import DecisionRule, FastFilterWeights, FilterWeights, ForgettingRule, LearnedFilterWeights
from models.weights import sha256_of

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import preprocess  # noqa: E402

__all__ = ["core", "ov", "preprocess"]


@functools.cache
def core() -> ov.Core:
    """Return the OpenVINO core shared by the process."""
    return ov.Core()


INDEX, WEIGHTS = "index.json", "filter.npz"
FILTERS: dict[str, type[FilterWeights]] = {"learned": LearnedFilterWeights, "fast": FastFilterWeights}


class NetworkSource(NamedTuple):
    """What a converted network is made of."""

    model: str
    weights: Path
    refiner: str = "auto"
    direct: bool = False
    int8: Path | None = None
    """The int8 version of the weights, which is converted in place of the float32 network."""

    def artefact_name(self, code: str = "") -> str:
        """Return the name of its artefact. Raises ModelError if a file cannot be read.

        code: digest of the code that converts. A shipped artefact ships with it, so that it is no part of its name.
        """
        try:
            content = " ".join(sha256_of(file) for file in (self.weights, self.int8) if file is not None)
        except WeightsError as error:
            raise ModelError(text_of(error)) from error
        words = f"{ov.__version__} {self.model} {self.refiner} {self.direct} {content} {code}"
        return f"{self.model}-{hashlib.sha256(words.encode()).hexdigest()[:16]}"


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
    """Read an artefact from a folder. in_memory: load all data, so that the folder can be deleted.

    Raises OSError, RuntimeError or ValueError if a file is missing, or cut off, or cannot be read.
    """
    index = JSON.validate_json((folder / INDEX).read_bytes())
    models, guided_filter = [], None
    for stage in index.stages:
        path, content = folder / f"{stage.name}.xml", folder / f"{stage.name}.bin"
        model = core().read_model(path.read_bytes(), content.read_bytes()) if in_memory else core().read_model(path)
        models.append(model)
    if index.filter is not None:
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            weights = {name: array if array.ndim else array.item() for name, array in arrays.items()}
        guided_filter = FILTERS[index.filter](**weights)
    known = {field.name: getattr(index, field.name) for field in fields(index)}
    return Artefact(**known, models=tuple(models), guided_filter=guided_filter)


HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "f32"}
"""An int8 network contains its own quantization; everything else in it runs in float32."""
Shape = tuple[int, ...]
Arrays = dict[str, NDArray[np.float32]]


def halved_shapes(height: int, width: int) -> dict[str, Shape]:
    """Return the shapes of the small frame at 1/2, 1/4 and 1/8 of its size, by name."""
    shapes: dict[str, Shape] = {}
    for index in range(1, 4):
        height, width = -(-height // 2), -(-width // 2)
        shapes[f"half{index}"] = (1, 3, height, width)
    return shapes


def fitted(artefact: Artefact, shapes: Mapping[str, Shape]) -> tuple[list[ov.Model], dict[str, Shape]]:
    """Return the models of the stages reshaped for these inputs, and the shapes of all arrays read or written."""
    known = dict(shapes)
    models = []
    for stage, shared in zip(artefact.stages, artefact.models, strict=True):
        model = shared.clone()
        model.reshape({port: list(known[name]) for port, name in zip(model.inputs, stage.reads, strict=True)})
        known |= {name: tuple(port.shape) for name, port in zip(stage.writes, model.outputs, strict=True)}
        models.append(model)
    used = {name for stage in artefact.stages for name in (*stage.reads, *stage.writes)}
    return models, {name: shape for name, shape in known.items() if name in used}


def compiled(
    stages: Sequence[NetworkStage],
    models: Sequence[ov.Model],
    precision: str,
    *,
    pinned: bool = False,
    threads: int | None = None,
) -> list[ov.CompiledModel]:
    """Compile the stages in parallel, each in its own precision. Raises RuntimeError if OpenVINO fails.

    threads: of each inference; None for the limit in `app.core.threads`, else OpenVINO's choice.
    """
    threads = threads or thread_limit()

    def compile_stage(stage: NetworkStage, model: ov.Model) -> ov.CompiledModel:
        options: dict[str, str | int] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": HINTS["float32" if stage.float32 else precision],
        }
        if not pinned:
            # A pinned thread waits for other work on its core, such as the window's, while another core is idle.
            options["ENABLE_CPU_PINNING"] = "NO"
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        return core().compile_model(model, "CPU", options)

    with ThreadPoolExecutor(len(stages), thread_name_prefix="compiler") as pool:
        return list(pool.map(compile_stage, stages, models))


def bound(
    stage: NetworkStage, network: ov.CompiledModel, arrays: Mapping[str, NDArray[np.float32]], *, outputs: bool = True
) -> ov.InferRequest:
    """Return a request that reads the stage's arrays in place and, with `outputs`, writes them in place.

    The caller must keep the arrays alive as long as the request.
    """
    request = network.create_infer_request()
    for index, name in enumerate(stage.reads):
        request.set_input_tensor(index, ov.Tensor(arrays[name], shared_memory=True))
    if outputs:
        for index, name in enumerate(stage.writes):
            request.set_output_tensor(index, ov.Tensor(arrays[name], shared_memory=True))
    return request
