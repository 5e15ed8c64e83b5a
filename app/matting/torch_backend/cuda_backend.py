"""An NVIDIA GPU as `GraphBackend`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from app.matting.failures import CaptureError, is_out_of_memory
from app.matting.torch_backend.cuda_api import release_memory
from app.matting.torch_backend.graph_backend import Mark, Tensors
from app.matting.torch_backend.streams import streams_of

if TYPE_CHECKING:
    from torch.cuda import _POOL_HANDLE

WARM_UPS = 3
"""Runs before the capture, in which libraries select algorithms and allocate workspaces."""


class CudaQueue:
    """A CUDA stream."""

    def __init__(self, stream: torch.cuda.Stream) -> None:
        self.stream = stream

    def copy(self, target: Tensor, source: Tensor) -> None:
        """See `Queue.copy`."""
        with torch.cuda.stream(self.stream):
            target.copy_(source, non_blocking=True)

    def run(self, work: Callable[[], None]) -> None:
        """See `Queue.run`."""
        with torch.cuda.stream(self.stream):
            work()

    def mark(self) -> CudaMark:
        """See `Queue.mark`."""
        return CudaMark(self.stream)

    def after(self, mark: Mark) -> None:
        """See `Queue.after`."""
        assert isinstance(mark, CudaMark)
        self.stream.wait_event(mark.event)


class CudaMark:
    """A CUDA event. Waiting for it blocks the thread instead of spinning."""

    def __init__(self, stream: torch.cuda.Stream) -> None:
        self.event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        self.event.record(stream)

    def wait(self) -> None:
        """See `Mark.wait`."""
        self.event.synchronize()


class CudaBackend:
    """Implements `GraphBackend`."""

    def __init__(self, device: str) -> None:
        """device: `cuda` or `cuda:N`."""
        self.device = torch.device(device)
        self._streams = streams_of(self.device.index or 0)
        self._pools: dict[int, _POOL_HANDLE] = {}
        self._queues: list[CudaQueue] = []

    def queue(self) -> CudaQueue:
        """See `GraphBackend.queue`."""
        self._queues.append(CudaQueue(self._streams.take()))
        return self._queues[-1]

    def pinned(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """See `GraphBackend.pinned`. torch caches freed blocks, so this is cheap after the first frames."""
        return torch.empty(shape, dtype=dtype, pin_memory=True)

    def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
        """See `GraphBackend.capture`. Other threads may use the GPU during the capture. Raises CaptureError."""
        if pool not in self._pools:
            self._pools[pool] = torch.cuda.graph_pool_handle()
        stream, quiet = self._streams.capture, self._streams.quiet
        with torch.cuda.device(self.device), self._streams.capturing, _algorithm_search():
            quiet.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(quiet):
                for _ in range(WARM_UPS):
                    work()
            quiet.synchronize()
            return capture_graph(work, stream, self._pools[pool])

    def settle(self) -> None:
        """See `GraphBackend.settle`.

        Synchronizes only this backend's streams: a device-wide synchronization would abort a capture on another thread.
        """
        torch.cuda.current_stream(self.device).synchronize()
        for queue in self._queues:
            queue.mark().wait()

    def close(self) -> None:
        """See `GraphBackend.close`."""
        while self._queues:
            self._streams.give_back(self._queues.pop().stream)
        self._pools.clear()
        release_memory()


def capture_graph(
    work: Callable[[], Tensors], stream: torch.cuda.Stream, pool: _POOL_HANDLE
) -> tuple[Tensors, Callable[[], None]]:
    """Capture `work` on `stream`; return its outputs and the function that replays it. Raises CaptureError.

    `torch.cuda.graph` is not used: it waits for the whole device and empties its caches, which stalls an engine that is
    running, and it leaves its stream current if the capture fails.
    """
    graph = torch.cuda.CUDAGraph()
    # The graph gets a workspace of its own: torch keeps one per stream, and graphs of one stream may run side by side.
    getattr(torch._C, "_cuda_clearCublasWorkspaces", lambda: None)()
    with torch.cuda.stream(stream):
        graph.capture_begin(pool, capture_error_mode="thread_local")
        try:
            tensors = work()
        except RuntimeError as error:
            with contextlib.suppress(RuntimeError):
                graph.capture_end()
            raise _named(error) from error
        try:
            graph.capture_end()
        except RuntimeError as error:
            raise _named(error) from error
    return tensors, graph.replay


def _named(error: RuntimeError) -> RuntimeError:
    return error if is_out_of_memory(error) else CaptureError(f"The capture failed: {error}")


@contextlib.contextmanager
def _algorithm_search() -> Iterator[None]:
    """Let cuDNN search the fastest algorithms, without emptying the cache after each search."""
    empty_after_search = getattr(torch._C, "_cudnn_set_conv_benchmark_empty_cache", lambda empty: None)
    with torch.backends.cudnn.flags(enabled=True, benchmark=True):
        empty_after_search(False)
        try:
            yield
        finally:
            empty_after_search(True)
