"""The network in OpenVINO, everything around it in `CpuFinish`: the way of a frame on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from app.matting.conversion import state_shapes
from app.matting.edges import plan
from app.matting.executors.base import NotAMatteError
from app.matting.finish import CpuFinish
from app.matting.geometry import StepGeometry
from app.settings import EdgeSettings
from app.types import Backdrop, BgrImage, Matte

HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
COEFFICIENTS = 3
"""The outputs before the states: slope, offset, coarse alpha."""


class OpenVinoExecutor:
    """Runs a compiled core; its states go from one of two sets of arrays to the other and are never copied."""

    name = "openvino"

    def __init__(
        self, model: ov.Model, geometry: StepGeometry, device: str = "CPU", precision: str = "float32"
    ) -> None:
        """`model` is from `app.matting.conversion`. Raises RuntimeError where OpenVINO cannot compile it."""
        self.precision = precision
        self.device = device.lower()
        self._finish = CpuFinish(geometry)
        self._small = np.zeros((1, 3, geometry.small_height, geometry.small_width), np.float32)
        shapes = state_shapes(model, geometry.small_height, geometry.small_width)
        fitted = model.clone()
        fitted.reshape(dict(zip(fitted.inputs, [self._small.shape, *shapes], strict=True)))
        compiled = ov.Core().compile_model(
            fitted, device, {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": HINTS[precision]}
        )
        self._coefficients = [np.empty(tuple(port.shape), np.float32) for port in compiled.outputs[:COEFFICIENTS]]
        states = [[np.zeros(shape, np.float32) for shape in shapes] for _ in range(2)]
        self._states = states
        self._requests = [self._bind(compiled, states[turn], states[1 - turn]) for turn in range(2)]
        self._turn = 0

    def reset(self) -> None:
        """Start the recurrent state anew."""
        for state in self._states[self._turn]:
            state.fill(0)
        self._finish.reset()

    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """One step; fresh arrays."""
        self._finish.shrink(frame, self._small[0])
        self._requests[self._turn].infer()
        self._turn = 1 - self._turn
        slope, offset, coarse = self._coefficients
        if not np.isfinite(slope.sum() + offset.sum()):
            raise NotAMatteError
        return self._finish.finish(
            frame, self._small[0], (slope[0], offset[0], coarse[0, 0]), backdrop, plan(edges), want_foreground
        )

    def close(self) -> None:
        """End the threads; OpenVINO frees the rest."""
        self._requests = []
        self._finish.close()

    def _bind(
        self, compiled: ov.CompiledModel, before: Sequence[NDArray[np.float32]], after: Sequence[NDArray[np.float32]]
    ) -> ov.InferRequest:
        """A request that reads and writes these arrays in place."""
        request = compiled.create_infer_request()
        for index, array in enumerate([self._small, *before]):
            request.set_input_tensor(index, ov.Tensor(array, shared_memory=True))
        for index, array in enumerate([*self._coefficients, *after]):
            request.set_output_tensor(index, ov.Tensor(array, shared_memory=True))
        return request
