"""GPU operations that a captured graph requires: streams, events, pinned memory and capture.

`GraphBackend` is the interface through which `cuda_graph` is tested without a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.cuda import _POOL_HANDLE

Tensors = tuple[Tensor, ...]
WARM_UPS = 3
"""Runs before the capture, in which libraries select algorithms and allocate workspaces."""


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
        """Return a new queue."""
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


class CudaQueue:
    """A CUDA stream."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def copy(self, target: Tensor, source: Tensor) -> None:
        """See `Queue.copy`."""
        with torch.cuda.stream(self._stream):
            target.copy_(source, non_blocking=True)

    def run(self, work: Callable[[], None]) -> None:
        """See `Queue.run`."""
        with torch.cuda.stream(self._stream):
            work()

    def mark(self) -> CudaMark:
        """See `Queue.mark`."""
        return CudaMark(self._stream)

    def after(self, mark: Mark) -> None:
        """See `Queue.after`."""
        assert isinstance(mark, CudaMark)
        self._stream.wait_event(mark.event)


class CudaMark:
    """A CUDA event. Waiting for it blocks the thread instead of spinning."""

    def __init__(self, stream: torch.cuda.Stream) -> None:
        self.event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        self.event.record(stream)

    def wait(self) -> None:
        """See `Mark.wait`."""
        self.event.synchronize()


class CudaBackend:
    """An NVIDIA GPU."""

    def __init__(self, device: str) -> None:
        """device: `cuda` or `cuda:N`."""
        self.device = torch.device(device)
        self._pools: dict[int, _POOL_HANDLE] = {}
        self._queues: list[CudaQueue] = []

    def queue(self) -> CudaQueue:
        """See `GraphBackend.queue`."""
        self._queues.append(CudaQueue(self.device))
        return self._queues[-1]

    def pinned(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """See `GraphBackend.pinned`. torch caches freed blocks, so this is cheap after the first frames."""
        return torch.empty(shape, dtype=dtype, pin_memory=True)

    def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
        """See `GraphBackend.capture`. Other threads may use the GPU during the capture."""
        if pool not in self._pools:
            self._pools[pool] = torch.cuda.graph_pool_handle()
        with torch.cuda.device(self.device), torch.backends.cudnn.flags(enabled=True, benchmark=True):
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(WARM_UPS):
                    work()
            stream.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, self._pools[pool], stream, capture_error_mode="thread_local"):
                tensors = work()
        return tensors, graph.replay

    def settle(self) -> None:
        """See `GraphBackend.settle`.

        Synchronizes only this backend's streams: a device-wide synchronization would abort a capture on another thread.
        """
        torch.cuda.current_stream(self.device).synchronize()
        for queue in self._queues:
            queue.mark().wait()
