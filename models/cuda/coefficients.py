"""The kernels of `source_filter` as functions of tensors: what networks do beside their layers.

Everything is (B, h, w, channels), contiguous and float32, but for the input in the network's precision.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from models.cuda.operations import Operations
from models.decision_rule import DecisionRule
from models.forgetting_rule import ForgettingRule

BLOCK = (32, 8, 1)


class FilterLayers(NamedTuple):
    """Parameters of the learned guided filter."""

    boxes: Tensor
    """(4, 9)."""
    first: Tensor
    """(HIDDEN, 8 + HIDDEN)."""
    first_bias: Tensor
    second: Tensor
    """(HIDDEN, HIDDEN)."""
    second_bias: Tensor
    third: Tensor
    """(4, HIDDEN)."""
    third_bias: Tensor


def project(operations: Operations, raw: Tensor, raw_bias: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return weight (4, HIDDEN) * relu(raw + raw_bias) + bias."""
    matte = _empty(raw, 4)
    operations.launch("project", _grid(matte), BLOCK, (raw, raw_bias, weight, bias, matte, *matte.shape[1:3]))
    return matte


def deep_guided_filter(
    operations: Operations, image: Tensor, matte: Tensor, raw: Tensor, raw_bias: Tensor, layers: FilterLayers
) -> tuple[Tensor, Tensor, Tensor]:
    """Return slope, offset and coarse alpha; raw: as for `project`."""
    outputs = _empty(matte, 4), _empty(matte, 4), _empty(matte, 1)
    arguments = image, matte, raw, raw_bias, *layers, *outputs, *matte.shape[1:3]
    operations.launch("deep_guided_filter", _grid(matte), BLOCK, arguments)
    return outputs


def fast_guided_filter(
    operations: Operations, image: Tensor, matte: Tensor, eps: float, *, renormalize: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return slope, offset and coarse alpha. renormalize: at the borders, average the pixels inside the image."""
    outputs = _empty(matte, 4), _empty(matte, 4), _empty(matte, 1)
    arguments = image, matte, *outputs, *matte.shape[1:3], int(renormalize), eps
    operations.launch("fast_guided_filter", _grid(matte), BLOCK, arguments)
    return outputs


def shuffled_matte(operations: Operations, raw: Tensor, bias: Tensor, size: tuple[int, int], stretch: float) -> Tensor:
    """Return the matte (B, *size, 4) from raw (B, h, w, 16); alpha is its logit's sigmoid, cut off by `stretch`."""
    matte = torch.empty((raw.shape[0], *size, 4), dtype=torch.float32, device=raw.device)
    arguments = raw, bias, matte, *size, raw.shape[1], raw.shape[2], stretch
    operations.launch("shuffled_matte", _grid(matte), BLOCK, arguments)
    return matte


def kept_shares(
    operations: Operations, image: Tensor, last: Tensor, rule: ForgettingRule
) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Return the shares of the memories at 1/4, 1/8 and 1/16 to keep, and the means to compare the next frame with.

    last: those of the last frame, (B, ceil(H / 4), ceil(W / 4), 3).
    """
    seen, gone = torch.empty_like(last), _empty(last, 1)
    size = last.shape[1:3]
    arguments = image, last, seen, gone, *size, *image.shape[1:3], rule.change
    operations.launch("changes", _grid(gone), BLOCK, arguments)
    middle = _empty(gone[:, ::2, ::2], 1)
    shares = _empty(gone, 1), middle, _empty(middle[:, ::2, ::2], 1)
    operations.launch("shares", _grid(gone), BLOCK, (gone, *shares, *size))
    return shares, seen


def decided_matte(operations: Operations, matte: Tensor, last: Tensor, rule: DecisionRule) -> tuple[Tensor, Tensor]:
    """Return the matte after the decision stage, and the decisions (B, h, w, 1); `last`: those of the last frame."""
    decided, extremes, limited = _empty(matte, 1), _empty(matte, 2), _empty(matte, 4)
    size = matte.shape[1:3]
    for name, arguments in (
        ("decide", (matte, last, decided, *size, rule.hysteresis, rule.width)),
        ("extremes", (decided, extremes, *size, rule.band)),
        ("limit", (matte, extremes, limited, *size, rule.ramp)),
    ):
        operations.launch(name, _grid(matte), BLOCK, arguments)
    return limited, decided


def _empty(like: Tensor, channels: int) -> Tensor:
    return torch.empty((*like.shape[:3], channels), dtype=torch.float32, device=like.device)


def _grid(out: Tensor) -> tuple[int, int, int]:
    batch, height, width, _ = out.shape
    return -(-width // BLOCK[0]), -(-height // BLOCK[1]), batch
