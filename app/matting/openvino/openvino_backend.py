"""Recurrent networks in OpenVINO, which see the columns around people while nothing moves beside them.

Such a network computes only what a part of the frame needs, and sees all columns now and then. `app.matting.cpu` does
the rest of the step.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np

from app.core.threads import Strips, name_thread
from app.core.types import AlphaImage, BgrImage, Floats
from app.matting.base.interface import StateArrays, StepGeometry, check_memory, copy_into
from app.matting.base.parameters import DARK, network_gain
from app.matting.cpu.compositor import Coefficients
from app.matting.cpu.cpu_backend import CpuBackend, guided_filter, shrink
from app.matting.kernels.network import average_cells, halve_rows, matte_rows
from app.matting.openvino.artefact import (
    Arrays,
    Artefact,
    NetworkStage,
    Shape,
    bound,
    compiled,
    fitted,
    halved_shapes,
    ov,
)
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
        """Slope and offset (4, h, w) and alpha (h, w) of the last frame; see `app.matting.torch.frame_step`."""
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


_log = logging.getLogger(__name__)

STEP = 16
"""Windows begin at multiples of this: networks remember at most this many columns of the small frame in one."""
WIDEST, NARROWEST = 0.7, 0.4
"""Shares of the columns that windows have, whose widths are multiples of twice `STEP`."""
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
WHOLE_EVERY, WHOLE_FRAMES = 90, 5
"""Frames in a row with a window at most, and frames in which the network then looks at all columns; strict mode shows
nobody in the first two."""
CELLS = 20, 12
"""Columns and rows of the cells in which motion is looked for."""
MOVED = 0.05
"""Change of a cell, of 1, that may be somebody who comes: the network looks at all columns, from the same frame on."""
SHIFT = np.float32(0.25)
"""Share of the contrast to its neighbours by which a cell changes before a camera in the hand."""
FOLLOW = np.float32(1 / 16)
"""Share of the difference by which the cells to compare with follow the picture: light and a camera in the hand move
them slowly."""


def window_widths(small_width: int) -> list[int]:
    """Return the numbers of columns that windows may have, the widest first; none if the frame is too small for one."""
    widest, narrowest = int(WIDEST * small_width), max(6 * STEP, int(NARROWEST * small_width))
    return list(range(widest // (2 * STEP) * 2 * STEP, narrowest - 1, -2 * STEP))


class ColumnTracker:
    """Chooses the first column of the window for each frame of a stream."""

    def __init__(self, small_width: int) -> None:
        """small_width: number of columns."""
        self._width, self._widths = small_width, window_widths(small_width)
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
        """Means of the last frames, (3, 12, 20)."""
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
        cells, last = _cells(small), self._cells
        self._cells = cells if last is None else last + FOLLOW * (cells - last)
        if self._first is None or last is None:
            return None
        self._whole -= 1
        moved = _moved(cells, last, *self._beside(self._first))
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

    def follow(self, alpha: Floats) -> None:
        """Choose the window for the next frame. alpha: (h, w) of a frame, as it is shown."""
        shown = np.flatnonzero(alpha.max(0) > SHOWN_ALPHA)
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
        if self._surveyed < SURVEY_FRAMES:
            return
        firsts = {width: self._around(*self._shown, width) for width in self._widths}
        enough = [width for width, first in firsts.items() if self._margin(*self._shown, first, width) >= MARGIN]
        sufficed = min(enough, default=self._widths[0])
        self.wanted, self._sufficed = max(sufficed, self._sufficed), sufficed
        self._begin_survey()

    def _around(self, left: int, right: int, window: int) -> int:
        """Return the first column of a window around these columns."""
        last = (self._width - window) // STEP
        return STEP * min(max(0, round(((left + right) / 2 - window / 2) / STEP)), last)

    def _margin(self, left: int, right: int, first: int, window: int) -> float:
        """Return the least number of columns between what is shown and a border of the window inside the frame."""
        end = first + window
        return min(left - first if first > 0 else np.inf, end - right if end < self._width else np.inf)

    def _beside(self, first: int) -> tuple[int, int]:
        """Return where the cells to the left of a window end, and where those to the right begin."""
        return first * CELLS[0] // self._width, -(-(first + self.window) * CELLS[0] // self._width)


def _cells(small: Floats) -> Floats:
    """Return the means of cells, (3, 12, 20)."""
    columns, rows = CELLS
    means = np.empty((len(small), rows, columns), np.float32)
    average_cells(small, means)
    return means


def _moved(cells: Floats, last: Floats, left: int, right: int) -> bool:
    """Return whether something moves in the cells before column `left`, or from `right` on."""
    contrast = np.stack([np.asarray(cv2.morphologyEx(plane, cv2.MORPH_GRADIENT, _SQUARE)) for plane in last])
    moved = np.abs(cells - last) > MOVED + SHIFT * contrast
    return bool(moved[:, :, :left].any() or moved[:, :, right:].any())


class OpenVinoBackend(CpuBackend):
    """Runs a network on the frame, or on a window of its columns where that is enough.

    Nobody is beside the window. What the network remembers is carried from the frame to the window and back; beside
    the window it stays.
    """

    def __init__(
        self,
        artefact: Artefact,
        geometry: StepGeometry,
        precision: str,
        threads: int | None,
        *,
        live: bool,
    ) -> None:
        """Compile the artefact for this geometry. threads: of a step; None for all cores.

        live: whether the network may leave out columns. The network for them is made beside the first frames, which
        need all columns, and again when other windows suffice. Raises RuntimeError if OpenVINO fails to compile it.
        """
        super().__init__(geometry, precision, threads)
        self._artefact, self._geometry, self._threads = artefact, geometry, threads
        self._whole = RecurrentNetwork(artefact, geometry, precision, self.strips, threads)
        self._ratios = geometry.ratio, geometry.ratio
        self._columns = ColumnTracker(geometry.small_width)
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
        self._begin_making()

    @property
    def window(self) -> slice | None:
        """The columns that were seen last; None: all."""
        return None if self._first is None else slice(self._first, self._first + self._columns.window)

    def make_narrow(self, width: int) -> RecurrentNetwork:
        """Return the network for so many columns; called on a thread of its own. Raises RuntimeError."""
        part = StepGeometry(width, self._geometry.small_height, 1.0)
        return RecurrentNetwork(self._artefact, part, self.precision, self.strips, self._threads)

    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        """Compute coefficients of the frame and new states; see `CpuBackend.infer`."""
        shrink(self.strips, frame, self._ratios, self._whole.small)
        self._adopt()
        small = self._whole.small
        first = None if self._narrow is None else self._columns.choose(small)
        self._hand_over(first)
        mean = float(small[:, ::4, ::4].mean())
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
        if narrow is not None and first is not None:
            np.copyto(narrow.small, small[:, :, first : first + self._columns.window])
            alpha = narrow.run(steady, self._whole.coefficients, first)
            if not self._columns.is_too_narrow(alpha):
                return self._on_frame(alpha, first)
            self._hand_over(None)
        return self._whole.step(steady)

    def follow(self, alpha: Floats) -> None:
        """Choose the columns of the next frame after the people who are shown."""
        if self._narrow is not None:
            self._columns.follow(alpha)

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        super().reset(seen)
        self._forget()

    def state(self) -> StateArrays:
        """Return copies of the state; all columns of the next frame are seen."""
        self._hand_over(None)
        self._columns.reset()
        return {**super().state(), **self._whole.state()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if the arrays do not fit."""
        self._forget()
        self._whole.load_state(arrays)
        super().load_state(arrays)

    def close(self) -> None:
        """Stop the threads and release the requests. Idempotent."""
        self._pool.shutdown()
        made = self._made.result() if self._made is not None and self._made.exception() is None else None
        for network in (self._whole, self._narrow, made):
            if network is not None:
                network.close()
        super().close()

    def _forget(self) -> None:
        self._first = None
        self._whole.reset()
        self._columns.reset()

    def _begin_making(self) -> None:
        if self._narrows:
            self._made = self._pool.submit(self.make_narrow, self._columns.wanted)

    def _adopt(self) -> None:
        """Use the network for fewer columns that was made, or begin to make another one where it is wanted."""
        if self._made is None:
            if self._columns.wanted != self._columns.window:
                self._begin_making()
            return
        if not self._made.done():
            return
        made, self._made = self._made, None
        error = made.exception()
        if error is not None:  # it only spares time
            _log.warning("The network for fewer columns could not be made.", exc_info=error)
            self._narrows = False
            return
        self._hand_over(None)
        old, self._narrow = self._narrow, made.result()
        self._columns.use(self._narrow.small.shape[2])
        if old is not None:
            self._pool.submit(old.close)

    def _hand_over(self, first: int | None) -> None:
        """Carry the memory to the window that begins at column `first`, or to the whole frame."""
        narrow = self._narrow
        if first == self._first or narrow is None:
            return
        if self._first is not None:
            self._whole.take_memory(narrow, self._first, 0, self._columns.window)
        if first is not None:
            narrow.take_memory(self._whole, 0, first, self._columns.window)
        self._first = first

    def _on_frame(self, alpha: Floats, first: int) -> Coefficients:
        """Return coefficients of the frame, of which the window's are known: nobody is beside it."""
        slope, offset, _ = self._whole.coefficients
        coarse, end = np.empty(slope.shape[1:], np.float32), first + self._columns.window
        coarse[:, first:end] = alpha
        for planes in (slope, offset, coarse):
            planes[..., :first] = planes[..., end:] = 0
        return Coefficients(self._whole.small, slope, offset, coarse)
