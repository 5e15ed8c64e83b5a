"""Two batches of frames in flight on a GPU: copies run beside the computation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from app.matting.torch_backend.graph_backend import GraphBackend, Mark

BATCHES = 2


@dataclass(eq=False)
class Lane:
    """Buffers of one batch."""

    sent: Tensor
    """Pinned host memory of the frames; `given` is their copy on the device."""
    given: Tensor
    made: Tensor
    """The results on the device; `arrived` is their copy in pinned host memory."""
    arrived: Tensor
    done: Mark | None = None


class BatchesInFlight:
    """Submits batches in turn to one captured step. Uploads, steps and downloads have a queue each."""

    def __init__(self, backend: GraphBackend, frames: Tensor, results: Tensor, replay: Callable[[], None]) -> None:
        """frames, results: device tensors that `replay` reads and writes."""
        self._frames, self._results, self._replay = frames, results, replay
        self._up, self._step, self._down = (backend.queue() for _ in range(3))
        self.lanes = [
            Lane(
                backend.pinned(tuple(frames.shape), frames.dtype),
                torch.empty_like(frames),
                torch.empty_like(results),
                backend.pinned(tuple(results.shape), results.dtype),
            )
            for _ in range(BATCHES)
        ]

    def submit(self, index: int) -> None:
        """Submit the frames in `sent` of lane index % 2, after the results of that lane's last batch have arrived."""
        lane = self.free(index)
        self._up.copy(lane.given, lane.sent)
        self._step.after(self._up.mark())
        self._step.copy(self._frames, lane.given)
        self._step.run(self._replay)
        self._step.copy(lane.made, self._results)
        self._down.after(self._step.mark())
        self._down.copy(lane.arrived, lane.made)
        lane.done = self._down.mark()

    def free(self, index: int) -> Lane:
        """Wait until the last batch of lane index % 2 has arrived; return the lane."""
        lane = self.lanes[index % BATCHES]
        if lane.done is not None:
            lane.done.wait()
        return lane
