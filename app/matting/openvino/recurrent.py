"""A recurrent network in OpenVINO with what it remembers of its stream, and the arithmetic that OpenVINO is slow at."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np

from app.core.threads import Strips
from app.core.types import Floats
from app.matting.base.interface import StateArrays, StepGeometry, check_memory, copy_into
from app.matting.cpu.compositor import Coefficients
from app.matting.cpu.cpu_backend import guided_filter
from app.matting.kernels.network_arrays import halve_rows, matte_rows
from app.matting.openvino.artefact import Arrays, Artefact, NetworkStage, Shape, bound, compiled, fitted, halved_shapes
from app.matting.openvino.runtime import ov
from models.rules import COEFFICIENTS, PLATE_CHANNELS, DecisionRule, ForgettingRule, state_names

DECISION, FORGETTING = "decision.last", "forgetting.last"
"""Names of what the stages around the network remember, at the size of the small frame and at a quarter of it."""


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
        self._turn = 0
        self._steady = [stage.steady for stage in artefact.stages]
        self._has_features = False
        """Whether the arrays of steady stages are of the stream."""
        networks = compiled(artefact.stages, models, precision, threads=threads)
        self._requests = [
            [self._bind(stage, network, swapped) for stage, network in zip(artefact.stages, networks, strict=True)]
            for swapped in (False, True)
        ]

    def step(self, steady: bool = False) -> Coefficients:
        """Return the coefficients of the input and advance the memory. Their arrays are those of the next step, too.

        Their coarse alpha is that of `run`. steady: as of `CpuBackend.infer`.
        """
        alpha = self.run(steady, self.coefficients, 0)
        slope, offset, _ = self.coefficients
        return Coefficients(self.small, slope, offset, alpha)

    def run(self, steady: bool, outputs: tuple[Floats, Floats, Floats], column: int) -> Floats:
        """Advance the memory, fill the outputs, and return alpha of the input (h, w): that before the decision.

        Strict mode tells people from ghosts by how certain the network is. outputs: `coefficients` of this network, or
        of one for more columns, which are filled from `column` on.
        """
        self._halve()
        if self._forgetting is not None:
            forget_changed(self.small, self._last[FORGETTING], self._forgetting, self._states[self._turn])
        self.infer(steady)
        self._turn = 1 - self._turn
        undecided = None
        if self._decision is not None:
            undecided = self.arrays["matte"][0, 3].copy()
            decide(self.arrays["matte"][0, 3], self._last[DECISION], self._decision)
        self._apply_filter(outputs, column)
        return outputs[2][:, column : column + self.small.shape[2]] if undecided is None else undecided

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

    def _apply_filter(self, outputs: tuple[Floats, Floats, Floats], column: int) -> None:
        if self._filter is not None:
            slope, offset, alpha = outputs
            matte = self.arrays["matte"][0]
            guided_filter(self._strips, self._filter, matte, self.small, (slope, offset, alpha[None]), column)

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
            matte = self.arrays["matte"][0]
            matte_rows(self.arrays["cells"][0], self._alpha_margin, matte, 0, matte.shape[1])

    def _bind(self, stage: NetworkStage, network: ov.CompiledModel, swapped: bool) -> ov.InferRequest:
        """Return a request bound to the arrays; `swapped` exchanges the state arrays before and after the step."""
        arrays = self.arrays
        if swapped:
            arrays = arrays | {name: arrays[other] for name, other in self._after.items() if name in arrays}
        return bound(stage, network, arrays)


def decide(alpha: Floats, last: Floats, rule: DecisionRule) -> None:
    """Limit alpha (h, w), in 0..1, in place to what the decisions nearby allow; `models.rules` explains it.

    last: (h, w) the decisions of the frame before, zeros before the first one; replaced by those of this frame.
    OpenVINO needs ten times as long for it as OpenCV, because it pads a single channel to sixteen.
    """
    share, means = 1 / rule.width, blurred(alpha, 1)
    unlimited = cv2.addWeighted(means, share, last, share * rule.hysteresis, 0.5 - 0.5 * share)
    foreground = np.asarray(np.clip(unlimited, 0, 1), np.float32)
    band = np.ones((2 * rule.band + 1,) * 2, np.uint8)
    lowest = blurred(np.asarray(cv2.erode(foreground, band), np.float32), rule.ramp)
    highest = blurred(np.asarray(cv2.dilate(foreground, band), np.float32), rule.ramp)
    np.minimum(np.maximum(alpha, lowest, out=alpha), highest, out=alpha)
    np.multiply(foreground, 2, out=last)
    last -= 1


def blurred(plane: Floats, radius: int) -> Floats:
    """Return means over squares of this radius, (h, w); borders are replicated."""
    size = 2 * radius + 1
    return np.asarray(cv2.blur(plane, (size, size), borderType=cv2.BORDER_REPLICATE), np.float32)


_SQUARE = np.ones((3, 3), np.uint8)


def forget_changed(small: Floats, last: Floats, rule: ForgettingRule, memories: Sequence[Floats]) -> None:
    """Clear the memories, (1, h, w, C) at 1/4, 1/8 and 1/16, in place where the picture changes; see `models.rules`.

    small: (3, H, W) the next frame. last: (3, h, w) `quartered` of the frame before, zeros before the first one;
    replaced by that of this frame.
    """
    means = quartered(small)
    change = np.abs(means - last).max(0)
    np.copyto(last, means)
    if float(change.max()) <= rule.change:
        return
    change /= np.float32(rule.change)
    change -= 1
    keep = 1 - np.asarray(cv2.dilate(np.clip(change, 0, 1), _SQUARE), np.float32)
    for memory in memories:
        memory *= keep[None, :, :, None]
        keep = _halved(keep[None])[0]


def quartered(picture: Floats) -> Floats:
    """Return means of 4x4 pixels of planes (n, H, W), rounded up at the borders."""
    return _halved(_halved(picture))


def _halved(picture: Floats) -> Floats:
    planes, height, width = picture.shape
    halved = np.empty((planes, -(-height // 2), -(-width // 2)), np.float32)
    halve_rows(picture, halved, 0, halved.shape[1])
    return halved
