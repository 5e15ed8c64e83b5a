"""The part of a network that works on the small frame, made alike for all of them.

A core is a module `core(small, *state) -> (slope, offset, coarse_alpha, *state)`. `slope` and `offset`, (1, 4, h, w),
map the frame [R, G, B, mean of RGB] to [foreground residual (3), alpha] once they are resized to the frame's size;
`coarse_alpha` is (1, 1, h, w) in 0..1. `small` is (1, 3, h, w), RGB in 0..1.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]


class TwoStageNetwork(Protocol):
    """What the recurrent networks of `models` have in common."""

    def initial_state(self, batch: int, height_small: int, width_small: int) -> State:
        """The states before the first frame."""
        ...

    def coefficients(self, src_small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """slope, offset, coarse alpha and the new states."""
        ...

    def __call__(self, src: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Foreground, alpha and the new states at one size, without the guided filter."""
        ...


class Core(nn.Module):
    """A network's first stage; the frame step does the second."""

    supports_strict = True
    """Whether strict mode can filter the coefficients."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def initial_state(self, height: int, width: int) -> State:
        """The states before the first small frame of this size."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        return network.initial_state(1, height, width)

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """slope, offset, coarse alpha and the new states."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        return network.coefficients(small, *state)


class DirectCore(Core):
    """A network that sees the whole frame: its matte is the offset, and there is no slope."""

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """slope (zero), offset, alpha and the new states."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        foreground, alpha, *new_state = network(small, *state)
        offset = torch.cat([foreground - small, alpha], 1)
        return torch.zeros_like(offset), offset, alpha, *new_state
