"""Converts exported networks to OpenVINO models with dynamic sizes."""

from __future__ import annotations

import logging
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from app.core.errors import ModelError, t
from app.matting.openvino.artefact import (
    FILTERS,
    INDEX,
    JSON,
    WEIGHTS,
    Index,
    NetworkSource,
    NetworkStage,
    write_checksums,
)
from app.matting.openvino.runtime import ov, preprocess
from app.matting.torch.networks import load_network
from models.checkpoint import load_state_dict
from models.export import Export, ExportError, ExportStage, check_float32
from models.rules import FilterWeights
from models.table import NETWORKS, QuantizeNetwork
from models.weights import WeightsError

LOG = logging.getLogger(__name__)


def convert(source: NetworkSource, folder: Path) -> None:
    """Convert a network and write its artefact into an empty folder; see `app.matting.openvino.artefact`.

    Raises ModelError if a file does not fit the network.
    """
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
    write_checksums(folder)


def _quantized(model: str, quantize: QuantizeNetwork, export: Export, file: Path) -> Export:
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
