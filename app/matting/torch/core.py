"""Adapter from a network to the frame step: the part that runs at the small size, with a uniform interface.

A core is a module `core(small, *state) -> (slope, offset, coarse_alpha, *state)`. `small` is (1, 3, h, w), RGB in 0..1.
`slope` and `offset`, (1, 4, h, w), are resized to the frame's size, where they map [R, G, B, mean of RGB] to
[foreground residual (3), alpha]. `coarse_alpha` is (1, 1, h, w) in 0..1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.export import TwoStageNetwork

State = tuple[Tensor, ...]


class Core(nn.Module):
    """Wraps a network's first stage; the frame step runs the second."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def initial_state(self, height: int, width: int) -> State:
        """Return the recurrent states before the first small frame of this size."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        return network.initial_state(1, height, width)

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope, offset, coarse alpha and the new states."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        return network.coefficients(small, *state)


def no_slope(offset: Tensor) -> Tensor:
    """Return zeros of the shape of `offset` without memory of that size."""
    return offset.new_zeros(1, 1, 1, 1).expand_as(offset)


class DirectCore(Core):
    """Core for a network that runs at full size: the matte is the offset, the slope is zero."""

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope (zero), offset, alpha and the new states."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        foreground, alpha, *new_state = network(small, *state)
        offset = torch.cat([foreground - small, alpha], 1)
        return no_slope(offset), offset, alpha, *new_state
