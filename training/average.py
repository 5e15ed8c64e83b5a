"""Moving average of the weights, without a wait for the GPU."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn


class Average(nn.Module):
    """Moving average of a module's parameters and buffers, with a short window at first.

    In place of torch's `AveragedModel`, which reads its counter from the GPU three times per
    update.
    """

    n_averaged: Tensor

    def __init__(self, module: nn.Module, decay: float) -> None:
        super().__init__()
        self.module = deepcopy(module)
        self.decay = decay
        self.register_buffer("n_averaged", torch.tensor(0))  # stays on the CPU

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Move the average towards `module`."""
        count = int(self.n_averaged)
        decay = min(self.decay, (1 + count) / (10 + count)) if count else 0.0
        averages: list[Tensor] = []
        values: list[Tensor] = []
        for average, value in zip(_tensors(self.module), _tensors(module), strict=True):
            if average.is_floating_point():
                averages.append(average)
                values.append(value)
            else:
                average.copy_(value)
        torch._foreach_lerp_(averages, values, 1 - decay)
        self.n_averaged += 1


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*(p.detach() for p in module.parameters()), *module.buffers()]
