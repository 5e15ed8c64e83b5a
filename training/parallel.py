"""Data-parallel training in single-threaded processes, which tolerate a busy CPU better than
threads.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn


def join(rank: int, count: int, rendezvous: str) -> None:
    """Join the group of `count` processes; `rendezvous` is a file that they share, not needed for
    one process.
    """
    if count > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=count
        )


def average_gradients(parameters: Iterable[nn.Parameter], count: int) -> None:
    """Replace each gradient by its mean over the processes."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    if count == 1:
        return
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    flat /= count
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()


def agreed(value: bool, count: int) -> bool:
    """Return the value of process 0 in all processes."""
    if count == 1:
        return value
    flag: Tensor = torch.tensor([float(value)])
    dist.broadcast(flag, 0)
    return bool(flag.item())
