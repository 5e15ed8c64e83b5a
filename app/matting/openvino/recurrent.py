"""A recurrent network in OpenVINO with what it remembers of its stream; compiling and binding of its stages."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from app.core.threads import cpu_part, thread_limit
from app.core.types import BgrImage, Floats
from app.matting.base.interface import StateArrays, StepGeometry, check_memory, copy_into
from app.matting.cpu.compositor import Coefficients
from app.matting.cpu.strips import Ratios, Strips
from app.matting.kernels.network_arrays import halve_rows
from app.matting.openvino.around import SmallPlate, decide, forget_changed, quartered, unpack
from app.matting.openvino.artefact import Artefact, NetworkStage
from app.matting.openvino.runtime import core, ov
from models.names import COEFFICIENTS, PLATE_CHANNELS, state_names

HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "f32"}
"""An int8 network contains its own quantization; everything else in it runs in float32."""
Shape = tuple[int, ...]
Arrays = dict[str, NDArray[np.float32]]
DECISION, FORGETTING = "decision.last", "forgetting.last"
"""Names of what the stages around the network remember, at the size of the small frame and at a quarter of it."""


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


class RecurrentNetwork:
    """Runs compiled stages in place on preallocated arrays.

    State arrays are double-buffered, with one set of inference requests per direction, so that states are never copied.
    """

    def __init__(
        self, artefact: Artefact, geometry: StepGeometry, precision: str, strips: Strips, threads: int | None = None
    ) -> None:
        """Compile the artefact for this geometry. threads: of an inference; None for all cores.

        Raises RuntimeError if OpenVINO fails to compile it.
        """
        self._strips, self._filter = strips, artefact.guided_filter
        height, width = geometry.small_height, geometry.small_width
        self._decision, self._forgetting = artefact.decision, artefact.forgetting
        self._last: Arrays = {}
        """What the stages around the network remember of the last frame."""
        if self._decision is not None:
            self._last[DECISION] = np.zeros((height, width), np.float32)
        if self._forgetting is not None:
            self._last[FORGETTING] = quartered(np.zeros((3, height, width), np.float32))
        self._columns_of = {f"state{index}": (2, factor) for index, (_, factor) in enumerate(artefact.states)}
        self._columns_of |= {DECISION: (1, 1), FORGETTING: (2, 4)}
        """Axis of the columns in what is remembered, and columns of the small frame to one."""
        before, after = state_names(len(artefact.states))
        self._after = dict(zip(before, after, strict=True)) | dict(zip(after, before, strict=True))
        states = dict(zip(before, artefact.state_shapes(height, width), strict=True))
        small: Shape = (1, 3, height, width)
        models, shapes = fitted(
            artefact,
            {"small": small, "plate": (1, PLATE_CHANNELS, height, width), **halved_shapes(height, width), **states},
        )
        shapes |= {"small": small} | {name: (1, 1 if name == "coarse" else 4, height, width) for name in COEFFICIENTS}
        self._alpha_margin = artefact.alpha_margin
        if self._alpha_margin is not None:
            shapes["matte"] = (1, 4, height, width)
        self.arrays: Arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        """Inputs and outputs by name; see `models.export`."""
        self.small: Floats = self.arrays["small"][0]
        """The network's input (3, h, w), RGB in 0..1."""
        slope, offset, coarse = (self.arrays[name][0] for name in COEFFICIENTS)
        self.coefficients: tuple[Floats, Floats, Floats] = slope, offset, coarse[0]
        """Slope and offset (4, h, w) and alpha (h, w) of the last frame; see `app.matting.torch.core`."""
        self._halves = [self.arrays[name][0] for name in sorted(halved_shapes(height, width)) if name in self.arrays]
        self._states = [[self.arrays[name] for name in names] for names in (before, after)]
        self.plate: SmallPlate | None = None
        """Set it before the first frame if the network sees a plate."""
        self._turn = 0
        self._steady = [stage.steady for stage in artefact.stages]
        self._has_features = False
        """Whether the arrays of steady stages are of the stream."""
        networks = compiled(artefact.stages, models, precision, threads=threads)
        self._requests = [
            [self._bind(stage, network, swapped) for stage, network in zip(artefact.stages, networks, strict=True)]
            for swapped in (False, True)
        ]

    def run(self, frame: BgrImage, ratios: Ratios, steady: bool = False) -> Coefficients:
        """Return the coefficients of a frame and advance the memory. Their arrays are those of the next frame, too.

        Their coarse alpha is that before the decision, if there is one: strict mode tells people from ghosts by how
        certain the network is.

        frame: the stream's frame, or a part of it; ratios: of the network's input to it. steady: as of
        `CpuBackend.infer`.
        """
        self.shrink(frame, ratios)
        return self.step(steady)

    def shrink(self, frame: BgrImage, ratios: Ratios) -> Floats:
        """Fill and return the network's input; see `run`."""
        self._strips.shrink(frame, ratios, self.small)
        return self.small

    def step(self, steady: bool = False) -> Coefficients:
        """Return what `run` does, of the network's input."""
        self._halve()
        if self._forgetting is not None:
            forget_changed(self.small, self._last[FORGETTING], self._forgetting, self._states[self._turn])
        if self.plate is not None:
            self.plate.compare(self.small)
        with cpu_part("network"):
            self.infer(steady)
        self._turn = 1 - self._turn
        if self.plate is not None:
            self.plate.limit(self.arrays["matte"][0, 3])
        undecided = None
        if self._decision is not None:
            undecided = self.arrays["matte"][0, 3].copy()
            decide(self.arrays["matte"][0, 3], self._last[DECISION], self._decision)
        self._apply_filter()
        slope, offset, alpha = self.coefficients
        return Coefficients(self.small, slope, offset, alpha if undecided is None else undecided)

    def alpha_without_memory(self, small: Floats) -> Floats:
        """Return alpha (h, w) of another input (3, h, w), for which the memory is neither used nor changed.

        Overwrites `coefficients`.
        """
        states = self._states[self._turn]
        kept = [state.copy() for state in states]
        for state in states:
            state.fill(0)
        np.copyto(self.small, small)
        self._halve()
        with cpu_part("network"):
            self.infer()
        self._has_features = False
        for state, copy in zip(states, kept, strict=True):
            np.copyto(state, copy)
        self._apply_filter()
        return self.coefficients[2].copy()

    @property
    def _memory(self) -> Arrays:
        """All that is remembered of the stream, by name."""
        return {f"state{index}": array for index, array in enumerate(self._states[self._turn])} | self._last

    def take_memory(self, other: RecurrentNetwork, own_first: int, first: int, width: int) -> None:
        """Copy what another network of the same kind remembers of `width` columns of the small frame.

        own_first, first: where the columns begin in the small frame of either network; all three are multiples of all
        factors of states.
        """
        self._has_features = False
        theirs = other._memory
        for name, array in self._memory.items():
            axis, factor = self._columns_of[name]
            own, source = (
                np.moveaxis(memory, axis, 0)[begin // factor : (begin + width) // factor]
                for memory, begin in ((array, own_first), (theirs[name], first))
            )
            np.copyto(own, source)

    def reset(self) -> None:
        """Forget the stream."""
        self._has_features = False
        for array in self._memory.values():
            array.fill(0)

    def state(self) -> Arrays:
        """Return copies of the memory; see `Backend.state`."""
        return {name: array.copy() for name, array in self._memory.items()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the memory. Raises KeyError or ValueError if the arrays do not fit."""
        self._has_features = False
        for name, array in self._memory.items():
            check_memory(arrays[name])
            copy_into(array, arrays[name])

    def close(self) -> None:
        """Release the requests. Idempotent."""
        for requests in self._requests:
            while requests:
                requests.pop()  # One at a time: freeing a request is slow and holds the GIL.

    def _halve(self) -> None:
        for larger, halved in itertools.pairwise((self.small, *self._halves)):
            halve_rows(larger, halved, 0, halved.shape[1])

    def _apply_filter(self) -> None:
        if self._filter is not None:
            slope, offset, alpha = self.coefficients
            self._strips.filter(self._filter, self.arrays["matte"][0], self.small, (slope, offset, alpha[None]))

    def infer(self, steady: bool = False) -> None:
        """Run the network on its input, without the guided filter and the memory's turn.

        steady: leave out the steady stages, if what they wrote is of the stream.
        """
        left_out = steady and self._has_features
        for request, is_steady in zip(self._requests[self._turn], self._steady, strict=True):
            if not (left_out and is_steady):
                request.infer()
        self._has_features = True
        if self._alpha_margin is not None:
            unpack(self.arrays["cells"][0], self._alpha_margin, self.arrays["matte"][0])

    def _bind(self, stage: NetworkStage, network: ov.CompiledModel, swapped: bool) -> ov.InferRequest:
        """Return a request bound to the arrays; `swapped` exchanges the state arrays before and after the step."""
        arrays = self.arrays
        if swapped:
            arrays = arrays | {name: arrays[other] for name, other in self._after.items() if name in arrays}
        return bound(stage, network, arrays)
