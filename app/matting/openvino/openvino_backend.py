"""Recurrent networks in OpenVINO, which see the columns around people while nothing moves beside them.

A network has what it remembers of its stream, and the arithmetic around it that OpenVINO is slow at. It computes only
what a window of columns needs, and sees all columns now and then. `app.matting.cpu` does the rest of the step.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

import cv2
import numpy as np

from app.core.targets import INTEL
from app.core.threads import Strips, name_thread, on_own_thread
from app.core.types import AlphaImage, BgrImage, Floats
from app.matting.cpu.cpu_backend import Coefficients, CpuBackend
from app.matting.interface import DARK, StepGeometry, network_gain
from app.matting.kernels.network import (
    fast_filter_rows,
    learned_filter_rows,
    matte_rows,
    shrink_rows,
)
from app.matting.openvino.conversion import (
    Arrays,
    Artefact,
    Shape,
    bound,
    compiled,
    fitted,
    halved_shapes,
)
from app.matting.openvino.gpu import GpuStages, check
from app.matting.strict.cpu_strict import pooled
from models.exchange import (
    COEFFICIENTS,
    PLATE_CHANNELS,
    DecisionRule,
    FilterWeights,
    ForgettingRule,
    LearnedFilterWeights,
    state_names,
)

DECISION, FORGETTING = "decision.last", "forgetting.last"
"""Names of what the stages around the network remember, at the size of the small frame and at a quarter of it."""


class RecurrentNetwork:
    """Runs compiled stages in place on preallocated arrays."""

    def __init__(
        self, artefact: Artefact, geometry: StepGeometry, precision: str, strips: Strips, threads: int | None = None
    ) -> None:
        """Compile the artefact for this geometry. threads: of an inference; None for all cores.

        Raises RuntimeError if OpenVINO fails to compile it.
        """
        self._strips = strips
        self._filter = None if artefact.guided_filter is None else filter_kernel(artefact.guided_filter)
        height, width = geometry.small_height, geometry.small_width
        self._decision, self._forgetting = artefact.decision, artefact.forgetting
        self._last: Arrays = {}
        """What the stages around the network remember of the last frame."""
        if self._decision is not None:
            self._last[DECISION] = np.zeros((height, width), np.float32)
        self._columns_of = {f"state{index}": (2, factor) for index, (_, factor) in enumerate(artefact.states)}
        self._columns_of |= {DECISION: (1, 1), FORGETTING: (2, 4)}
        """Axis of the columns in what is remembered, and columns of the small frame to one."""
        before, after = state_names(len(artefact.states))
        states = dict(zip(before, artefact.state_shapes(height, width), strict=True))
        small: Shape = (1, 3, height, width)
        halves = halved_shapes(height, width)
        self._artefact = artefact
        self._inputs = {"small": small, "plate": (1, PLATE_CHANNELS, height, width), **halves, **states}
        models, shapes = fitted(artefact, self._inputs)
        shapes |= {"small": small} | {name: (1, 1 if name == "coarse" else 4, height, width) for name in COEFFICIENTS}
        self._alpha_margin = artefact.alpha_margin
        if self._alpha_margin is not None:
            shapes["matte"] = (1, 4, height, width)
        if self._forgetting is not None:
            shapes |= {name: halves[name] for name in ("half1", "half2")}
        self.arrays: Arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        """Inputs and outputs by name; see `models.export`."""
        self.small: Floats = self.arrays["small"][0]
        """The network's input (3, h, w), RGB in 0..1."""
        slope, offset, coarse = (self.arrays[name][0] for name in COEFFICIENTS)
        self.coefficients: tuple[Floats, Floats, Floats] = slope, offset, coarse[0]
        """Slope and offset (4, h, w) and alpha (h, w) of the last frame; see `app.matting.torch.frame_step`."""
        self._halves = [self.arrays[name][0] for name in halves if name in self.arrays]
        """The input at 1/2, 1/4, and so on."""
        if self._forgetting is not None:
            self._last[FORGETTING] = np.zeros_like(self._halves[1])
        self._states = {name: self.arrays[name] for name in before}
        self._next = [self.arrays[name] for name in after]
        """The states after the step."""
        self._steady = [stage.steady for stage in artefact.stages]
        self._has_features = False
        """Whether the arrays of steady stages are of the stream."""
        self.gpu: GpuStages | None = None
        """What runs the stages in place of the CPU, until it fails."""
        self.gpu_error: RuntimeError | None = None
        networks = compiled(artefact.stages, models, precision, threads=threads)
        self._requests = [
            bound(stage, network, self.arrays) for stage, network in zip(artefact.stages, networks, strict=True)
        ]

    def run(
        self, steady: bool = False, outputs: tuple[Floats, Floats, Floats] | None = None, column: int = 0
    ) -> Floats:
        """Advance the memory, fill the outputs, and return alpha of the input (h, w): that before the decision.

        Strict mode tells people from ghosts by how certain the network is. steady: as of `CpuBackend.infer`. outputs:
        `coefficients` of this network, or of one for more columns, which are filled from `column` on. All arrays are
        those of the next run, too.
        """
        for larger, means in itertools.pairwise((self.small, *self._halves)):
            halved(larger, means)
        if self._forgetting is not None:
            forget_changed(self._halves[1], self._last[FORGETTING], self._forgetting, [*self._states.values()])
        self.infer(steady)
        for state, following in zip(self._states.values(), self._next, strict=True):
            np.copyto(state, following)
        slope, offset, coarse = outputs or self.coefficients
        alpha = coarse[:, column : column + self.small.shape[2]]
        if self._decision is not None:
            decided = self.arrays["matte"][0, 3]
            alpha = decided.copy()
            decide(decided, self._last[DECISION], self._decision)
        if self._filter is not None:
            kernel, parameters = self._filter
            inputs = self.small, self.arrays["matte"][0], *parameters
            self._strips.run(self.small.shape[1], kernel, *inputs, slope, offset, coarse[None], column)
        return alpha

    @property
    def memory(self) -> Arrays:
        """All that is remembered of the stream, by name."""
        return self._states | self._last

    def copy_memory(self, other: RecurrentNetwork, own_first: int, first: int, width: int) -> None:
        """Copy what another network of the same kind remembers of `width` columns of the small frame.

        own_first, first: where the columns begin in the small frame of either network; all three are multiples of all
        factors of states.
        """
        self._has_features = False
        theirs = other.memory
        for name, array in self.memory.items():
            axis, factor = self._columns_of[name]
            own, source = (
                np.moveaxis(memory, axis, 0)[begin // factor : (begin + width) // factor]
                for memory, begin in ((array, own_first), (theirs[name], first))
            )
            np.copyto(own, source)

    def reset(self) -> None:
        """Forget the stream."""
        self._has_features = False
        for array in self.memory.values():
            array.fill(0)

    def close(self) -> None:
        """Release the requests. Idempotent."""
        self.gpu = None
        while self._requests:
            self._requests.pop()  # One at a time: freeing a request is slow and holds the GIL.

    def infer(self, steady: bool = False) -> None:
        """Run the network on its input, without the guided filter and the memory.

        steady: leave out the steady stages, if what they wrote is of the stream.
        """
        left_out = steady and self._has_features
        if self.gpu is None:
            self._infer_on_cpu(left_out)
        else:
            self._infer_on_gpu(self.gpu, left_out)
        self._has_features = True
        self._read_cells()

    def _read_cells(self) -> Floats:
        """Make the matte of a network that writes cells; return alpha (h, w) as the network wrote it."""
        if self._alpha_margin is not None:
            matte = self.arrays["matte"][0]
            matte_rows(self.arrays["cells"][0], self._alpha_margin, matte, 0, matte.shape[1])
        alpha: Floats = self.arrays["matte"][0, 3] if self._filter is not None else self.arrays["coarse"][0, 0]
        return alpha

    def make_gpu(self, plugin: str, precision: str) -> GpuStages:
        """Compile the same network for a GPU (any thread). Raises RuntimeError."""
        models, _ = fitted(self._artefact, self._inputs)
        return GpuStages(self._artefact.stages, models, self.arrays, plugin, precision)

    def _infer_on_cpu(self, left_out: bool) -> None:
        for request, is_steady in zip(self._requests, self._steady, strict=True):
            if not (left_out and is_steady):
                request.infer()

    def _infer_on_gpu(self, gpu: GpuStages, left_out: bool) -> None:
        """Run the stages on the GPU; on the CPU, from the same inputs, if it fails or is to be checked."""
        try:
            is_checked = gpu.is_due_for_check()
            gpu.infer(left_out and not is_checked)
            if is_checked:
                alpha = self._read_cells().copy()
                self._infer_on_cpu(left_out=False)
                check(alpha, self._read_cells())
        except RuntimeError as error:
            self.gpu, self.gpu_error = None, error
            self._infer_on_cpu(left_out=False)


def decide(alpha: Floats, last: Floats, rule: DecisionRule) -> None:
    """Limit alpha (h, w), in 0..1, in place to what the decisions nearby allow; `models.exchange` explains it.

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


def forget_changed(means: Floats, last: Floats, rule: ForgettingRule, memories: Sequence[Floats]) -> None:
    """Clear the memories, (1, h, w, C) at 1/4, 1/8 and 1/16, in place where the picture changes; see `models.exchange`.

    means: (3, h, w) the next frame at 1/4. last: the same of the frame before, zeros before the first one; replaced by
    that of this frame.
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
    """Return means of 2x2 pixels of planes (n, h, w), or of fewer at odd borders; in new memory unless it is given."""
    count, height, width = planes.shape
    if means is None:
        means = np.empty((count, -(-height // 2), -(-width // 2)), np.float32)
    if height % 2 or width % 2:
        planes = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    stacked = means.reshape(-1, means.shape[2])  # one call for all planes, one above the other
    cv2.resize(planes.reshape(-1, planes.shape[2]), stacked.shape[::-1], dst=stacked, interpolation=cv2.INTER_AREA)
    return means


def filter_kernel(weights: FilterWeights) -> tuple[Callable[..., object], tuple[object, ...]]:
    """Return the kernel of a guided filter, and its arguments between the input and the outputs.

    OpenVINO makes thirty passes over memory for it, the kernels make one.
    """
    if isinstance(weights, LearnedFilterWeights):
        return learned_filter_rows, (weights.project, weights.box, weights.first, weights.second, weights.third)
    return fast_filter_rows, (weights.epsilon, weights.renormalize_borders)


_log = logging.getLogger(__name__)

ALIGNMENT = 16
"""Windows begin at multiples of this: networks remember at most this many columns of the small frame in one."""
WIDEST, NARROWEST = 0.7, 0.4
"""Shares of the columns that windows have, whose widths are multiples of twice `ALIGNMENT`."""
SURVEY_FRAMES = 300
"""A narrower window is wanted after twice so many frames in which what was shown fits it."""
MARGIN, LEAST_MARGIN = 8, 4
"""Columns beside what is shown that a window has at first, but for the border of the frame, and when it is moved."""
SHOWN_ALPHA = 0.1
"""Alpha from which something is shown: with less of it in each pixel beside the window, nobody is there."""
TOUCH = 2
"""The window is too narrow once something is shown in this many columns at its border."""
SETTLE_FRAMES, MOST_SETTLE_FRAMES = 15, 240
"""Frames in a row in which what is shown must fit a window before it is used; the first is doubled, up to the second,
where a window proves too narrow, which costs a second look at that frame."""
# The network for fewer columns is made after so many frames: whoever tries another detail waits for one network only.
FRAMES_BEFORE_NARROW = 45
WHOLE_EVERY, WHOLE_FRAMES = 90, 5
"""Frames in a row with a window at most, and frames in which the network then looks at all columns; strict mode shows
nobody in the first two."""
MOVED = 0.05
"""Change of a square cell, of 1, that may be somebody who comes: the network sees all columns, of this frame too."""
SHIFT = np.float32(0.25)
"""Share of the contrast to its neighbours by which a cell changes before a camera in the hand."""
CELL_RATE = np.float32(1 / 16)
"""Share of the difference by which the cells to compare with move to those of each frame: light and a camera in the
hand change them slowly."""


def window_widths(small_width: int) -> list[int]:
    """Return the numbers of columns that windows may have, the widest first; none if the frame is too small for one."""
    widest, narrowest = int(WIDEST * small_width), max(6 * ALIGNMENT, int(NARROWEST * small_width))
    return list(range(widest // (2 * ALIGNMENT) * 2 * ALIGNMENT, narrowest - 1, -2 * ALIGNMENT))


class ColumnTracker:
    """Chooses the first column of the window for each frame of a stream."""

    def __init__(self, small_width: int, survey_frames: int = SURVEY_FRAMES) -> None:
        """small_width: number of columns."""
        self._width, self._widths, self._survey_frames = small_width, window_widths(small_width), survey_frames
        self._cell = min(range(small_width // 24, small_width // 16), key=lambda size: small_width % size, default=1)
        """Side of a cell: one that leaves out few columns at the right."""
        self.window = self.wanted = max(self._widths, default=0)
        """Columns of the windows that are chosen, and of those that are wanted; `use` sets the first."""
        self._sufficed = self.wanted
        """In the last survey."""
        self.reset()

    def reset(self) -> None:
        """Forget the stream: the network looks at all columns."""
        self._first: int | None = None
        """Of the window for the next frame; None: there is none."""
        self._cells: Floats | None = None
        """Means of the last frames, (3, rows, columns)."""
        self._narrow = self._whole = self._fitting = 0
        """Frames in a row with a window, frames left in which there is none, and frames in a row that would fit one."""
        self._settle = SETTLE_FRAMES
        self._begin_survey()

    def use(self, window: int) -> None:
        """Choose windows of so many columns from now on."""
        self.window, self._first, self._fitting = window, None, 0

    def _begin_survey(self) -> None:
        self._surveyed = 0
        """Frames in which somebody was shown."""
        self._shown = self._width, 0
        """Left and right of all that was shown in them."""

    def choose(self, small: Floats) -> int | None:
        """Return the window's first column for a frame, (3, h, w) RGB in 0..1; None: all columns."""
        size = min(self._cell, small.shape[1])
        cells, last = pooled(small[:, small.shape[1] % size :], size), self._cells  # people reach the bottom
        self._cells = cells if last is None else last + CELL_RATE * (cells - last)
        if self._first is None or last is None:
            return None
        self._whole -= 1
        end = self._first + self.window
        left, right = self._first // size, -(-end // size)
        change = np.abs(cells - last)
        change[:, :, left:right] = 0
        moved = float(change.max()) > MOVED
        if moved:
            contrast = np.stack([np.asarray(cv2.morphologyEx(plane, cv2.MORPH_GRADIENT, _SQUARE)) for plane in last])
            moved = bool((change > MOVED + SHIFT * contrast).any())
        if moved:
            self._cells = cells
        if moved or self._narrow == WHOLE_EVERY:
            self._narrow, self._whole = 0, WHOLE_FRAMES
        if self._whole > 0:
            return None
        self._narrow += 1
        return self._first

    def is_too_narrow(self, alpha: Floats) -> bool:
        """Return whether somebody continues beyond the window of this frame. alpha: (h, w) of the window."""
        first = self._first
        assert first is not None
        left = first > 0 and bool((alpha[:, :TOUCH] > SHOWN_ALPHA).any())
        right = first + self.window < self._width and bool((alpha[:, -TOUCH:] > SHOWN_ALPHA).any())
        if left or right:
            self._first, self._fitting = None, 0
            self._settle = min(MOST_SETTLE_FRAMES, 2 * self._settle)
        return left or right

    def track(self, alpha: Floats) -> None:
        """Choose the window for the next frame. alpha: (h, w) of a frame, as it is shown."""
        shown = np.flatnonzero(np.asarray(cv2.reduce(alpha, 0, cv2.REDUCE_MAX)) > SHOWN_ALPHA)
        if not shown.size:
            self._first, self._fitting = None, 0
            return
        left, right = int(shown[0]), int(shown[-1]) + 1
        self._survey(left, right)
        if self._first is not None and self._margin(left, right, self._first, self.window) >= LEAST_MARGIN:
            return
        first = self._around(left, right, self.window)
        if self._margin(left, right, first, self.window) < MARGIN:
            self._first, self._fitting = None, 0
            return
        self._fitting += 1
        if self._first is not None or self._fitting >= self._settle:
            self._first = first

    def _survey(self, left: int, right: int) -> None:
        """Decide after a survey which window is wanted: the narrowest that suffices for this one and the last."""
        self._surveyed, self._shown = self._surveyed + 1, (min(left, self._shown[0]), max(right, self._shown[1]))
        if self._surveyed < self._survey_frames:
            return
        firsts = {width: self._around(*self._shown, width) for width in self._widths}
        enough = [width for width, first in firsts.items() if self._margin(*self._shown, first, width) >= MARGIN]
        sufficed = min(enough, default=self._widths[0])
        self.wanted, self._sufficed = max(sufficed, self._sufficed), sufficed
        self._begin_survey()

    def _around(self, left: int, right: int, window: int) -> int:
        """Return the first column of a window around these columns."""
        last = (self._width - window) // ALIGNMENT
        return ALIGNMENT * min(max(0, round(((left + right) / 2 - window / 2) / ALIGNMENT)), last)

    def _margin(self, left: int, right: int, first: int, window: int) -> float:
        """Return the least number of columns between what is shown and a border of the window inside the frame."""
        end = first + window
        return min(left - first if first > 0 else np.inf, end - right if end < self._width else np.inf)


class OpenVinoBackend(CpuBackend):
    """Runs a network on the frame, or on a window of its columns where that is enough.

    Nobody is beside the window. What the network remembers is copied from the frame to the window and back; beside the
    window it stays.
    """

    sees_gain = True
    """Whether the network's input gets the gain of dark frames; not where a plate is compared."""

    def __init__(
        self,
        artefact: Artefact,
        geometry: StepGeometry,
        precision: str,
        threads: int | None,
        *,
        live: bool,
        survey_frames: int = SURVEY_FRAMES,
        gpu: tuple[str, str] | None = None,
    ) -> None:
        """Compile the artefact for this geometry. threads: of a step; None for all cores.

        live: whether the network may leave out columns. The network for them is made beside early frames, and again
        when other windows suffice. gpu: OpenVINO's name of a GPU that runs the network
        of all columns, and its precision; a live picture does not wait for it. Raises RuntimeError if OpenVINO fails to
        compile the network for the CPU.
        """
        super().__init__(geometry, precision, threads)
        self._cpu_precision = precision
        self._artefact, self._threads = artefact, threads
        self._whole = self.make_network(geometry.small_width)
        self._columns = ColumnTracker(geometry.small_width, survey_frames)
        self._pool = ThreadPoolExecutor(
            1, thread_name_prefix="compiler", initializer=name_thread, initargs=("compiler",)
        )
        self._narrow: RecurrentNetwork | None = None
        """The network for fewer columns."""
        self._made: Future[RecurrentNetwork] | None = None
        """The next one."""
        self._first: int | None = None
        """First column of the window that was seen last, and that has the memory; None: all columns."""
        self._narrows = bool(live and artefact.states and artefact.guided_filter and self._columns.wanted)
        self._frames = 0
        self._gpu_precision = "" if gpu is None else gpu[1]
        self._gpu_made: Future[GpuStages] | None = None
        if gpu is not None:
            self._gpu_made = on_own_thread("gpu-compiler", partial(self._whole.make_gpu, *gpu))
            if not live:
                wait([self._gpu_made])
                self._follow_gpu()

    @property
    def window(self) -> slice | None:
        """The columns that were seen last; None: all."""
        return None if self._first is None else slice(self._first, self._first + self._columns.window)

    def make_network(self, width: int) -> RecurrentNetwork:
        """Return the network for so many columns. Raises RuntimeError."""
        part = StepGeometry(width, self._geometry.small_height, 1.0)
        return RecurrentNetwork(self._artefact, part, self.precision, self.strips, self._threads)

    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        """Compute coefficients of the frame and new states; see `CpuBackend.infer`."""
        self._follow_gpu()
        small, ratio = self._whole.small, self._geometry.ratio
        self.strips.run(small.shape[1], shrink_rows, frame, ratio, ratio, small)
        if self._narrow is not None and self._last is not None:
            self._columns.track(self._last.coarse)
        self._frames += 1
        if self._made is not None:
            if self._made.done():
                self._use(self._made)
        elif self._narrow is None or self._columns.wanted != self._columns.window:
            self._begin_making()
        # A GPU needs less of the processor for all columns than the CPU for a few.
        first = None if self._narrow is None or self._whole.gpu is not None else self._columns.choose(small)
        if first != self._first:
            self._move_memory(first)
        mean = float(small[:, ::4, ::4].mean()) if self.sees_gain else 1.0
        if mean >= DARK:
            return self._coefficients(first, steady)
        gain, frame_small = network_gain(mean), small.copy()
        np.minimum(small * np.float32(gain), 1, out=small)
        coefficients = self._coefficients(first, steady)
        np.copyto(small, frame_small)
        coefficients.slope[3] *= np.float32(gain)
        coefficients.offset[:3] *= np.float32(1 / gain)
        return coefficients

    def _coefficients(self, first: int | None, steady: bool) -> Coefficients:
        """Run the network on its input. first: column of the window; None: all columns."""
        small, narrow = self._whole.small, self._narrow
        slope, offset, _ = self._whole.coefficients
        if narrow is not None and first is not None:
            end = first + self._columns.window
            np.copyto(narrow.small, small[:, :, first:end])
            alpha = narrow.run(steady, self._whole.coefficients, first)
            if not self._columns.is_too_narrow(alpha):  # nobody is beside the window
                coarse = np.empty(small.shape[1:], np.float32)
                coarse[:, first:end] = alpha
                for planes in (slope, offset, coarse):
                    planes[..., :first] = planes[..., end:] = 0
                return Coefficients(small, slope, offset, coarse)
            self._move_memory(None)
        return Coefficients(small, slope, offset, self._whole.run(steady))

    def _follow_gpu(self) -> None:
        """Use the GPU once the network is compiled for it, and say where the network runs."""
        if self._gpu_made is not None and self._gpu_made.done():
            made, self._gpu_made = self._gpu_made, None
            try:
                self._whole.gpu = made.result()
            except RuntimeError as error:
                self._whole.gpu_error = error
            else:
                self.device, self.precision = INTEL, self._gpu_precision
        if self._whole.gpu_error is not None:
            self.gpu_problem = str(self._whole.gpu_error).strip().splitlines()[-1]
            self._whole.gpu_error = None
            _log.warning("The GPU failed; the network runs on the CPU: %s", self.gpu_problem)
            self.device, self.precision = CpuBackend.device, self._cpu_precision

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        super().reset(seen)
        self._first = None
        self._whole.reset()
        self._columns.reset()

    def close(self) -> None:
        """Stop the threads and release the requests. Idempotent."""
        self._pool.shutdown()
        made = self._made.result() if self._made is not None and self._made.exception() is None else None
        for network in (self._whole, self._narrow, made):
            if network is not None:
                network.close()
        super().close()

    def _begin_making(self) -> None:
        """Begin to make the network for the columns that are wanted, on a thread of its own, once it is worth it."""
        if self._narrows and self._frames >= FRAMES_BEFORE_NARROW:
            self._made = self._pool.submit(self.make_network, self._columns.wanted)

    def _use(self, made: Future[RecurrentNetwork]) -> None:
        """Use the network for fewer columns that was made."""
        self._made, error = None, made.exception()
        if error is not None:  # it only spares time
            _log.warning("The network for fewer columns could not be made.", exc_info=error)
            self._narrows = False
            return
        self._move_memory(None)
        old, self._narrow = self._narrow, made.result()
        self._columns.use(self._narrow.small.shape[2])
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
