"""Weights of Background Matting V2 that any machine can make and whose matte means something."""

from __future__ import annotations

import torch
from torch import Tensor

from models.bgmv2 import MattingRefine
from tests.golden.fill import fill

SLOPE = 8.0
START = 0.8
"""Alpha for so much less light than in the plate, summed over the colours, and where it begins."""
ALPHA = 0
ERROR = 4
FRAME = slice(0, 3)
PLATE = slice(3, 6)


def darker_than_the_plate() -> dict[str, Tensor]:
    """Filled weights, but for the last layers: alpha is how much darker the frame is than the plate, in both networks.

    The refiner is asked for everywhere; the foreground is the frame.
    """
    tensors = fill(MattingRefine("mobilenetv2").state_dict())
    last = tensors["decoder.conv4.weight"]
    last[:5] = 0
    tensors["decoder.conv4.bias"][:5] = torch.tensor([-START, 0, 0, 0, 1])
    _subtract(last[ALPHA, 48:])
    before_last = tensors["refiner.conv3.weight"]
    final = tensors["refiner.conv4.weight"]
    before_last[:] = final[:] = 0
    tensors["refiner.conv4.bias"][:] = 0
    _subtract(before_last[ALPHA, 16:])
    final[ALPHA, 0, 1, 1] = 1
    for name, value in (
        ("weight", 1.0),
        ("bias", -START),
        ("running_mean", 0.0),
        ("running_var", 1.0),
    ):
        tensors[f"refiner.bn3.{name}"][:] = value
    return tensors


def nobody() -> dict[str, Tensor]:
    """Filled weights whose matte is nobody: alpha is shifted far below zero."""
    tensors = fill(MattingRefine("mobilenetv2").state_dict())
    for name in ("decoder.conv4.bias", "refiner.conv4.bias"):
        tensors[name][ALPHA] -= 100
    return tensors


def _subtract(weight: Tensor) -> None:
    """(6, 3, 3), for frame and plate."""
    weight[FRAME, 1, 1] = -SLOPE
    weight[PLATE, 1, 1] = SLOPE
