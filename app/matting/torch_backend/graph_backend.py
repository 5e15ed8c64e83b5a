"""Interface to the GPU operations that a captured graph requires: queues, events, pinned memory and capture.

`cuda_graph` is tested through it without a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

Tensors = tuple[Tensor, ...]


class Mark(Protocol):
    """An event in a queue."""

    def wait(self) -> None:
        """Block until all work before the mark has finished."""
        ...


class Queue(Protocol):
    """Runs work in order, concurrently with the other queues and the caller."""

    def copy(self, target: Tensor, source: Tensor) -> None:
        """Enqueue a copy. Host memory must be pinned and must not change until a later mark has been waited for."""
        ...

    def run(self, work: Callable[[], None]) -> None:
        """Enqueue `work`, which uses the device."""
        ...

    def mark(self) -> Mark:
        """Record and return a mark after the work enqueued so far."""
        ...

    def after(self, mark: Mark) -> None:
        """Make work enqueued from now on wait for a mark of another queue."""
        ...


class GraphBackend(Protocol):
    """A device that captures work and replays it with a single launch."""

    device: torch.device

    def queue(self) -> Queue:
        """Return a queue that is in no other use until `close`."""
        ...

    def pinned(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return pinned host memory; it may be reused once the tensor is released."""
        ...

    def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
        """Capture `work`; return its output tensors, and a function that replays it into them.

        `work` runs several times during the capture. It must only read and write device tensors with fixed addresses.
        Captures with the same `pool` share memory: a replay of one invalidates the results of the others.
        """
        ...

    def settle(self) -> None:
        """Block until all work of this backend and its queues has finished."""
        ...

    def close(self) -> None:
        """Give back queues and memory. The captured graphs must have been dropped. Idempotent."""
        ...
