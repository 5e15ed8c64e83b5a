"""Recurrent networks in OpenVINO, with the arithmetic around them that OpenVINO is slow at.

A network has what it remembers of its stream. While nothing moves beside people, another one for
fewer columns takes over (`app.matting.openvino.columns`). `app.matting.cpu` does the rest of the
step.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np

from app.core.targets import INTEL, Target
from app.core.threads import Strips, name_thread
from app.core.types import AlphaImage, BgrImage, Floats
from app.matting.cpu.cpu_backend import Coefficients, CpuBackend
from app.matting.interface import DARK, StepGeometry, network_gain
from app.matting.kernels.network import (
    fast_filter_rows,
    learned_filter_rows,
    matte_rows,
    shrink_rows,
)
from app.matting.openvino.columns import SURVEY_FRAMES, ColumnTracker
from app.matting.openvino.conversion import (
    Arrays,
    Artefact,
    Shape,
    bound,
    check_alpha,
    compiled,
    compiled_for_any_size,
    fitted,
    halved_shapes,
)
from app.matting.openvino.gpu import GpuNetwork
from app.matting.strict.cpu_strict import blurred
from models.exchange import (
    COEFFICIENTS,
    PLATE_CHANNELS,
    DecisionRule,
    FilterWeights,
    ForgettingRule,
    LearnedFilterWeights,
    state_names,
)

_log = logging.getLogger(__name__)
# Names of what the stages around the network remember, at
# the size of the small frame and at a quarter of it.
DECISION = "decision.last"
FORGETTING = "forgetting.last"
# The network for one size alone, and the one for fewer columns, are made after
# so many frames: whoever tries another detail waits for neither.
FRAMES_BEFORE_OWN = 24


class NetworkMemory:
    """What a network, and the stages around it, remember of the stream."""

    def __init__(self, artefact: Artefact, arrays: Arrays, height: int, width: int) -> None:
        """arrays: those of the network. height, width: of the small frame."""
        before, after = state_names(len(artefact.states))
        # What a step reads, and what it writes in place of it.
        self.states = {name: arrays[name] for name in before}
        self.states_after_step = [arrays[name] for name in after]
        # What the stages around the network remember of the last frame.
        self.last: Arrays = {}
        if artefact.decision is not None:
            self.last[DECISION] = np.zeros((height, width), np.float32)
        if artefact.forgetting is not None:
            self.last[FORGETTING] = np.zeros_like(arrays["half2"][0])
        # Where the columns are in each: their axis, and how many
        # columns of the small frame are one of them.
        self._columns_of = {DECISION: (1, 1), FORGETTING: (2, 4)}
        for index, (_channels, factor) in enumerate(artefact.states):
            self._columns_of[f"state{index}"] = (2, factor)

    @property
    def arrays(self) -> Arrays:
        """All of it, by name."""
        return self.states | self.last

    def copy(self, other: NetworkMemory, own_first: int, first: int, width: int) -> None:
        """Copy what another network of the same kind remembers of `width` columns.

        own_first, first: where these begin in the small frame of either network. They and the width
        are multiples of all factors of states, or the columns are all of both networks.
        """
        theirs = other.arrays
        for name, own in self.arrays.items():
            axis, factor = self._columns_of[name]
            count = -(-width // factor)
            target = np.moveaxis(own, axis, 0)[own_first // factor :][:count]
            source = np.moveaxis(theirs[name], axis, 0)[first // factor :][:count]
            np.copyto(target, source)


class RecurrentNetwork:
    """Runs compiled stages in place on preallocated arrays."""

    def __init__(
        self,
        artefact: Artefact,
        geometry: StepGeometry,
        precision: str,
        strips: Strips,
        threads: int | None = None,
        *,
        for_any_size: bool = False,
    ) -> None:
        """Compile the artefact for this geometry. threads: of an inference; None for all cores.

        for_any_size: use what is compiled for any size, see `compiled_for_any_size`. Raises
        RuntimeError if OpenVINO fails to compile it.
        """
        self._strips = strips
        self.is_for_any_size = for_any_size
        self._artefact = artefact
        self._filter = None
        if artefact.guided_filter is not None:
            self._filter = filter_kernel(artefact.guided_filter)
        height = geometry.small_height
        width = geometry.small_width
        halves = halved_shapes(height, width)
        before, _after = state_names(len(artefact.states))
        states = dict(zip(before, artefact.state_shapes(height, width), strict=True))
        small: Shape = (1, 3, height, width)
        plate: Shape = (1, PLATE_CHANNELS, height, width)
        inputs = {"small": small, "plate": plate, **halves, **states}
        self._models, shapes = fitted(artefact, inputs)
        # Also what no stage reads or writes: the kernels around them do.
        shapes["small"] = small
        for name in COEFFICIENTS:
            planes = 1 if name == "coarse" else 4
            shapes[name] = (1, planes, height, width)
        if artefact.alpha_margin is not None:
            shapes["matte"] = (1, 4, height, width)
        if artefact.forgetting is not None:
            shapes["half1"] = halves["half1"]
            shapes["half2"] = halves["half2"]
        # Inputs and outputs by name; see `models.export`.
        self.arrays: Arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self.small: Floats = self.arrays["small"][0]
        """(3, h, w), the network's input, RGB in 0..1."""
        slope, offset, coarse = (self.arrays[name][0] for name in COEFFICIENTS)
        # Slope and offset (4, h, w) and alpha (h, w) of the
        # last frame; see `app.matting.torch.frame_step`.
        self.coefficients: tuple[Floats, Floats, Floats] = (slope, offset, coarse[0])
        # The input at 1/2, 1/4, and so on.
        self._halves = [self.arrays[name][0] for name in halves if name in self.arrays]
        self.memory = NetworkMemory(artefact, self.arrays, height, width)
        # Whether the arrays of steady stages are of the stream.
        self._has_features = False
        # What runs the stages in place of the CPU, until it fails.
        self.gpu: GpuNetwork | None = None
        if for_any_size:
            networks = compiled_for_any_size(artefact, precision)
        else:
            networks = compiled(artefact.stages, self._models, precision, threads=threads)
        self._requests = []
        for stage, network in zip(artefact.stages, networks, strict=True):
            self._requests.append(bound(stage, network, self.arrays))

    def use_gpu(self, target: Target) -> GpuNetwork:
        """Let a GPU run the stages in place of the CPU, once they are compiled for it."""
        self.gpu = GpuNetwork(self._artefact.stages, self._models, self.arrays, target)
        return self.gpu

    def run(
        self,
        steady: bool = False,
        outputs: tuple[Floats, Floats, Floats] | None = None,
        column: int = 0,
    ) -> Floats:
        """Advance the memory, fill the outputs, and return alpha of the input (h, w).

        It is that before the decision: strict mode tells people from ghosts by how certain the
        network is. steady: as of `CpuBackend.infer`. outputs: `coefficients` of this network, or of
        one for more columns, which are filled from `column` on. All arrays are those of the next
        run, too.
        """
        self._halve()
        memory = self.memory
        states = list(memory.states.values())
        forgetting = self._artefact.forgetting
        if forgetting is not None:
            forget_changed(self._halves[1], memory.last[FORGETTING], forgetting, states)
        self.infer(steady)
        for state, following in zip(states, memory.states_after_step, strict=True):
            np.copyto(state, following)
        slope, offset, coarse = outputs or self.coefficients
        alpha = coarse[:, column : column + self.small.shape[2]]
        decision = self._artefact.decision
        if decision is not None:
            decided = self.arrays["matte"][0, 3]
            alpha = decided.copy()
            decide(decided, memory.last[DECISION], decision)
        if self._filter is not None:
            kernel, parameters = self._filter
            inputs = (self.small, self.arrays["matte"][0], *parameters)
            filled = (slope, offset, coarse[None], column)
            self._strips.run(self.small.shape[1], kernel, *inputs, *filled)
        return alpha

    def alpha_of_first(self, small: Floats) -> Floats:
        """Return alpha (h, w) of the first frame of a stream, and forget it. small: as `small`."""
        np.copyto(self.small, small)
        self._halve()
        alpha = self._infer_on_cpu().copy()
        self.reset()
        return alpha

    def _halve(self) -> None:
        """Fill the inputs that are the input at a part of its size."""
        for larger, means in itertools.pairwise((self.small, *self._halves)):
            halved(larger, means)

    def copy_memory(self, other: RecurrentNetwork, own_first: int, first: int, width: int) -> None:
        """Go on from what another network remembers, as `NetworkMemory.copy`."""
        self._has_features = False
        self.memory.copy(other.memory, own_first, first, width)

    def reset(self) -> None:
        """Forget the stream."""
        self._has_features = False
        for array in self.memory.arrays.values():
            array.fill(0)

    def close(self) -> None:
        """Release the requests. Idempotent."""
        self.gpu = None
        # One at a time: freeing a request is slow and holds the GIL.
        while self._requests:
            self._requests.pop()

    def infer(self, steady: bool = False) -> None:
        """Run the network on its input, without the guided filter and the memory.

        steady: leave out the steady stages, if what they wrote is of the stream; a GPU, which
        spares the processor nothing by that, runs them all.
        """
        if self.gpu is None or not self.gpu.is_ready():
            self._infer_on_cpu(left_out=steady and self._has_features)
        elif not self.gpu.infer(self._read_cells, self._infer_on_cpu):
            # What the GPU wrote in earlier frames may be wrong as well.
            for state in self.memory.states.values():
                state.fill(0)
            if DECISION in self.memory.last:
                self.memory.last[DECISION].fill(0)
            self._infer_on_cpu()
        self._has_features = True

    def _read_cells(self) -> Floats:
        """Return alpha (h, w) as the network wrote it; of one that writes cells, make the matte."""
        margin = self._artefact.alpha_margin
        if margin is not None:
            matte = self.arrays["matte"][0]
            matte_rows(self.arrays["cells"][0], margin, matte, 0, matte.shape[1])
        alpha: Floats
        if self._filter is not None:
            alpha = self.arrays["matte"][0, 3]
        else:
            alpha = self.arrays["coarse"][0, 0]
        return alpha

    def _infer_on_cpu(self, left_out: bool = False) -> Floats:
        """Run the stages on the CPU; return alpha as of `_read_cells`.

        left_out: without the steady ones.
        """
        for stage, request in zip(self._artefact.stages, self._requests, strict=True):
            if not (left_out and stage.steady):
                request.infer()
        return self._read_cells()


def decide(alpha: Floats, last: Floats, rule: DecisionRule) -> None:
    """Limit alpha (h, w), in 0..1, in place to what the decisions nearby allow.

    `models.exchange` explains the rule. last: (h, w) the decisions of the frame before, zeros
    before the first one; replaced by those of this frame. OpenVINO needs ten times as long for it
    as OpenCV, because it pads a single channel to sixteen.
    """
    share = 1 / rule.width
    means = blurred(alpha, 1)
    unlimited = cv2.addWeighted(means, share, last, share * rule.hysteresis, 0.5 - 0.5 * share)
    foreground = np.asarray(np.clip(unlimited, 0, 1), np.float32)
    side = 2 * rule.band + 1
    band = np.ones((side, side), np.uint8)
    lowest = blurred(np.asarray(cv2.erode(foreground, band), np.float32), rule.ramp)
    highest = blurred(np.asarray(cv2.dilate(foreground, band), np.float32), rule.ramp)
    np.minimum(np.maximum(alpha, lowest, out=alpha), highest, out=alpha)
    np.multiply(foreground, 2, out=last)
    last -= 1


_SQUARE = np.ones((3, 3), np.uint8)


def forget_changed(
    means: Floats,
    last: Floats,
    rule: ForgettingRule,
    memories: Sequence[Floats],
) -> None:
    """Clear the memories in place where the picture changes; `models.exchange` explains the rule.

    means: (3, h, w) the next frame at 1/4. last: the same of the frame before, zeros before the
    first one; replaced by that of this frame. memories: (1, h, w, C) at 1/4, 1/8 and 1/16.
    """
    change = np.abs(means - last).max(0)
    np.copyto(last, means)
    if float(change.max()) <= rule.change:
        return
    change /= np.float32(rule.change)
    change -= 1
    keep = 1 - np.asarray(cv2.dilate(np.clip(change, 0, 1), _SQUARE), np.float32)
    for memory in memories:
        memory *= keep[None, :, :, None]
        keep = halved(keep[None])[0]


def halved(planes: Floats, means: Floats | None = None) -> Floats:
    """Return means of 2x2 pixels of planes (n, h, w), or of fewer at odd borders.

    means: the memory for them; None: new memory.
    """
    count, height, width = planes.shape
    if means is None:
        means = np.empty((count, -(-height // 2), -(-width // 2)), np.float32)
    if height % 2 or width % 2:
        planes = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    # One call for all planes, one above the other.
    stacked = means.reshape(-1, means.shape[2])
    source = planes.reshape(-1, planes.shape[2])
    cv2.resize(source, stacked.shape[::-1], dst=stacked, interpolation=cv2.INTER_AREA)
    return means


def filter_kernel(weights: FilterWeights) -> tuple[Callable[..., object], tuple[object, ...]]:
    """Return the kernel of a guided filter, and its arguments between the input and the outputs.

    OpenVINO makes thirty passes over memory for it, the kernels make one.
    """
    if isinstance(weights, LearnedFilterWeights):
        convolutions = (weights.first, weights.second, weights.third)
        return learned_filter_rows, (weights.project, weights.box, *convolutions)
    return fast_filter_rows, (weights.epsilon, weights.renormalize_borders)


class OpenVinoBackend(CpuBackend):
    """Runs a network on the frame, or on a window of its columns where that is enough.

    Nobody is beside the window. What the network remembers is copied from the frame to the window
    and back; beside the window it stays.
    """

    # Whether the network sees dark frames brighter: not where it
    # compares them with a plate, which would have to be as bright.
    sees_gain = True

    def __init__(
        self,
        artefact: Artefact,
        geometry: StepGeometry,
        precision: str,
        threads: int | None,
        *,
        live: bool,
        survey_frames: int = SURVEY_FRAMES,
        gpu: Target | None = None,
    ) -> None:
        """Compile the artefact for this geometry. threads: of a step; None for all cores.

        live: the network may leave out columns, and no picture waits for what spares time: it
        begins with the network for any size; the one for this size alone is made beside the frames,
        and then the one for fewer columns, again whenever other windows suffice. gpu: a GPU that
        runs the network of all columns; a live picture does not wait for it. Raises RuntimeError if
        OpenVINO fails to compile the network for the CPU.
        """
        super().__init__(geometry, precision, threads)
        self._cpu_precision = precision
        self._artefact = artefact
        self._threads = threads
        self._whole = self.make_network(geometry.small_width, for_any_size=live)
        self._columns = ColumnTracker(geometry.small_width, survey_frames)
        self._pool = ThreadPoolExecutor(
            1, thread_name_prefix="compiler", initializer=name_thread, initargs=("compiler",)
        )
        # The network for fewer columns, and what is made beside the frames.
        self._narrow: RecurrentNetwork | None = None
        self._next: Future[RecurrentNetwork] | None = None
        # Whether networks are made beside the frames, until one fails.
        self._makes = live
        # First column of the window that was seen last,
        # and that has the memory; None: all columns.
        self._first: int | None = None
        self._narrows = bool(artefact.states and artefact.guided_filter and self._columns.wanted)
        self._frames = 0
        if gpu is not None:
            made = self._whole.use_gpu(gpu)
            if not live:
                made.wait()
            self._follow_gpu()

    @property
    def _waits_for_gpu(self) -> bool:
        """Whether a GPU runs the network of all columns, or will."""
        gpu = self._whole.gpu
        return gpu is not None and not gpu.problem

    @property
    def window(self) -> slice | None:
        """The columns that were seen last; None: all."""
        if self._first is None:
            return None
        return slice(self._first, self._first + self._columns.window)

    def make_network(self, width: int, *, for_any_size: bool = False) -> RecurrentNetwork:
        """Return the network for so many columns; see `RecurrentNetwork`. Raises RuntimeError."""
        return RecurrentNetwork(
            self._artefact,
            StepGeometry(width, self._geometry.small_height, 1.0),
            self._cpu_precision,
            self.strips,
            self._threads,
            for_any_size=for_any_size,
        )

    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        """Compute coefficients of the frame and new states; see `CpuBackend.infer`."""
        self._follow_gpu()
        self._frames += 1
        # Before the frame is read: it is read into the network that then runs.
        if self._next is None:
            self._begin_making()
        elif self._next.done():
            self._use(self._next)
        is_provisional = self._makes and self._whole.is_for_any_size
        self.is_settling = is_provisional and not self._waits_for_gpu
        small = self._whole.small
        ratio = self._geometry.ratio
        self.strips.run(small.shape[1], shrink_rows, frame, ratio, ratio, small)
        if self._narrow is not None and self._last is not None:
            self._columns.track(self._last.coarse)
        first = None
        if self._narrow is not None:
            first = self._columns.choose(small)
        if first != self._first:
            self._move_memory(first)
        mean = float(small[:, ::4, ::4].mean()) if self.sees_gain else 1.0
        if mean >= DARK:
            return self._coefficients(first, steady)
        # The network sees the dark frame brighter. Its coefficients are of what it
        # saw; slopes of alpha and offsets of colours are then those of the frame.
        gain = network_gain(mean)
        frame_small = small.copy()
        np.minimum(small * np.float32(gain), 1, out=small)
        coefficients = self._coefficients(first, steady)
        np.copyto(small, frame_small)
        coefficients.slope[3] *= np.float32(gain)
        coefficients.offset[:3] *= np.float32(1 / gain)
        return coefficients

    def _coefficients(self, first: int | None, steady: bool) -> Coefficients:
        """Run the network on its input. first: column of the window; None: all columns."""
        small = self._whole.small
        narrow = self._narrow
        slope, offset, _ = self._whole.coefficients
        if narrow is not None and first is not None:
            end = first + self._columns.window
            np.copyto(narrow.small, small[:, :, first:end])
            alpha = narrow.run(steady, self._whole.coefficients, first)
            if not self._columns.is_too_narrow(alpha):
                # Nobody is beside the window.
                coarse = np.empty(small.shape[1:], np.float32)
                coarse[:, first:end] = alpha
                for planes in (slope, offset, coarse):
                    planes[..., :first] = 0
                    planes[..., end:] = 0
                return Coefficients(small, slope, offset, coarse)
            self._move_memory(None)
        return Coefficients(small, slope, offset, self._whole.run(steady))

    def _follow_gpu(self) -> None:
        """Say whether the network runs on the GPU, and why it does no more."""
        gpu = self._whole.gpu
        if gpu is None:
            return
        if gpu.is_ready():
            self.device = INTEL
            self.precision = gpu.precision
        else:
            self.device = CpuBackend.device
            self.precision = self._cpu_precision
        self.gpu_problem = gpu.problem

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        super().reset(seen)
        self._first = None
        self._whole.reset()
        self._columns.reset()

    def close(self) -> None:
        """Stop the threads and release the requests. Idempotent."""
        self._pool.shutdown()
        self._whole.close()
        if self._narrow is not None:
            self._narrow.close()
        if self._next is not None and self._next.exception() is None:
            self._next.result().close()
        super().close()

    def _begin_making(self) -> None:
        """Begin to make the next network that spares time, on a thread, once it is worth it."""
        # A GPU needs less of the processor for all columns than the CPU for a few; once it fails,
        # the CPU needs the networks.
        if not self._makes or self._waits_for_gpu or self._frames < FRAMES_BEFORE_OWN:
            return
        if self._whole.is_for_any_size:
            width = self._geometry.small_width
        elif self._narrows and (
            self._narrow is None or self._columns.wanted != self._columns.window
        ):
            width = self._columns.wanted
        else:
            return
        # Of the last frame, in the middle: the next one is written into the same array.
        first = (self._geometry.small_width - width) // 2
        seen = self._whole.small[:, :, first : first + width].copy()
        self._next = self._pool.submit(self._make_checked, width, seen)

    def _make_checked(self, width: int, seen: Floats) -> RecurrentNetwork:
        """Return the network for so many columns, which is the one for any size in what it does.

        seen: (3, h, width), what both are tried with. Raises ValueError where they differ: such a
        network would show the room, and the self-test was that of the other one.
        """
        network = self.make_network(width)
        tested = self.make_network(width, for_any_size=True)
        right = tested.alpha_of_first(seen)
        try:
            check_alpha(network.alpha_of_first(seen), right, "the network for any size")
        except ValueError:
            network.close()
            raise
        finally:
            tested.close()
        return network

    def _use(self, made: Future[RecurrentNetwork]) -> None:
        """Use a network that was made beside the frames."""
        self._next = None
        error = made.exception()
        if error is not None:
            # It only spares time: what runs goes on.
            _log.warning("A network that spares time cannot be used.", exc_info=error)
            self._makes = False
            return
        self._move_memory(None)
        network = made.result()
        old: RecurrentNetwork | None
        if self._whole.is_for_any_size:
            old = self._whole
            network.copy_memory(old, 0, 0, self._geometry.small_width)
            self._whole = network
        else:
            old = self._narrow
            self._narrow = network
            self._columns.use(network.small.shape[2])
        if old is not None:
            self._pool.submit(old.close)

    def _move_memory(self, first: int | None) -> None:
        """Copy the memory to the window that begins at column `first`, or to the whole frame."""
        narrow = self._narrow
        if first == self._first or narrow is None:
            return
        if self._first is not None:
            self._whole.copy_memory(narrow, self._first, 0, self._columns.window)
        if first is not None:
            narrow.copy_memory(self._whole, 0, first, self._columns.window)
        self._first = first
