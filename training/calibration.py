"""Sets the scales of the int8 network so that its activations and weights are rounded with the least squared error."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from models.student.network import Memories, StudentNetwork, stretched
from models.student.quantized import WEIGHT_LIMIT, QuantizedConv, Quantizer
from training.data import SampleSource
from training.step import to_batch

_SAMPLED = 4000
"""Activations of each quantizer that are sampled in each batch."""
_LEAST, _CANDIDATES = 0.15, 60
"""Ranges tried, as fractions of the largest value: from this to 1, so many."""
_TINY = 1e-8

Outputs = tuple[Tensor, Memories]


def batches(source: SampleSource, count: int, size: int) -> Iterator[Tensor]:
    """Yield `count` batches of `size` sequences, (B, T, 3, H, W) in 0..1."""
    for index in range(count):
        yield to_batch([source.draw(index * size + i) for i in range(size)], torch.device("cpu"))[0]


@torch.no_grad()
def calibrate(student: StudentNetwork, sequences: Iterator[Tensor]) -> None:
    """Set every scale of a network made by `quantized`; activations are those of the network with rounded weights."""
    for convolution in student.modules():
        if isinstance(convolution, QuantizedConv):
            limits = (-WEIGHT_LIMIT, WEIGHT_LIMIT)
            convolution.scale.copy_(_best_scales(convolution.weight.flatten(1), limits))
    collectors = [(module, _Collector()) for module in student.modules() if isinstance(module, Quantizer)]
    hooks = [module.register_forward_hook(collector) for module, collector in collectors]
    for sequence in sequences:
        run(student, sequence)
    for hook in hooks:
        hook.remove()
    for module, collector in collectors:
        module.scale.copy_(_best_scales(torch.cat(collector.values)[None], module.limits)[0])


class _Collector:
    """Forward hook that samples the input of a quantizer and passes it on unrounded."""

    def __init__(self) -> None:
        self.values: list[Tensor] = []

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        flat = inputs[0].flatten()
        self.values.append(flat[torch.randint(len(flat), (_SAMPLED,))])
        return inputs[0]


def _best_scales(values: Tensor, limits: tuple[int, int]) -> Tensor:
    """Return the scale of each row of (N, count) with the least squared rounding error."""
    largest = values.abs().amax(1).clamp_min(_TINY)
    best, least = largest / limits[1], torch.full_like(largest, math.inf)
    for fraction in torch.linspace(_LEAST, 1, _CANDIDATES):
        scale = largest * fraction / limits[1]
        rounded = (values / scale[:, None]).round().clamp(*limits) * scale[:, None]
        error = (rounded - values).square().mean(1)
        best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    return best


def run(network: StudentNetwork, sequence: Tensor) -> Outputs:
    """Return alpha (B, T, 1, H, W) before the decision stage, and the last states."""
    count, frames = sequence.shape[:2]
    raw, _, state = network.decode(sequence.flatten(0, 1), None, None, None, frames)
    return stretched(raw[:, 3:]).view(count, frames, 1, *raw.shape[2:]), state
