"""The network in OpenVINO, everything around it in `CpuFinish`: the way of a frame on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.matting.conversion import state_shapes
from app.matting.edges import plan
from app.matting.executors.base import NotAMatteError
from app.matting.finish import CpuFinish
from app.matting.geometry import StepGeometry
from app.matting.graph import channels_last, split_exact
from app.matting.silent_openvino import core, ov
from app.settings import EdgeSettings
from app.types import Backdrop, BgrImage, Matte

HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
COEFFICIENTS = 3
"""The outputs before the states: slope, offset, coarse alpha."""

Arrays = list[NDArray[np.float32]]


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
        height, width = geometry.small_height, geometry.small_width
        self._small = np.zeros((1, 3, height, width), np.float32)
        self._coefficients = [np.zeros((1, channels, height, width), np.float32) for channels in (4, 4, 1)]
        shapes = state_shapes(model, height, width)
        fitted = model.clone()
        fitted.reshape(dict(zip(fitted.inputs, [self._small.shape, *shapes], strict=True)))
        self._states = [[np.zeros((b, h, w, c), np.float32) for b, c, h, w in shapes] for _ in range(2)]
        parts = split_exact(fitted, COEFFICIENTS) if precision != "float32" else None
        if parts is None:
            self._requests = self._bind_whole(fitted, device)
        else:
            self._requests = self._bind_parts(*parts, device)
        self._turn = 0

    def reset(self) -> None:
        """Start the recurrent state anew."""
        for state in self._states[self._turn]:
            state.fill(0)
        self._finish.reset()

    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """One step; fresh arrays."""
        self._finish.shrink(frame, self._small[0])
        for request in self._requests[self._turn]:
            request.infer()
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

    def _bind_whole(self, model: ov.Model, device: str) -> list[list[ov.InferRequest]]:
        """For each turn, the requests to run: one."""
        count = len(self._states[0])
        model = channels_last(model, range(1, 1 + count), range(COEFFICIENTS, COEFFICIENTS + count))
        compiled = _compile(model, device, self.precision)
        return [
            [_request(compiled, [self._small, *before], [*self._coefficients, *after])]
            for before, after in self._turns()
        ]

    def _bind_parts(self, first: ov.Model, second: ov.Model, device: str) -> list[list[ov.InferRequest]]:
        """For each turn, the requests to run: the network, then what has to be exact."""
        count = len(self._states[0])
        channels, height, width = list(first.output(0).shape)[1:]
        self._features = np.zeros((1, height, width, channels), np.float32)
        first = channels_last(first, range(1, 1 + count), range(1 + count))
        second = channels_last(second, [1], [])
        network, exact = _compile(first, device, self.precision), _compile(second, device, "float32")
        refine = _request(exact, [self._small, self._features], self._coefficients)
        return [
            [_request(network, [self._small, *before], [self._features, *after]), refine]
            for before, after in self._turns()
        ]

    def _turns(self) -> list[tuple[Arrays, Arrays]]:
        """The states before and after a step, for both turns."""
        even, odd = self._states
        return [(even, odd), (odd, even)]


def _compile(model: ov.Model, device: str, precision: str) -> ov.CompiledModel:
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": HINTS[precision]}
    return core().compile_model(model, device, hints)


def _request(
    compiled: ov.CompiledModel, inputs: Sequence[NDArray[np.float32]], outputs: Sequence[NDArray[np.float32]]
) -> ov.InferRequest:
    """A request that reads and writes these arrays in place; they must outlive it."""
    request = compiled.create_infer_request()
    for index, array in enumerate(inputs):
        request.set_input_tensor(index, ov.Tensor(array, shared_memory=True))
    for index, array in enumerate(outputs):
        request.set_output_tensor(index, ov.Tensor(array, shared_memory=True))
    return request
