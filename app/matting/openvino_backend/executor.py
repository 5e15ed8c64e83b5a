"""Executor for CPUs: the network runs in OpenVINO, the rest of the step in `CpuFinish`."""

from __future__ import annotations

import numpy as np

from app.core.cpu_parts import CpuPart
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte
from app.matting.base import NotAMatteError
from app.matting.geometry import StepGeometry
from app.matting.openvino_backend.artefact import Artefact, Stage
from app.matting.openvino_backend.finish import CpuFinish
from app.matting.openvino_backend.runtime import ov
from app.matting.openvino_backend.stages import Arrays, Shape, bound, compiled, fitted, halved_shapes
from app.matting.step.edges import plan
from app.matting.strict.numpy_strict import StrictFilter
from models.names import COEFFICIENTS, state_names


class OpenVinoExecutor:
    """Runs compiled stages in place on preallocated arrays.

    State arrays are double-buffered, with one set of inference requests per direction, so that states are never copied.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, artefact: Artefact, geometry: StepGeometry, precision: str = "float32") -> None:
        """Compile the artefact for this geometry. Raises RuntimeError if OpenVINO fails to compile it."""
        self.precision = precision
        self._finish = CpuFinish(geometry)
        self._strict = StrictFilter()
        self._filter = artefact.guided_filter
        height, width = geometry.small_height, geometry.small_width
        before, after = state_names(len(artefact.states))
        self._after = dict(zip(before, after, strict=True)) | dict(zip(after, before, strict=True))
        states = dict(zip(before, artefact.state_shapes(height, width), strict=True))
        small: Shape = (1, 3, height, width)
        models, shapes = fitted(artefact.stages, {"small": small, **halved_shapes(height, width), **states})
        networks = compiled(artefact.stages, models, precision)
        shapes |= {"small": small} | {name: (1, 1 if name == "coarse" else 4, height, width) for name in COEFFICIENTS}
        self._arrays: Arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self._halves = [self._arrays[name][0] for name in sorted(halved_shapes(height, width)) if name in self._arrays]
        self._states = [[self._arrays[name] for name in names] for names in (before, after)]
        self._requests = [
            [self._bind(stage, network, swapped) for stage, network in zip(artefact.stages, networks, strict=True)]
            for swapped in (False, True)
        ]
        self._turn = 0

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        for state in self._states[self._turn]:
            state.fill(0)
        self._finish.reset()
        self._strict.reset(seen)

    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """Run one step and return new arrays."""
        small = self._arrays["small"][0]
        self._finish.shrink(frame, small)
        self._finish.halve(small, self._halves)
        self._infer()
        slope, offset, coarse = (self._arrays[name][0] for name in COEFFICIENTS)
        if not np.isfinite(offset.sum()):  # A NaN in the slope propagates to the offset.
            raise NotAMatteError
        if edges.strict:
            self._strict.apply(small, slope, offset, coarse[0])
        else:
            self._strict.reset()
        return self._finish.finish(frame, small, (slope, offset, coarse[0]), backdrop, plan(edges), want_foreground)

    def close(self) -> None:
        """Stop the threads and release the requests. Idempotent."""
        for requests in self._requests:
            while requests:
                requests.pop()  # One at a time: freeing a request is slow and holds the GIL.
        self._finish.close()

    def _infer(self) -> None:
        """Run the network: compute coefficients and new states from the small frame and the states."""
        with CpuPart("network"):
            for request in self._requests[self._turn]:
                request.infer()
        self._turn = 1 - self._turn
        if self._filter is not None:
            given, small = self._arrays["given"][0], self._arrays["small"][0]
            slope, offset, coarse = (self._arrays[name][0] for name in COEFFICIENTS)
            self._finish.guide(self._filter, given, small, (slope, offset, coarse))

    def _bind(self, stage: Stage, network: ov.CompiledModel, swapped: bool) -> ov.InferRequest:
        """Return a request bound to the arrays; `swapped` exchanges the state arrays before and after the step."""
        arrays = self._arrays
        if swapped:
            arrays = arrays | {name: arrays[other] for name, other in self._after.items() if name in arrays}
        return bound(stage, network, arrays)
