"""What a captured graph needs of a GPU: queues that run beside each other, marks in them, pinned memory, capture.

`GraphBackend` is the seam at which the bookkeeping of `cuda_graph` is tested without a GPU.
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
"""Runs before the capture, in which libraries choose their algorithms and allocate what they keep."""


class Mark(Protocol):
    """A place in a queue."""

    def wait(self) -> None:
        """Return once everything before the mark is done."""
        ...


class Queue(Protocol):
    """Runs what is put into it one after the other, beside the other queues and the caller."""

    def copy(self, target: Tensor, source: Tensor) -> None:
        """Copy; memory of the host must be pinned and stay as it is until a later mark was waited for."""
        ...

    def run(self, work: Callable[[], None]) -> None:
        """Run `work`, which uses the device."""
        ...

    def mark(self) -> Mark:
        """A mark after what was put in so far."""
        ...

    def after(self, mark: Mark) -> None:
        """What is put in from now on begins after a mark of another queue."""
        ...


class GraphBackend(Protocol):
    """A device that captures work and replays it at once."""

    device: torch.device

    def queue(self) -> Queue:
        """A queue of its own."""
        ...

    def pinned(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Fresh pinned memory of the host; it may be used again as soon as nobody holds the tensor."""
        ...

    def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
        """The tensors that `work` returns, and what fills them again as another run of `work` would.

        `work` runs several times meanwhile and must only read and write tensors of the device that stay where they
        are. What is captured with the same `pool` shares memory: the results of one are lost when another is run.
        """
        ...

    def settle(self) -> None:
        """Return once everything put into any queue of this backend, or done by it itself, is done."""
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
    """A CUDA event; waiting for it leaves the processor to others."""

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
        """See `GraphBackend.pinned`; torch keeps freed blocks, so this costs little after the first frames."""
        return torch.empty(shape, dtype=dtype, pin_memory=True)

    def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
        """See `GraphBackend.capture`; other threads may use the GPU meanwhile."""
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

        Waits for its own streams alone: to wait for the whole device would break off a capture on another thread.
        """
        torch.cuda.current_stream(self.device).synchronize()
        for queue in self._queues:
            queue.mark().wait()
