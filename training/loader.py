"""Batches that worker processes draw ahead of the training step."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset


class Batch(NamedTuple):
    """Samples; drawn as uint8 on the CPU."""

    src: Tensor
    """(B, T, H, W, 3), or 6 with plates."""
    fgr: Tensor
    """(B, T, H, W, 3)."""
    pha: Tensor
    """(B, T, H, W, 1)."""
    clean: Tensor
    """(B, T, H, W, 3): the frames before the camera spoiled them."""


DrawBatch = Callable[[int], Batch]
"""Returns the batch of a step; depends on nothing but the step."""

_AHEAD = 3
"""Batches that each worker keeps ready."""
_LONGEST = 1 << 40


class _Steps(Dataset[Batch]):
    def __init__(self, draw: DrawBatch, first: int) -> None:
        self._draw, self._first = draw, first

    def __len__(self) -> int:
        return _LONGEST

    def __getitem__(self, index: int) -> Batch:
        return self._draw(self._first + index)


class _Counting:
    """The numbers from 0, as a sampler."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(_LONGEST))

    def __len__(self) -> int:
        return _LONGEST


def batches(
    draw: DrawBatch, first: int, workers: int, *, pinned: bool
) -> Generator[Batch, None, None]:
    """Yield the batches of the steps from `first` on, without end; closing the iterator ends the
    workers.

    draw: must be picklable if there are workers. workers: 0 draws in this thread. pinned: return
    page-locked memory, from which copies to a GPU do not block.
    """
    if not workers:
        step = first
        while True:
            yield draw(step)
            step += 1
    # A process that is forked after CUDA was initialized may hang; spawn does not inherit it.
    loader = DataLoader(
        _Steps(draw, first),
        batch_size=None,
        sampler=_Counting(),
        num_workers=workers,
        prefetch_factor=_AHEAD,
        pin_memory=pinned,
        worker_init_fn=_prepare,
        multiprocessing_context="spawn",
    )
    iterator = iter(loader)
    try:
        yield from iterator
    finally:
        del iterator


def _prepare(worker: int) -> None:
    """Prepare a worker: one thread each; signals to the group end the trainer, which then ends its
    workers.
    """
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
