"""A simulated GPU that delays and reorders work as far as the marks in its queues allow."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor

from app.matting.torch_backend.graph_backend import Mark, Tensors


class PlayedMark:
    """A position in a queue, reached once all earlier work of the queue is done."""

    def __init__(self, queue: PlayedQueue) -> None:
        self.queue = queue
        self.count = len(queue.things)

    @property
    def reached(self) -> bool:
        return self.queue.done >= self.count

    def wait(self) -> None:
        while not self.reached:
            self.queue.backend.go_on()


class PlayedQueue:
    """A queue of work that the backend executes later."""

    def __init__(self, backend: PlayedBackend) -> None:
        self.backend = backend
        self.things: list[Callable[[], None] | PlayedMark] = []
        self.done = 0

    def copy(self, target: Tensor, source: Tensor) -> None:
        self.backend.copies.append(target)
        self._put(lambda: ignore(target.copy_(source)))

    def run(self, work: Callable[[], None]) -> None:
        self._put(work)

    def mark(self) -> PlayedMark:
        return PlayedMark(self)

    def after(self, mark: Mark) -> None:
        assert isinstance(mark, PlayedMark)
        self._put(mark)

    @property
    def stuck(self) -> bool:
        """Whether the queue is empty, or its next entry waits for another queue."""
        if self.done == len(self.things):
            return True
        thing = self.things[self.done]
        return isinstance(thing, PlayedMark) and not thing.reached

    def do_one(self) -> None:
        thing = self.things[self.done]
        if not isinstance(thing, PlayedMark):
            with torch.inference_mode():
                thing()
        self.done += 1

    def _put(self, thing: Callable[[], None] | PlayedMark) -> None:
        self.things.append(thing)
        self.backend.maybe_go_on()


class PlayedBackend:
    """Executes the work of its queues in any order that the marks allow; the order depends on the seed."""

    device = torch.device("cpu")

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.queues: list[PlayedQueue] = []
        self.copies: list[Tensor] = []
        """The target of every copy."""
        self.captures = 0
        self.closed = False
        self._eagerness = self._random.choice([0, 0, 1, 4])

    def queue(self) -> PlayedQueue:
        self.queues.append(PlayedQueue(self))
        return self.queues[-1]

    def pinned(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.full(shape, 77, dtype=dtype)

    def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
        self.captures += 1
        places = work()

        def replay() -> None:
            for place, value in zip(places, work(), strict=True):
                _written(place).copy_(_written(value))

        return places, replay

    def settle(self) -> None:
        for queue in self.queues:
            queue.mark().wait()

    def close(self) -> None:
        self.closed = True

    def go_on(self) -> None:
        """Execute one entry of a random queue that can proceed."""
        self._random.choice([queue for queue in self.queues if not queue.stuck]).do_one()

    def maybe_go_on(self) -> None:
        """Execute a random number of entries, possibly none."""
        for _ in range(self._random.randint(0, self._eagerness)):
            if not all(queue.stuck for queue in self.queues):
                self.go_on()


def _written(tensor: Tensor) -> Tensor:
    """Return the part of a tensor that has memory: an expanded one repeats a single value."""
    return tensor[tuple(slice(None) if stride else slice(0, 1) for stride in tensor.stride())]


def ignore(result: object) -> None:
    """Discard the result of a call."""
