"""Connected components in torch with a fixed number of operations, so that they can be part of a captured graph."""

from __future__ import annotations

import torch
from torch import Tensor

SWEEPS = 8
"""Alternations between rows and columns; a component with more bends than this can fall apart."""


def components(mask: Tensor) -> Tensor:
    """Label the 4-connected components of (B, 1, h, w) bool: (B, h * w) int64, 0 outside, the same within each."""
    batch, _, height, width = mask.shape
    first = torch.arange(1, height * width + 1, device=mask.device).view(1, height, width)
    inside = mask[:, 0]
    labels = first * inside
    across, down = _runs(inside, 2), _runs(inside, 1)
    for _ in range(SWEEPS):
        labels = _spread(labels, across, inside, 2)
        labels = _spread(labels, down, inside, 1)
    return labels.reshape(batch, -1)


def count(labels: Tensor, masks: Tensor) -> Tensor:
    """Return for each cell how many cells of its component each mask (B, K, h, w) holds: (B, K, h * w) float32."""
    every = labels[:, None].expand(-1, masks.shape[1], -1)
    sums = torch.zeros(*every.shape[:2], labels.shape[1] + 1, device=labels.device)
    sums.scatter_add_(2, every, masks.flatten(2).float())
    return sums.gather(2, every)


def _runs(inside: Tensor, dim: int) -> Tensor:
    """Offsets that grow from run to run by more than any label."""
    return torch.cumsum(~inside, dim) * (inside[0].numel() + 1)


def _spread(labels: Tensor, runs: Tensor, inside: Tensor, dim: int) -> Tensor:
    """Give each run along `dim` its largest label."""
    forward = torch.cummax(labels + runs, dim).values - runs
    last = runs.amax(dim, keepdim=True)
    backward = torch.cummax((labels + last - runs).flip(dim), dim).values.flip(dim) - (last - runs)
    return torch.maximum(forward, backward) * inside
