"""Clears memories where the picture changes, in torch; `models.rules` explains it."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.rules import ForgettingRule

CHANNELS = 3
Shares = tuple[Tensor, Tensor, Tensor]
"""Of the memories at 1/4, 1/8 and 1/16, (B * T, 1, h, w) in 0..1."""


class Forgetting(nn.Module):
    """Compares each small frame with the one before it; has no parameters."""

    def __init__(self, rule: ForgettingRule | None = None) -> None:
        super().__init__()
        self.rule = rule or ForgettingRule()

    def forward(self, image: Tensor, seen: Tensor | None, frames: int) -> tuple[Shares | None, Tensor]:
        """Return what share of the memories to keep, and the new `seen`.

        image: (B * frames, 3, H, W) in 0..1, consecutive frames of each of B streams. seen: means of the frame before
        them, (B, 3, h, w). Without it the first frame keeps everything, and None is returned for a single one.
        """
        means = _halved(_halved(image))
        clips = means.view(-1, frames, *means.shape[1:])
        if seen is None and frames == 1:
            return None, clips[:, -1]
        first = clips[:, 0] if seen is None else seen
        before = torch.cat([first[:, None], clips[:, :-1]], 1).flatten(0, 1)
        change = (means - before).abs().amax(1, keepdim=True)
        gone = (change / self.rule.change - 1).clamp(0, 1)
        fine = 1 - functional.max_pool2d(gone, 3, 1, 1)
        middle = _halved(fine)
        return (fine, middle, _halved(middle)), clips[:, -1]


def _halved(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=False)
