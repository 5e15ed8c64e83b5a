"""A recurrent network of three convolutions without a guided filter."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ToyNetwork(nn.Module):
    """Small frame and last alpha to coefficients; alpha is a learned colour key, smoothed over time."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Conv2d(3 + 1, 8, 3, padding=1)
        self.slope = nn.Conv2d(8, 4, 1)
        self.project = nn.Conv2d(8, 4, 1)

    def initial_state(self, batch: int, height_small: int, width_small: int) -> tuple[Tensor, ...]:
        """The last alpha."""
        return (self.project.weight.new_zeros(batch, 1, height_small, width_small),)

    def coefficients(
        self, src_small: Tensor, last: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """slope, offset (B, 4, h, w), coarse alpha (B, 1, h, w) and the new state."""
        features = torch.tanh(self.encode(torch.cat([src_small, last.to(src_small.dtype)], 1)))
        slope = 0.1 * self.slope(features)
        offset = 0.1 * self.project(features) + 0.3
        guide = torch.cat([src_small, src_small.mean(1, keepdim=True)], 1)
        coarse = (slope * guide + offset)[:, 3:].clamp(0, 1)
        return slope, offset, coarse, coarse
