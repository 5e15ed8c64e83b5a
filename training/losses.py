"""The losses of RVM's training (arXiv 2108.11515, section 4).

Predictions and truths are float tensors in 0..1: alpha (B, T, 1, H, W), foreground (B, T, 3, H, W).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

_LEVELS = 5
_COHERENCE = 5.0
_FLAT = 0.05
"""The true alpha has no edge where it varies less than this."""


@dataclass(frozen=True)
class MattingLosses:
    """The parts of `matting_losses`, scalars; `total` is their sum."""

    pha_l1: Tensor
    pha_laplacian: Tensor
    pha_coherence: Tensor
    fgr_l1: Tensor
    fgr_coherence: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return self.pha_l1 + self.pha_laplacian + self.pha_coherence + self.fgr_l1 + self.fgr_coherence


def matting_losses(pred_fgr: Tensor, pred_pha: Tensor, true_fgr: Tensor, true_pha: Tensor) -> MattingLosses:
    """Alpha: L1, Laplacian pyramid, coherence. Foreground: L1 and coherence, only where true alpha > 0."""
    seen = true_pha > 0
    pred_fgr, true_fgr = pred_fgr * seen, true_fgr * seen
    return MattingLosses(
        pha_l1=functional.l1_loss(pred_pha, true_pha),
        pha_laplacian=laplacian_loss(pred_pha.flatten(0, 1), true_pha.flatten(0, 1)),
        pha_coherence=coherence_loss(pred_pha, true_pha),
        fgr_l1=functional.l1_loss(pred_fgr, true_fgr),
        fgr_coherence=coherence_loss(pred_fgr, true_fgr),
    )


def coherence_loss(pred: Tensor, true: Tensor) -> Tensor:
    """Five times the mean squared difference of the changes from frame to frame, of (B, T, C, H, W)."""
    if pred.shape[1] < 2:
        return pred.new_zeros(())
    change = pred[:, 1:] - pred[:, :-1]
    return _COHERENCE * functional.mse_loss(change, true[:, 1:] - true[:, :-1])


def segmentation_loss(logits: Tensor, true: Tensor) -> Tensor:
    """Binary cross entropy of logits against 0..1, of equal shapes."""
    return functional.binary_cross_entropy_with_logits(logits, true)


def undecided_loss(pred: Tensor, true: Tensor, reach: int) -> Tensor:
    """Error and indecision of alpha (B, 1, H, W) far from every true edge.

    A ghost shows the background and looks broken, so a value between 0 and 1 costs more there than its error alone.
    reach: pixels around a true edge that are exempt (hair, motion blur).
    """
    size = 2 * reach + 1
    highest = functional.max_pool2d(true, size, 1, reach)
    lowest = -functional.max_pool2d(-true, size, 1, reach)
    far = (highest - lowest < _FLAT).float()
    return (far * ((pred - true).abs() + 2 * pred * (1 - pred))).mean()


def laplacian_loss(pred: Tensor, true: Tensor, levels: int = _LEVELS) -> Tensor:
    """L1 between the Laplacian pyramids of (B, 1, H, W), level s weighted 2^(s - 1), the mean over the levels."""
    # The pyramid is linear, so that of the difference is the difference of the pyramids, for half the work.
    difference = pred - true
    loss = difference.new_zeros(())
    for level in range(levels):
        height, width = difference.shape[2] // 2 * 2, difference.shape[3] // 2 * 2
        difference = difference[:, :, :height, :width]
        halved = _halved(_halved(difference, 2), 3)
        loss = loss + 2**level * (difference - _doubled(_doubled(halved, 2), 3)).abs().mean()
        difference = halved
    return loss / levels


# Sums of slices in place of convolutions: with one channel these are many times faster on a CPU.


def _halved(x: Tensor, axis: int) -> Tensor:
    """Every second value along `axis` of x convolved with [1 4 6 4 1] / 16, reflected at the ends."""
    size = x.shape[axis]
    even, odd = _every_second(x, axis, 0), _every_second(x, axis, 1)
    count = size // 2
    before_even = torch.cat([even.narrow(axis, 1, 1), even.narrow(axis, 0, count - 1)], axis)
    after_even = torch.cat([even.narrow(axis, 1, count - 1), even.narrow(axis, count - 1, 1)], axis)
    before_odd = torch.cat([odd.narrow(axis, 0, 1), odd.narrow(axis, 0, count - 1)], axis)
    return (before_even + after_even) / 16 + (before_odd + odd) / 4 + even * 0.375


def _doubled(x: Tensor, axis: int) -> Tensor:
    """Twice as many values along `axis`: zeros inserted, convolved with [1 4 6 4 1] / 8, reflected at the ends."""
    count = x.shape[axis]
    before = torch.cat([x.narrow(axis, 1, 1), x.narrow(axis, 0, count - 1)], axis)
    after = torch.cat([x.narrow(axis, 1, count - 1), x.narrow(axis, count - 1, 1)], axis)
    even, odd = (before + after) / 8 + x * 0.75, (x + after) / 2
    return torch.stack([even, odd], axis + 1).flatten(axis, axis + 1)


def _every_second(x: Tensor, axis: int, first: int) -> Tensor:
    return x[:, :, first::2] if axis == 2 else x[:, :, :, first::2]
