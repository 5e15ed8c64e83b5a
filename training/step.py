"""Arithmetic of a training step: from a batch of samples to the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from app.matting.choice.hardware import cpu_has_bfloat16
from models.mattecam.network import MattecamNetwork, pixels_of, shares_to_keep, stretched
from training.data import Sample
from training.loader import Batch
from training.losses import coherence_loss, laplacian_loss, segmentation_loss, undecided_loss
from training.mimicry import Mimicry

_FEATURES = (32, 48, 64)
_ENTROPY = 0.5
_HINT = 0.15
_FEATURE = 0.25
_UNDECIDED = 1.5
_STRETCH = 0.01
"""Less than `models.mattecam.network.ALPHA_MARGIN`, which says why."""
EDGE_REACH = 6
"""Pixels of the small frame: about 10 at 512x288."""


class Learner(nn.Module):
    """The student with auxiliary heads for training: rough mattes from the coarse features.

    They supervise the deeper layers at 1/4, 1/8 and 1/16 directly.
    """

    def __init__(self, hints: bool = True, student: MattecamNetwork | None = None) -> None:
        """hints: train with the auxiliary heads. New heads before a trained network would spoil it."""
        super().__init__()
        self.hints = hints
        self.student = student or MattecamNetwork()
        self.heads = nn.ModuleList(nn.Conv2d(channels, 1, 1) for channels in _FEATURES)
        self.mimicry = Mimicry(self.student.get_parameter("decode4.0.weight").shape[1])

    def forward(
        self, batch: Batch, dtype: torch.dtype | None, wanted: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the terms of the loss, to be summed, for (B, T, C, H, W) in 0..1; src begins with
        the frame's RGB.

        dtype: half precision in which the network runs, None for float32; the losses stay in
        float32. wanted: the features of `training.mimicry.FeatureTeacher`.
        """
        src, fgr, pha, _ = batch
        frames = src.shape[1]
        flat = src.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        image = flat[:, :3]
        with torch.autocast(src.device.type, dtype, enabled=dtype is not None):
            keep, _ = shares_to_keep(image, None, frames)
            cells, features, _ = self.student.cells(flat, None, None, None, frames, keep)
            raw = pixels_of(cells, flat)
            *scales, deep = features
            rough = [head(x) for head, x in zip(self.heads, scales, strict=True)]
            mimicry = None if wanted is None else _FEATURE * self.mimicry(deep, wanted)
        residual, logit = raw[:, :3].float(), raw[:, 3:].float()
        truth = pha.flatten(0, 1)
        alpha = stretched(logit, _STRETCH)
        seen = truth > 0
        wanted = (fgr.flatten(0, 1) - image) * seen
        losses = {
            "l1": functional.l1_loss(alpha, truth),
            "laplacian": laplacian_loss(alpha, truth, levels=4),
            "coherence": coherence_loss(alpha.view_as(pha), pha),
            "entropy": _ENTROPY * segmentation_loss(logit, truth),
            "undecided": _UNDECIDED * undecided_loss(alpha, truth, EDGE_REACH),
            "foreground": functional.l1_loss(residual * seen, wanted),
        }
        if mimicry is not None:
            losses["features"] = mimicry
        if not self.hints:
            return losses
        hints = [
            segmentation_loss(x.float(), functional.adaptive_avg_pool2d(truth, x.shape[2:]))
            for x in rough
        ]
        losses["hints"] = _HINT * torch.stack(hints).sum()
        return losses


def half_type(device: torch.device) -> torch.dtype | None:
    """Return bfloat16, or float16 on GPUs without it (before Ampere), which then need a scaled
    loss.

    None on CPUs without it, where a step takes ten times as long in bfloat16 as in float32.
    """
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16 if device.type != "cpu" or cpu_has_bfloat16() else None


def stacked(samples: Sequence[Sample]) -> Batch:
    """Return the samples as tensors on the CPU."""
    return Batch(
        *(
            torch.from_numpy(np.stack([getattr(each, name) for each in samples]))
            for name in Batch._fields
        )
    )


def on_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch in 0..1, (B, T, C, H, W). From pinned memory the copy does not block."""
    return Batch(
        *(x.to(device, non_blocking=True).permute(0, 1, 4, 2, 3).float() / 255 for x in batch)
    )


def to_batch(samples: Sequence[Sample], device: torch.device) -> Batch:
    """Return `on_device` of the samples."""
    return on_device(stacked(samples), device)
