"""The network in OpenVINO, everything around it in `CpuFinish`: the way of a frame on a CPU."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, Matte
from app.matting.base import NotAMatteError
from app.matting.geometry import StepGeometry
from app.matting.openvino_backend.conversion import state_shapes
from app.matting.openvino_backend.finish import CpuFinish
from app.matting.openvino_backend.graph import COEFFICIENTS, GIVEN, HALVES, Shape, Stage, fitted, stages
from app.matting.openvino_backend.guided import find_filter
from app.matting.openvino_backend.runtime import core, ov
from app.matting.step.edges import plan
from app.matting.strict.numpy_strict import StrictFilter

HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


class OpenVinoExecutor:
    """Runs a compiled core, in place on arrays of its own.

    The states go from one of two sets of arrays to the other, so that they are never copied: there is a set of requests
    for either direction.
    """

    name = "openvino"

    def __init__(
        self, model: ov.Model, geometry: StepGeometry, device: str = "CPU", precision: str = "float32"
    ) -> None:
        """`model` is from `conversion`. Raises RuntimeError where OpenVINO cannot compile it."""
        self.precision = precision
        self.device = device.lower()
        self._finish = CpuFinish(geometry)
        self._strict = StrictFilter()
        small = (1, 3, geometry.small_height, geometry.small_width)
        shapes = state_shapes(model, geometry.small_height, geometry.small_width)
        # What surrounds the network is done here, in fewer passes over memory; elsewhere that would be a detour.
        found = find_filter(model) if device == "CPU" else None
        self._filter = found[0] if found else None
        mixed = precision != "float32"
        parts = fitted(stages(model, mixed, bare=self._filter is not None), small, shapes)
        with ThreadPoolExecutor(len(parts), thread_name_prefix="compiler") as pool:
            compiled = list(pool.map(lambda part: _compile(part, device, precision), parts))
        coefficients: dict[str, Shape] = {name: (1, 1 if name == "coarse" else 4, *small[2:]) for name in COEFFICIENTS}
        self._arrays = _arrays(parts, coefficients)
        self._halves = [self._arrays[name][0] for name in HALVES if name in self._arrays]
        self._states = [[self._arrays[f"{name}{index}"] for index in range(len(shapes))] for name in ("state", "next")]
        self._requests = [
            [self._bind(part, network, turn) for part, network in zip(parts, compiled, strict=True)]
            for turn in range(2)
        ]
        self._turn = 0

    def reset(self) -> None:
        """Start the recurrent state anew."""
        for state in self._states[self._turn]:
            state.fill(0)
        self._finish.reset()
        self._strict.reset()

    def infer(self) -> None:
        """The network alone: from the small frame and the states to the coefficients and the new states."""
        for request in self._requests[self._turn]:
            request.infer()
        self._turn = 1 - self._turn
        if self._filter is not None:
            given, small = self._arrays[GIVEN][0], self._arrays["small"][0]
            slope, offset, coarse = (self._arrays[name][0] for name in COEFFICIENTS)
            self._finish.guide(self._filter, given, small, (slope, offset, coarse))

    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """One step; fresh arrays."""
        small = self._arrays["small"][0]
        self._finish.shrink(frame, small)
        self._finish.halve(small, self._halves)
        self.infer()
        slope, offset, coarse = (self._arrays[name][0] for name in COEFFICIENTS)
        if not np.isfinite(offset.sum()):  # a slope that is no number makes an offset that is none
            raise NotAMatteError
        if edges.strict:
            self._strict.apply(small, slope, offset, coarse[0])
        else:
            self._strict.reset()
        return self._finish.finish(frame, small, (slope, offset, coarse[0]), backdrop, plan(edges), want_foreground)

    def close(self) -> None:
        """End the threads; OpenVINO frees the rest."""
        for requests in self._requests:
            while requests:
                requests.pop()  # one by one: while one is freed, which takes long, no other thread can run Python
        self._finish.close()

    def _bind(self, part: Stage, network: ov.CompiledModel, turn: int) -> ov.InferRequest:
        """A request that reads and writes the arrays in place; on the second turn the states change places."""
        request = network.create_infer_request()
        for index, name in enumerate(part.reads):
            request.set_input_tensor(index, ov.Tensor(self._arrays[_turned(name, turn)], shared_memory=True))
        for index, name in enumerate(part.writes):
            request.set_output_tensor(index, ov.Tensor(self._arrays[_turned(name, turn)], shared_memory=True))
        return request


def _turned(name: str, turn: int) -> str:
    if turn and name.startswith("state"):
        return name.replace("state", "next")
    if turn and name.startswith("next"):
        return name.replace("next", "state")
    return name


def _compile(part: Stage, device: str, precision: str) -> ov.CompiledModel:
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": HINTS["float32" if part.exact else precision],
    }
    if device == "CPU":
        # A thread that is bound to a core waits for whatever else runs there, such as the window's, beside an idle one.
        options["ENABLE_CPU_PINNING"] = "NO"
    return core().compile_model(part.model, device, options)


def _arrays(parts: list[Stage], shapes: dict[str, Shape]) -> dict[str, NDArray[np.float32]]:
    """An array for everything that is read or written, and for these."""
    for part in parts:
        ports = zip((*part.reads, *part.writes), (*part.model.inputs, *part.model.outputs), strict=True)
        shapes |= {name: tuple(port.shape) for name, port in ports}
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
