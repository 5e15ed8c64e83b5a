"""The frame step as captured CUDA graphs: one launch per frame.

With two turns, which have separate memory and graphs, copies overlap with computation: while one computes, the next
frame is uploaded for the other and its last composite is downloaded. The recurrent state is passed between the turns on
the GPU. A single turn needs half the memory and one stream. The background is uploaded only when the object changes.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections import deque
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base import NotAMatteError
from app.matting.geometry import StepGeometry
from app.matting.state import StateArrays
from app.matting.step.blur import strength_taps
from app.matting.step.core import Core
from app.matting.step.edges import EdgePlan, plan
from app.matting.step.full_size import Coefficients, FullSize
from app.matting.step.step import FrameStep, StepMode
from app.matting.strict.torch_strict import with_people
from app.matting.torch_backend.cuda_turn import Flight, Results, Turn
from app.matting.torch_backend.eager import DTYPES
from app.matting.torch_backend.graph_backend import GraphBackend, Queue, Tensors
from app.matting.torch_backend.state import from_arrays, to_arrays

PLAIN = StepMode(plan(EdgeSettings()))


class CudaGraphExecutor:
    """Replays captured steps. `run` processes one frame; `submit` and `collect` overlap as many as there are turns."""

    name = "cuda-graph"

    def __init__(
        self,
        core: Core,
        geometry: StepGeometry,
        backend: GraphBackend,
        precision: str = "float16",
        turns: int = 1,
        full_size: FullSize | None = None,
    ) -> None:
        """Capture all graphs, which takes about a second. `core` must be on the device in `precision`; it is copied.

        turns: number of frames that may be pending at once. full_size: by default that of torch.
        """
        self.precision = precision
        self.device = str(backend.device)
        self._backend = backend
        self._geometry = geometry
        self._flights: deque[Flight] = deque()
        self._next = 0
        self._previous_alpha: Tensor | None = None
        self._turns: list[Turn] = []
        with torch.inference_mode():
            # Copy: changing the memory format in place would corrupt graphs that already read these weights.
            core = copy.deepcopy(core).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self._step = FrameStep(core, geometry, DTYPES[precision], full_size)
        try:
            self._build(turns)
        except BaseException:
            self._drop()
            raise

    def _build(self, turns: int) -> None:
        backend = self._backend
        with torch.inference_mode():
            self._compute = backend.queue()
            self._up, self._down = (self._compute,) * 2 if turns == 1 else (backend.queue(), backend.queue())
            self._turns = [self._make_turn() for _ in range(turns)]
            for index, turn in enumerate(self._turns):
                for blurred, strict in itertools.product((False, True), (False, True)):
                    tensors, replay = backend.capture(self._work(index, blurred, strict), index)
                    turn.graphs[blurred, strict] = Results(*tensors), replay
        self.reset()
        backend.settle()

    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """Run one step and return new arrays. Must not be called while a submitted frame has not been collected."""
        assert not self._flights
        self.submit(frame, backdrop, edges, want_foreground)
        return self.collect()

    def submit(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> None:
        """Submit a step and return immediately; `frame` may be modified afterwards. At most `turns` may be pending."""
        if len(self._flights) == len(self._turns):
            raise RuntimeError(f"{len(self._turns)} frames are under way already")
        turn = self._turns[self._next]
        with torch.inference_mode():
            blurred = self._upload(turn, frame, backdrop)
            _order(self._up, self._compute)
            results, replay = turn.graphs[blurred, edges.strict != "off"]
            self._compute.run(replay)
            edge_plan = plan(edges)
            self._compute.run(lambda: self._finish(turn, results, edge_plan, want_foreground))
            _order(self._compute, self._down)
            self._flights.append(self._download(results, turn.foreground if want_foreground else None))
        self._next = (self._next + 1) % len(self._turns)

    def collect(self) -> Matte:
        """Wait for the oldest submitted frame and return its matte in new arrays. Raises NotAMatteError."""
        flight = self._flights.popleft()
        flight.arrived.wait()
        if not math.isfinite(flight.finite.item()):
            raise NotAMatteError
        return Matte(
            composite=flight.composite.numpy(),
            alpha=flight.alpha.numpy(),
            foreground=None if flight.foreground is None else flight.foreground.numpy(),
        )

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Start the recurrent state anew, for the frames submitted from now on."""
        with torch.inference_mode():
            self._compute.run(lambda: self._begin_anew(seen))

    def state(self) -> StateArrays:
        """Return copies of the state; see `Resumable`. No submitted frame may wait to be collected."""
        self._backend.settle()
        return to_arrays(self._turns[self._next].state, self._previous_alpha)

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state; see `Resumable`. Raises KeyError or ValueError if the arrays do not fit."""
        self._backend.settle()
        current = self._turns[self._next].state
        with torch.inference_mode():
            saved, self._previous_alpha = from_arrays(arrays, current)
            for target, value in zip(current, saved, strict=True):
                target.copy_(value)
        self._backend.settle()

    def update_core(self, update: Callable[[Core], None]) -> None:
        """Change values of the captured core in place, for the frames submitted from now on."""
        with torch.inference_mode():
            self._compute.run(lambda: update(self._step.core))

    def close(self) -> None:
        """Wait for pending work, and return memory and streams. Idempotent."""
        try:
            self._backend.settle()
        finally:
            self._drop()

    def _drop(self) -> None:
        self._flights.clear()
        self._turns.clear()
        self._previous_alpha = None
        self._step.to_empty(device="meta")  # frees the copied weights
        self._backend.close()

    def _make_turn(self) -> Turn:
        geometry, device = self._geometry, self._backend.device
        size = (geometry.height, geometry.width, 3)
        taps = torch.from_numpy(strength_taps(0, geometry.blur_short_side))
        return Turn(
            frame=torch.zeros(size, dtype=torch.uint8, device=device),
            picture=torch.zeros(size, dtype=torch.uint8, device=device),
            taps=taps.to(device),
            foreground=torch.zeros(size, dtype=torch.uint8, device=device),
            state=tuple(_channels_last(state) for state in self._step.initial_state()),
            frame_up=self._backend.pinned(size, torch.uint8),
            picture_up=self._backend.pinned(size, torch.uint8),
            taps_up=self._backend.pinned(tuple(taps.shape), torch.float32),
        )

    def _work(self, index: int, blurred: bool, strict: bool) -> Callable[[], Tensors]:
        """Return the function to capture: one step up to its composite; it passes the state to the other turn."""
        turn, after = self._turns[index], self._turns[(index + 1) % len(self._turns)]

        def work() -> Tensors:
            given = self._step.coefficients(turn.frame, turn.state, strict, turn.taps if blurred else None)
            pixels, _ = self._step.finish(turn.frame, given, None if blurred else turn.picture, PLAIN)
            for target, value in zip(after.state, given.state, strict=True):
                target.copy_(value)
            results = pixels.composite, pixels.alpha, given.finite, given.slope, given.offset
            return results if given.room is None else (*results, given.room)

        return work

    def _upload(self, turn: Turn, frame: BgrImage, backdrop: Backdrop) -> bool:
        """Upload frame and backdrop; return whether it is blurred. The turn's last results must be collected."""
        np.copyto(turn.frame_up.numpy(), frame)
        self._up.copy(turn.frame, turn.frame_up)
        if isinstance(backdrop, BlurredBackground):
            if turn.strength != backdrop.strength:
                np.copyto(turn.taps_up.numpy(), strength_taps(backdrop.strength, self._geometry.blur_short_side))
                self._up.copy(turn.taps, turn.taps_up)
                turn.strength = backdrop.strength
            return True
        if turn.shown is not backdrop:
            np.copyto(turn.picture_up.numpy(), backdrop)
            self._up.copy(turn.picture, turn.picture_up)
            turn.shown = backdrop
        return False

    def _finish(self, turn: Turn, results: Results, edges: EdgePlan, foreground: bool) -> None:
        """Compute the outputs that were requested beyond the captured composite, and replace it."""
        if not edges.active:
            self._previous_alpha = None
        if not edges.active and not foreground:
            return
        given = Coefficients(results.slope, results.offset, results.room, results.finite, ())
        picture = turn.picture if results.room is None else None
        mode = StepMode(edges, foreground)
        pixels, previous_alpha = self._step.finish(turn.frame, given, picture, mode, self._previous_alpha)
        if edges.active:
            self._previous_alpha = previous_alpha
            results.composite.copy_(pixels.composite)
            results.alpha.copy_(pixels.alpha)
        if pixels.foreground is not None:
            turn.foreground.copy_(pixels.foreground)

    def _download(self, results: Results, foreground: Tensor | None) -> Flight:
        composite, alpha, finite = (self._fetch(t) for t in (results.composite, results.alpha, results.finite))
        person = None if foreground is None else self._fetch(foreground)
        return Flight(composite, alpha, person, finite, self._down.mark())

    def _fetch(self, tensor: Tensor) -> Tensor:
        fetched = self._backend.pinned(tuple(tensor.shape), tensor.dtype)
        self._down.copy(fetched, tensor)
        return fetched

    def _begin_anew(self, seen: AlphaImage | None) -> None:
        self._previous_alpha = None
        for turn in self._turns:
            for state in turn.state:
                state.zero_()
            if seen is not None:
                memory = turn.state[-1]
                memory.copy_(with_people(memory, torch.from_numpy(seen).to(memory.device)))


def _channels_last(state: Tensor) -> Tensor:
    return state.to(memory_format=torch.channels_last) if state.ndim == 4 else state


def _order(first: Queue, second: Queue) -> None:
    """Make work enqueued in `second` from now on wait for that of `first`."""
    if first is not second:
        second.after(first.mark())
