"""CUDA streams of this process, reused so that no two users ever share one.

torch has 32 streams per device and priority and hands them out in turn: a program that takes a new one each time soon
gets one that is still in use. Work would then be recorded into a graph that is being captured on it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import torch

S = TypeVar("S")


class StreamPool(Generic[S]):
    """Lends streams and takes them back. Thread-safe."""

    def __init__(self, make: Callable[[], S], make_quiet: Callable[[], S]) -> None:
        """make: creates a stream of high priority. make_quiet: one of low priority, for work that may wait."""
        self._make = make
        self._lock = threading.Lock()
        self._free: list[S] = []
        self.capturing = threading.Lock()
        """Held during a capture: there is one at a time in a process."""
        self.capture = make()
        """The stream of all captures. Graphs that share memory must be captured on the same stream."""
        self.quiet = make_quiet()

    def take(self) -> S:
        """Return a stream that nobody else uses until it is given back."""
        with self._lock:
            return self._free.pop() if self._free else self._make()

    def give_back(self, stream: S) -> None:
        """Return a stream whose work has finished."""
        with self._lock:
            self._free.append(stream)


@functools.cache
def streams_of(index: int) -> StreamPool[torch.cuda.Stream]:
    """Return the streams of a card."""

    def make(priority: int) -> torch.cuda.Stream:
        return torch.cuda.Stream(index, priority=priority)  # type: ignore[no-untyped-call]

    return StreamPool(lambda: make(-1), lambda: make(0))
