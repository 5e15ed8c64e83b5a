"""Rounds exported weights to bfloat16, so that bfloat16 and float32 compute with the same ones.

Executors fold each normalization into its convolution before they round. What a rounded weight
changes is alike at every pixel of every frame and adds up over the layers, whereas the rounding
errors of activations average out.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


@torch.no_grad()
def round_weights(network: nn.Module) -> None:
    """Fold the scales of normalizations into their convolutions and round the weights of all
    convolutions, in place.

    A folded normalization keeps its shift and has a scale of 1.
    """
    folded: set[nn.Module] = set()
    for group in network.modules():
        if isinstance(group, nn.Sequential):
            for convolution, norm in pairwise(group):
                if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    _fold_scale(convolution, norm)
                    folded.add(norm)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.copy_(module.weight.bfloat16())
        assert module in folded or not isinstance(module, nn.BatchNorm2d), (
            "a normalization without a convolution"
        )


def _fold_scale(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    variance, mean = _given(norm.running_var), _given(norm.running_mean)
    scale = norm.weight * (variance + norm.eps).rsqrt()
    convolution.weight.mul_(scale.view(-1, 1, 1, 1))
    mean.mul_(scale)
    variance.fill_(1 - norm.eps)
    norm.weight.fill_(1)


def _given(statistic: Tensor | None) -> Tensor:
    assert statistic is not None, "a normalization without statistics"
    return statistic
