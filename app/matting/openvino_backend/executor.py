"""Executors for CPUs: a network in OpenVINO gives the coefficients, the compositor makes the composite of them."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import final

import numpy as np

from app.core.cpu_parts import CpuPart
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte
from app.matting.base import MatteShaper, NotAMatteError
from app.matting.geometry import StepGeometry
from app.matting.openvino_backend.artefact import Artefact, Stage
from app.matting.openvino_backend.compositor import Coefficients, Compositor
from app.matting.openvino_backend.decision import CpuDecision
from app.matting.openvino_backend.forgetting import CpuForgetting
from app.matting.openvino_backend.guided import filter_rows
from app.matting.openvino_backend.runtime import ov
from app.matting.openvino_backend.stages import Arrays, Shape, bound, compiled, fitted, halved_shapes
from app.matting.openvino_backend.strips import Strips
from app.matting.openvino_backend.threads import is_fast_enough, tries_one_thread
from app.matting.shaping.numpy_shaping import shaped
from app.matting.state import StateArrays, copy_into, prefixed, under
from app.matting.step.edges import plan
from app.matting.strict.numpy_strict import StrictFilter
from app.system.compute_threads import usable_cores
from models.names import COEFFICIENTS, state_names


class CpuExecutor(ABC):
    """Implements `Executor`. A subclass computes coefficients; it never makes a composite."""

    name = "openvino"
    device = "cpu"
    supports_strict = True
    relights = True
    """Whether `run` applies the light controls; see `FrameEngine`."""

    def __init__(self, geometry: StepGeometry, precision: str, kernels: ModuleType | None = None) -> None:
        """kernels: see `Strips`."""
        self.precision = precision
        self._strips = Strips(kernels)
        self._compositor = Compositor(geometry, self._strips)
        self._strict = StrictFilter()

    @abstractmethod
    def infer(self, frame: BgrImage) -> Coefficients:
        """Run the network on the next frame, (H, W, 3), and advance the recurrent state."""

    @final
    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """Run one step and return new arrays."""
        coefficients = self._strict_coefficients(frame, edges)
        return self._compositor.composite(frame, coefficients, backdrop, plan(edges), want_foreground)

    @final
    def run_shaped(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool, shaper: MatteShaper
    ) -> Matte:
        """Run one step with a shaped matte; see `ShapingExecutor`."""
        coefficients = self._strict_coefficients(frame, edges)
        shape = shaper.shape(coefficients.small, np.clip(coefficients.coarse, 0, 1))
        shown, coefficients = shaped(frame, coefficients, shape)
        matte = self._compositor.composite(shown, coefficients, backdrop, plan(edges), want_foreground, shape.placement)
        return matte if shown is frame else replace(matte, frame=shown)

    def _strict_coefficients(self, frame: BgrImage, edges: EdgeSettings) -> Coefficients:
        coefficients = self.infer(frame)
        if not coefficients.finite:
            raise NotAMatteError
        if edges.strict and self.supports_strict:
            self._strict.apply(*coefficients[:4])
        else:
            self._strict.reset()
        return coefficients

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        self._compositor.reset()
        self._strict.reset(seen)

    def close(self) -> None:
        """Stop the threads. Idempotent."""
        self._strips.close()


class OpenVinoExecutor(CpuExecutor):
    """Runs compiled stages in place on preallocated arrays.

    State arrays are double-buffered, with one set of inference requests per direction, so that states are never copied.
    """

    def __init__(
        self, artefact: Artefact, geometry: StepGeometry, precision: str = "float32", *, shared: bool = False
    ) -> None:
        """Compile the artefact for this geometry. Raises RuntimeError if OpenVINO fails to compile it.

        shared: other work of the program needs the cores as well; see `app.matting.openvino_backend.threads`.
        """
        super().__init__(geometry, precision)
        self._ratio = geometry.ratio
        self._filter = artefact.guided_filter
        height, width = geometry.small_height, geometry.small_width
        self._decision = None if artefact.decision is None else CpuDecision(artefact.decision, height, width)
        rule = artefact.forgetting
        self._forgetting = None if rule is None else CpuForgetting(rule, self._strips.kernels, height, width)
        before, after = state_names(len(artefact.states))
        self._after = dict(zip(before, after, strict=True)) | dict(zip(after, before, strict=True))
        states = dict(zip(before, artefact.state_shapes(height, width), strict=True))
        small: Shape = (1, 3, height, width)
        models, shapes = fitted(artefact.stages, {"small": small, **halved_shapes(height, width), **states})
        shapes |= {"small": small} | {name: (1, 1 if name == "coarse" else 4, height, width) for name in COEFFICIENTS}
        self._arrays: Arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self._halves = [self._arrays[name][0] for name in sorted(halved_shapes(height, width)) if name in self._arrays]
        self._states = [[self._arrays[name] for name in names] for names in (before, after)]
        self._turn = 0
        self.threads: int | None = 1 if tries_one_thread(usable_cores(), shared=shared) else None
        """Of the step; None for all cores."""
        self._compile(artefact.stages, models)
        if self.threads is not None and not is_fast_enough(self._run_network):
            self.threads = None
            self._compile(artefact.stages, models)
        if self.threads == 1:
            self._strips.threads = 1
        for array in self._arrays.values():
            array.fill(0)

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        super().reset(seen)
        for state in self._states[self._turn]:
            state.fill(0)
        if self._decision is not None:
            self._decision.reset()
        if self._forgetting is not None:
            self._forgetting.reset()

    def state(self) -> StateArrays:
        """Return copies of the state; see `Resumable`."""
        own = {f"state{index}": array.copy() for index, array in enumerate(self._states[self._turn])}
        if self._decision is not None:
            own |= prefixed("decision", self._decision.state())
        if self._forgetting is not None:
            own |= prefixed("forgetting", self._forgetting.state())
        return own | prefixed("compositor", self._compositor.state()) | prefixed("strict", self._strict.state())

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state; see `Resumable`. Raises KeyError or ValueError if the arrays do not fit."""
        for index, array in enumerate(self._states[self._turn]):
            copy_into(array, arrays[f"state{index}"])
        if self._decision is not None:
            self._decision.load_state(under("decision", arrays))
        if self._forgetting is not None:
            self._forgetting.load_state(under("forgetting", arrays))
        self._compositor.load_state(under("compositor", arrays))
        self._strict.load_state(under("strict", arrays))

    def infer(self, frame: BgrImage) -> Coefficients:
        """Compute coefficients and new states from the frame and the states."""
        small = self._arrays["small"][0]
        self._strips.shrink(frame, self._ratio, small)
        for larger, halved in itertools.pairwise((small, *self._halves)):
            self._strips.kernels.halve_rows(larger, halved, 0, halved.shape[1])
        if self._forgetting is not None:
            self._forgetting.apply(small, self._states[self._turn])
        with CpuPart("network"):
            self._run_network()
        self._turn = 1 - self._turn
        undecided = None
        if self._decision is not None:
            undecided = self._arrays["given"][0, 3].copy()
            self._decision.apply(self._arrays["given"][0, 3])
        slope, offset, coarse = (self._arrays[name][0] for name in COEFFICIENTS)
        if self._filter is not None:
            given = self._filter, self._strips.kernels, self._arrays["given"][0], small, (slope, offset, coarse)
            self._strips.run(small.shape[1], lambda top, bottom: filter_rows(*given, top, bottom))
        # Strict mode tells people from ghosts by how certain the network is, before the decision.
        return Coefficients(small, slope, offset, coarse[0] if undecided is None else undecided)

    def close(self) -> None:
        """Stop the threads and release the requests. Idempotent."""
        for requests in self._requests:
            while requests:
                requests.pop()  # One at a time: freeing a request is slow and holds the GIL.
        super().close()

    def _compile(self, stages: Sequence[Stage], models: Sequence[ov.Model]) -> None:
        networks = compiled(stages, models, self.precision, threads=self.threads)
        self._requests = [
            [self._bind(stage, network, swapped) for stage, network in zip(stages, networks, strict=True)]
            for swapped in (False, True)
        ]

    def _run_network(self) -> None:
        for request in self._requests[self._turn]:
            request.infer()

    def _bind(self, stage: Stage, network: ov.CompiledModel, swapped: bool) -> ov.InferRequest:
        """Return a request bound to the arrays; `swapped` exchanges the state arrays before and after the step."""
        arrays = self._arrays
        if swapped:
            arrays = arrays | {name: arrays[other] for name, other in self._after.items() if name in arrays}
        return bound(stage, network, arrays)
