"""Losses: those of RVM (arXiv 2108.11515, section 4), and the indecision far from edges.

Predictions and references are float tensors in 0..1.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

_LEVELS = 5
_COHERENCE = 5.0
_FLAT = 0.05
"""Variation of the reference alpha below which a place counts as free of edges."""


def coherence_loss(pred: Tensor, true: Tensor) -> Tensor:
    """Return five times the mean squared difference of the temporal derivatives of (B, T, C, H, W)."""
    if pred.shape[1] < 2:
        return pred.new_zeros(())
    change = pred[:, 1:] - pred[:, :-1]
    return _COHERENCE * functional.mse_loss(change, true[:, 1:] - true[:, :-1])


def segmentation_loss(logits: Tensor, true: Tensor) -> Tensor:
    """Return the binary cross entropy of logits against targets in 0..1 of equal shape."""
    return functional.binary_cross_entropy_with_logits(logits, true)


def undecided_loss(pred: Tensor, true: Tensor, reach: int) -> Tensor:
    """Return error and indecision of alpha (B, 1, H, W) far from every reference edge.

    A ghost shows the background and looks broken, so a value between 0 and 1 costs more there than
    its error alone. reach: pixels around a true edge that are exempt (hair, motion blur).
    """
    far = (variation(true, reach) < _FLAT).float()
    return (far * ((pred - true).abs() + 2 * pred * (1 - pred))).mean()


def laplacian_loss(pred: Tensor, true: Tensor, levels: int = _LEVELS) -> Tensor:
    """Return the L1 distance of Laplacian pyramids of (B, 1, H, W): mean over levels, level s
    weighted 2^(s - 1).
    """
    # The pyramid is linear: the pyramid of the difference costs half of two pyramids.
    difference = pred - true
    loss = difference.new_zeros(())
    for level in range(levels):
        height, width = difference.shape[2] // 2 * 2, difference.shape[3] // 2 * 2
        difference = difference[:, :, :height, :width]
        halved = _halved(_halved(difference, 2), 3)
        loss = loss + 2**level * (difference - _doubled(_doubled(halved, 2), 3)).abs().mean()
        difference = halved
    return loss / levels


# Sums and maxima of slices: with one channel many times faster on a CPU than a convolution or
# pooling.


def variation(x: Tensor, reach: int) -> Tensor:
    """Return by how much x (B, 1, H, W) varies within `reach` pixels in both directions."""
    return highest(x, reach) + highest(-x, reach)


def highest(x: Tensor, reach: int) -> Tensor:
    """Return the highest value of x (B, 1, H, W) within `reach` pixels in both directions."""
    for axis in (2, 3):
        sides = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
        x = functional.pad(x, sides, value=-math.inf)
        width, wanted = 1, 2 * reach + 1  # x holds the maxima of windows of this width
        while width < wanted:
            step = min(width, wanted - width)
            count = x.shape[axis] - step
            x = torch.maximum(x.narrow(axis, 0, count), x.narrow(axis, step, count))
            width += step
    return x


def _halved(x: Tensor, axis: int) -> Tensor:
    """Return every second value along `axis` of x convolved with [1 4 6 4 1] / 16, reflected at the
    borders.
    """
    size = x.shape[axis]
    even, odd = _every_second(x, axis, 0), _every_second(x, axis, 1)
    count = size // 2
    before_even = torch.cat([even.narrow(axis, 1, 1), even.narrow(axis, 0, count - 1)], axis)
    after_even = torch.cat([even.narrow(axis, 1, count - 1), even.narrow(axis, count - 1, 1)], axis)
    before_odd = torch.cat([odd.narrow(axis, 0, 1), odd.narrow(axis, 0, count - 1)], axis)
    return (before_even + after_even) / 16 + (before_odd + odd) / 4 + even * 0.375


def _doubled(x: Tensor, axis: int) -> Tensor:
    """Return twice as many values along `axis`: zeros inserted, then convolved with [1 4 6 4 1] /
    8, reflected.
    """
    count = x.shape[axis]
    before = torch.cat([x.narrow(axis, 1, 1), x.narrow(axis, 0, count - 1)], axis)
    after = torch.cat([x.narrow(axis, 1, count - 1), x.narrow(axis, count - 1, 1)], axis)
    even, odd = (before + after) / 8 + x * 0.75, (x + after) / 2
    return torch.stack([even, odd], axis + 1).flatten(axis, axis + 1)


def _every_second(x: Tensor, axis: int, first: int) -> Tensor:
    return x[:, :, first::2] if axis == 2 else x[:, :, :, first::2]
