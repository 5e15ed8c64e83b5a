"""Converting networks to OpenVINO models with dynamic sizes, and a cache of them on disk and in memory.

torch is imported only on a cache miss. Packages ship converted networks beside the weights (`tools.convert_networks`),
so that they need no torch.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import shutil
import tempfile
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.core import paths
from app.core.errors import ModelError, t
from app.core.files import why_not_written
from app.matting.openvino.artefact import (
    FILTERS,
    INDEX,
    JSON,
    WEIGHTS,
    Artefact,
    Index,
    NetworkSource,
    NetworkStage,
    ov,
    preprocess,
    read_artefact,
)
from models.errors import WeightsError
from models.rules import FilterWeights
from models.table import NETWORKS, QuantizeNetwork
from models.weights import conversion_folders, converts, missing_conversions, on_hand

if TYPE_CHECKING:
    import torch

    from models.export import Export, ExportStage

LOG = logging.getLogger(__name__)
_KEPT = 3


class ArtefactCache:
    """Cache of artefacts in a folder; recently used ones are also kept in memory."""

    def __init__(self, folder: Callable[[], Path], shipped: Callable[[str], Sequence[Path]] = lambda model: ()) -> None:
        """shipped: returns the folders of published conversions of a network, which are searched first."""
        self._folder = folder
        self._shipped = shipped
        self._lock = threading.Lock()
        self._artefacts: OrderedDict[str, Artefact] = OrderedDict()

    def load(self, source: NetworkSource) -> Artefact:
        """Return the artefact of a network; convert the network on a cache miss.

        Raises ModelError if a file does not contain weights of this network.
        """
        folders = self._folders(source)
        key = folders[-1].name
        with self._lock:
            artefact = self._artefacts.pop(key, None) or self._from_disk(folders, source)
            self._artefacts[key] = artefact
            while len(self._artefacts) > _KEPT:
                self._artefacts.popitem(last=False)
        return artefact

    def folder(self, source: NetworkSource) -> Path:
        """Return where the artefact of a network is kept; it may not exist. Raises ModelError as `load`."""
        folders = self._folders(source)
        return next((folder for folder in folders if folder.is_dir()), folders[-1])

    def _folders(self, source: NetworkSource) -> list[Path]:
        """Return where an artefact may be, in the order of the search; the last one is written to."""
        shipped = (folder / source.artefact_name() for folder in self._shipped(source.model))
        return [*shipped, self._folder() / source.artefact_name(_sources())]

    def _from_disk(self, folders: list[Path], source: NetworkSource) -> Artefact:
        for folder in filter(Path.is_dir, folders):
            try:
                return read_artefact(folder)
            except Exception as error:  # noqa: BLE001, PERF203 - OpenVINO raises anything, MemoryError included
                LOG.warning("The converted network %s cannot be read and is converted again (%r).", folder, error)
        folder = folders[-1]
        with tempfile.TemporaryDirectory() as temporary:
            _convert(source, Path(temporary))
            try:
                _install(Path(temporary), folder)
                return read_artefact(folder)
            except (OSError, RuntimeError, ValueError) as error:
                reason = why_not_written(error) if isinstance(error, OSError) else error
                LOG.warning("The converted network cannot be kept in %s: %s.", folder.parent, reason)
            return read_artefact(Path(temporary), in_memory=True)


def _convert(source: NetworkSource, folder: Path) -> None:
    if not converts():
        if missing_conversions(source.model) and source.weights == on_hand(source.model):
            raise ModelError(
                t(
                    "The model {model} is installed without the part that runs here; download it again⟦ with `python3 "
                    "run.py weights download {model}`⟧.",
                    model=source.model,
                )
            )
        raise ModelError(
            t(
                "The model {model} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources "
                "for it.",
                model=source.model,
            )
        )
    convert(source, folder)


@functools.cache
def _sources() -> str:
    """Return a digest of the conversion code; part of the cache key, to invalidate artefacts of older versions."""
    files = [*(paths.ROOT / "models").rglob("*.py"), *Path(__file__).parent.glob("*.py")]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in sorted(files))).hexdigest()


def _install(made: Path, folder: Path) -> None:
    """Move a finished artefact into the cache atomically, so that an interrupted run leaves no partial one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as beside:
        copied = Path(beside) / folder.name
        copied.mkdir()
        for file in made.iterdir():  # copytree raises an error without its reason
            shutil.copy(file, copied)
        shutil.rmtree(folder, ignore_errors=True)
        copied.replace(folder)


def convert(source: NetworkSource, folder: Path) -> None:
    """Convert a network and write its artefact into an empty folder; see `app.matting.openvino.artefact`.

    Raises ModelError if a file does not fit the network.
    """
    import torch

    from app.matting.torch.networks import load_network
    from models.export import ExportError, check_float32

    model, int8, spec = source.model, source.int8, NETWORKS[source.model]
    whole = int8 if spec.quantize is None else None
    network = load_network(model, whole or source.weights, source.refiner, "cpu", "float32")
    with torch.inference_mode():
        export = spec.export(network, source.direct)
        try:
            check_float32(network, export, spec.float32_modules)
        except ExportError as error:
            LOG.warning("The conversion of %s lost a float32 region: %s.", model, error)
            raise ModelError(
                t(
                    "The model {model} cannot be converted with its float32 part; choose the executor eager.",
                    model=model,
                )
            ) from error
        if int8 is not None and spec.quantize is not None:
            export = _quantized(model, spec.quantize, export, int8)
        arrays = dict(export.examples)
        for stage in export.stages:
            ov.save_model(_converted(stage, arrays), folder / f"{stage.name}.xml", compress_to_fp16=False)
    index = Index(
        tuple(NetworkStage(each.name, each.float32, each.steady, each.reads, each.writes) for each in export.stages),
        export.states,
        _save_filter(export.guided_filter, folder),
        export.decision,
        export.forgetting,
        export.alpha_margin,
    )
    (folder / INDEX).write_bytes(JSON.dump_json(index))


def _quantized(model: str, quantize: QuantizeNetwork, export: Export, file: Path) -> Export:
    from models.checkpoint import load_state_dict

    try:
        return quantize(export, load_state_dict(file))
    except (WeightsError, RuntimeError) as error:
        LOG.warning("The int8 version of %s in %s cannot be used: %s.", model, file, error)
        raise ModelError(
            t(
                "There is no int8 version of the model {model} for this device and these weights; choose another "
                "precision.",
                model=model,
            )
        ) from error


def _converted(stage: ExportStage, arrays: dict[str, torch.Tensor]) -> ov.Model:
    """Convert a stage and return its model; add the stage's outputs to the example arrays."""
    import torch

    module = stage.module.eval()
    example = tuple(arrays[name] for name in stage.reads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Tracing warns about constant sizes. The contract test covers other sizes.
        # OpenVINO's own tracing runs the module a second time for comparison and imports many more torch modules.
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        model = ov.convert_model(traced, example_input=example)
        outputs = module(*example)
    arrays |= zip(stage.writes, outputs if isinstance(outputs, tuple) else (outputs,), strict=True)
    return _channels_last(model, stage)


def _channels_last(model: ov.Model, stage: ExportStage) -> ov.Model:
    steps = preprocess.PrePostProcessor(model)
    ports = [(name, steps.input(index)) for index, name in enumerate(stage.reads)]
    ports += [(name, steps.output(index)) for index, name in enumerate(stage.writes)]
    for name, port in ports:
        if name in stage.channels_last:
            port.tensor().set_layout(ov.Layout("NHWC"))
            port.model().set_layout(ov.Layout("NCHW"))
    return steps.build()


def _save_filter(weights: FilterWeights | None, folder: Path) -> str | None:
    if weights is None:
        return None
    fields = {name: np.asarray(value) for name, value in asdict(weights).items()}
    np.savez(folder / WEIGHTS, allow_pickle=False, **fields)
    return next(name for name, kind in FILTERS.items() if isinstance(weights, kind))


artefacts = ArtefactCache(lambda: paths.data_dir() / "cache", conversion_folders)
"""Shared cache of the process."""
