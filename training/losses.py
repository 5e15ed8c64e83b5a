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


def laplacian_loss(pred: Tensor, true: Tensor, levels: int = _LEVELS) -> Tensor:
    """L1 between the Laplacian pyramids of (B, 1, H, W), level s weighted 2^(s - 1), the mean over the levels."""
    # The pyramid is linear, so that of the difference is the difference of the pyramids, for half the work.
    difference = pred - true
    kernel = _gaussian(difference)
    loss = difference.new_zeros(())
    for level in range(levels):
        height, width = difference.shape[2] // 2 * 2, difference.shape[3] // 2 * 2
        difference = difference[:, :, :height, :width]
        halved = _blurred(difference, kernel)[:, :, ::2, ::2]
        loss = loss + 2**level * (difference - _doubled(halved, kernel)).abs().mean()
        difference = halved
    return loss / levels


def _gaussian(like: Tensor) -> Tensor:
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=like.dtype, device=like.device) / 16
    return torch.outer(row, row)[None, None]


def _blurred(image: Tensor, kernel: Tensor) -> Tensor:
    return functional.conv2d(functional.pad(image, (2, 2, 2, 2), mode="reflect"), kernel)


def _doubled(image: Tensor, kernel: Tensor) -> Tensor:
    """Twice the size by zero insertion, blurred, times four."""
    batch, channels, height, width = image.shape
    spread = image.new_zeros(batch, channels, 2 * height, 2 * width)
    spread[:, :, ::2, ::2] = image
    return 4 * _blurred(spread, kernel)
