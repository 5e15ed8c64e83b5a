"""Streams of captured graphs, counted as torch hands them out: 32 per device, in turn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import torch

from app.matting.failures import CaptureError, is_device_lost
from app.matting.torch_backend.cuda_backend import capture_graph
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
from app.matting.torch_backend.graph_backend import Tensors
from app.matting.torch_backend.streams import StreamPool
from tests.matting.asks import ASKS, GEOMETRY, core
from tests.matting.torch_backend.played_gpu import PlayedBackend, PlayedQueue

TORCHS_STREAMS = 32


class CountedTorch:
    """Hands out numbers of streams as torch does."""

    def __init__(self) -> None:
        self.made = 0

    def make(self) -> int:
        self.made += 1
        return (self.made - 1) % TORCHS_STREAMS


class CountedBackend(PlayedBackend):
    """Notes on which streams it works and captures."""

    def __init__(self, pool: StreamPool[int]) -> None:
        super().__init__(0)
        self.pool = pool
        self.streams: list[int] = []
        self.captured_on: list[int] = []

    def queue(self) -> PlayedQueue:
        self.streams.append(self.pool.take())
        return super().queue()

    def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
        self.captured_on.append(self.pool.capture)
        return super().capture(work, pool)

    def close(self) -> None:
        while self.streams:
            self.pool.give_back(self.streams.pop())


@pytest.mark.parametrize("turns", [1, 2])
def test_no_build_beside_a_running_engine_captures_or_works_on_its_streams(turns: int) -> None:
    torchs = CountedTorch()
    pool = StreamPool(torchs.make, lambda: -1)

    def build() -> tuple[CudaGraphExecutor, CountedBackend]:
        backend = CountedBackend(pool)
        return CudaGraphExecutor(core(), GEOMETRY, backend, "float32", turns), backend

    running, used = build()
    own = set(used.streams)
    assert len(own) == (1 if turns == 1 else 3), "frames one at a time need a single stream"
    for _ in range(8):
        beside, other = build()
        assert set(other.captured_on) == {pool.capture}
        assert not own & {*other.streams, *other.captured_on}
        running.run(*ASKS[0])
        beside.close()
        beside.close()
    assert torchs.made <= 1 + 2 * len(own)


def test_a_build_that_fails_gives_its_streams_back() -> None:
    torchs = CountedTorch()
    pool = StreamPool(torchs.make, lambda: -1)

    class Failing(CountedBackend):
        def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
            raise CaptureError("The capture failed: CUDA error: operation not permitted when stream is capturing")

    for _ in range(12):
        with pytest.raises(CaptureError) as caught:
            CudaGraphExecutor(core(), GEOMETRY, Failing(pool), "float32")
        assert not is_device_lost(caught.value), "the card still works, without graphs"
    assert torchs.made == 2


def test_a_closed_executor_holds_no_memory_and_a_lost_device_cannot_prevent_that() -> None:
    class Lost(PlayedBackend):
        def settle(self) -> None:
            if self.captures == 4:
                self.captures += 1
                super().settle()
            else:
                raise RuntimeError("CUDA error: unspecified launch failure")

    backend = Lost(0)
    executor = CudaGraphExecutor(core(), GEOMETRY, backend, "float32")
    executor.run(*ASKS[0])
    with pytest.raises(RuntimeError, match="launch failure"):
        executor.close()
    assert backend.closed


class PlayedGraph:
    """A `torch.cuda.CUDAGraph` whose capture may fail at its end."""

    calls: ClassVar[list[str]] = []
    end_error: ClassVar[str] = ""

    def capture_begin(self, pool: object, capture_error_mode: str) -> None:
        self.calls.append(f"begin {capture_error_mode}")

    def capture_end(self) -> None:
        self.calls.append("end")
        if self.end_error:
            raise RuntimeError(self.end_error)

    def replay(self) -> None:
        """Nothing to replay."""


@pytest.mark.parametrize(
    ("work_error", "end_error", "raised"),
    [
        ("", "", None),
        ("CUDA error: operation not permitted when stream is capturing", "CUDA error: invalidated", CaptureError),
        ("", "CUDA error: operation failed due to a previous error during capture", CaptureError),
        ("CUDA out of memory. Tried to allocate 1 GiB", "", RuntimeError),
    ],
)
def test_a_capture_ends_and_restores_the_stream_whatever_fails(
    monkeypatch: pytest.MonkeyPatch, work_error: str, end_error: str, raised: type[Exception] | None
) -> None:
    current = ["default"]

    @contextlib.contextmanager
    def stream(name: str) -> Iterator[None]:
        current.append(name)
        try:
            yield
        finally:
            current.pop()

    def work() -> Tensors:
        assert current[-1] == "capture"
        if work_error:
            raise RuntimeError(work_error)
        return (torch.ones(1),)

    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", PlayedGraph)
    monkeypatch.setattr(PlayedGraph, "calls", [])
    monkeypatch.setattr(PlayedGraph, "end_error", end_error)
    capturing: Any = capture_graph
    if raised is None:
        capturing(work, "capture", (0, 1))
    else:
        with pytest.raises(raised) as caught:
            capturing(work, "capture", (0, 1))
        assert isinstance(caught.value, CaptureError) is (raised is CaptureError), "memory may suffice next time"
    assert PlayedGraph.calls == ["begin thread_local", "end"]
    assert current == ["default"]
