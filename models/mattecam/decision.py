"""The decision stage in torch; `models.rules` explains it."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.rules import DecisionRule


class Decision(nn.Module):
    """Limits alpha to what the decisions nearby allow; has no parameters."""

    def __init__(self, rule: DecisionRule | None = None) -> None:
        super().__init__()
        self.rule = rule or DecisionRule()

    def forward(self, alpha: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Return the limited alpha, and the decisions, which are `last` in the next frame.

        alpha: (B, 1, h, w) in 0..1. last: the same size, from -1 (background) to 1 (foreground); 0 for the first frame.
        """
        rule = self.rule
        foreground = ((_mean(alpha, 1) - 0.5 + rule.hysteresis * last) / rule.width + 0.5).clamp(0, 1)
        lowest = _mean(-_largest(-foreground, rule.band), rule.ramp)
        highest = _mean(_largest(foreground, rule.band), rule.ramp)
        return torch.minimum(torch.maximum(alpha, lowest), highest), 2 * foreground - 1


def _largest(x: Tensor, radius: int) -> Tensor:
    return functional.max_pool2d(x, 2 * radius + 1, 1, radius)


def _mean(x: Tensor, radius: int) -> Tensor:
    return functional.avg_pool2d(functional.pad(x, (radius,) * 4, mode="replicate"), 2 * radius + 1, 1)
