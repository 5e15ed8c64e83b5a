"""Compiles a network's stages for one size and binds the arrays that connect them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from app.core.concurrency.compute_threads import thread_limit
from app.matting.openvino.artefact import NetworkStage
from app.matting.openvino.runtime import core, ov

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


def fitted(stages: Sequence[NetworkStage], shapes: Mapping[str, Shape]) -> tuple[list[ov.Model], dict[str, Shape]]:
    """Return the stages' models reshaped for these inputs, and the shapes of all arrays read or written."""
    known = dict(shapes)
    models = []
    for stage in stages:
        model = stage.model.clone()
        model.reshape({port: list(known[name]) for port, name in zip(model.inputs, stage.reads, strict=True)})
        known |= {name: tuple(port.shape) for name, port in zip(stage.writes, model.outputs, strict=True)}
        models.append(model)
    used = {name for stage in stages for name in (*stage.reads, *stage.writes)}
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

    threads: of each inference; None for the limit in `app.core.concurrency.compute_threads`, else OpenVINO's choice.
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
