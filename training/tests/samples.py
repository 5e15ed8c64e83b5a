"""A small training cache of drawn people and rooms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.optimizer import Optimizer
from training.store import PackWriter

Pixels = npt.NDArray[np.uint8]


def room(seed: int, height: int = 96, width: int = 128) -> Pixels:
    """Return stripes of random colours, uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 130, (8, 3))
    columns = np.arange(width) * 8 // width
    return np.broadcast_to(colours[columns], (height, width, 3)).astype(np.uint8)


def person(seed: int, height: int = 96, width: int = 128) -> Pixels:
    """Return a bright person before a room: RGB, foreground and alpha, uint8 (H, W, 7)."""
    rng = np.random.default_rng(seed)
    x, scale = rng.uniform(0.35, 0.65) * width, rng.uniform(0.8, 1.2) * height / 96
    rows, columns = np.mgrid[0:height, 0:width]
    head = ((columns - x) / (14 * scale)) ** 2 + ((rows - 0.35 * height) / (18 * scale)) ** 2 < 1
    body = (rows > 0.52 * height) & (np.abs(columns - x) < 30 * scale)
    alpha = (head | body).astype(np.uint8)[..., None] * 255
    foreground = np.broadcast_to(np.array([235, 190, 160], np.uint8), (height, width, 3))
    rgb = np.where(alpha > 0, foreground, room(seed + 1000, height, width))
    return np.concatenate([rgb, foreground, alpha], 2)


def make_cache(folder: Path, people: int = 8) -> Path:
    """Write a cache of people, rooms and one clip to `folder`; one of each is for validation."""
    with PackWriter(folder / "people") as pack:
        for seed in range(people):
            pack.add(person(seed), f"person{seed}", "photos", validation=seed == 0, composable=True)
    with PackWriter(folder / "views") as pack:
        for seed in range(people):
            pack.add(person(seed, 72, 128), f"person{seed}", "photos", validation=seed == 0)
    with PackWriter(folder / "backgrounds") as pack:
        for seed in range(4):
            pack.add(room(seed), f"room{seed}", "background", validation=seed == 0)
    with PackWriter(folder / "clips") as pack:
        for index in range(6):
            pack.add(np.roll(person(99), index, 1), f"walk:{index}", "walk")
            pack.add(np.roll(person(98), index, 1), f"held:{index}", "held", validation=True)
    return folder


def learnt(
    optimizer: Optimizer | torch.optim.AdamW, loss: Callable[[], Tensor], steps: int
) -> float:
    """Learn for a few steps; return the last loss as a share of the first."""
    losses = []
    for _ in range(steps):
        value = loss()
        optimizer.zero_grad()
        torch.autograd.backward(value)
        optimizer.step()
        losses.append(float(value.detach()))
    return losses[-1] / losses[0]
