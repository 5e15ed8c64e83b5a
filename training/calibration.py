"""Sets the scales and biases of an int8 network.

Activations and weights are rounded with the least squared error, and means of outputs stay as they
were.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from models.mattecam.network import MattecamNetwork, Memories, pixels_of, stretched
from models.quantization import SIGNED, QuantizedConv, Quantizer, best_scales, round_weights
from models.rvm.network import MattingNetwork
from training.data import SampleSource
from training.step import to_batch

_SAMPLED = 4000
"""Activations of each quantizer that are sampled in each call."""

Outputs = tuple[Tensor, Memories]
N = TypeVar("N", bound=nn.Module)


def batches(source: SampleSource, count: int, size: int) -> Iterator[Tensor]:
    """Yield `count` batches of `size` sequences, (B, T, 3, H, W) in 0..1."""
    for index in range(count):
        yield to_batch([source.draw(index * size + i) for i in range(size)], torch.device("cpu"))[0]


@torch.no_grad()
def calibrate(
    network: nn.Module, sequences: Iterator[Tensor], run_network: Callable[[Tensor], object]
) -> None:
    """Round the weights of a quantized network, in place, and set the scales and limits of its
    inputs.

    run_network: runs the network on a batch of `sequences`; the activations are those with rounded
    weights.
    """
    round_weights(network)
    collectors = [
        (module, _Collector()) for module in network.modules() if isinstance(module, Quantizer)
    ]
    hooks = [module.register_forward_hook(collector) for module, collector in collectors]
    for sequence in sequences:
        run_network(sequence)
    for hook in hooks:
        hook.remove()
    for module, collector in collectors:
        values = torch.cat(collector.values)
        if bool((values < 0).any()):
            module.limits = SIGNED
        module.scale.copy_(best_scales(values[None], module.limits)[0])


@torch.no_grad()
def correct_biases(
    network: N, exact: N, sequences: Iterable[Tensor], run_network: Callable[[N, Tensor], object]
) -> None:
    """Shift biases so that rounding does not move the mean of any channel (arXiv 1906.04721,
    section 4.2).

    network: calibrated; exact: the same before; run_network: runs one of them on a batch of
    `sequences`.
    """
    exact = copy.deepcopy(exact)
    means: dict[str, list[Tensor]] = {}
    for name, module in exact.named_modules():
        if isinstance(module, Quantizer):
            module.register_forward_hook(lambda module, inputs, output: inputs[0])
        elif isinstance(module, QuantizedConv):
            module.register_forward_hook(partial(_remember, means.setdefault(name, [])))
    corrections = [
        module.register_forward_hook(_Correction(means[name]))
        for name, module in network.named_modules()
        if isinstance(module, QuantizedConv)
    ]
    for sequence in sequences:
        run_network(exact, sequence)
        run_network(network, sequence)
    for hook in corrections:
        hook.remove()


def _remember(
    means: list[Tensor], module: QuantizedConv, inputs: tuple[Tensor, ...], output: Tensor
) -> Tensor:
    """Keep the means of the convolution with unrounded weights, and return its output."""
    exact = module.convolve(inputs[0], module.weight)
    means.append(exact.mean((0, 2, 3)))
    return exact


class _Correction:
    """Forward hook that shifts the biases of a convolution by the mean difference to what the exact
    one returned.
    """

    def __init__(self, means: list[Tensor]) -> None:
        self._means, self._count = means, 0

    def __call__(self, module: QuantizedConv, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        self._count += 1
        shift = (self._means.pop(0) - output.mean((0, 2, 3))) / self._count
        assert module.bias is not None
        module.bias += shift
        return output + shift[:, None, None]


class _Collector:
    """Forward hook that samples the input of a quantizer and passes it on unrounded."""

    def __init__(self) -> None:
        self.values: list[Tensor] = []

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        flat = inputs[0].flatten()
        self.values.append(flat[torch.randint(len(flat), (_SAMPLED,))])
        return inputs[0]


def run(network: MattecamNetwork, sequence: Tensor) -> Outputs:
    """Return alpha (B, T, 1, H, W) before the decision stage, and the last states."""
    count, frames = sequence.shape[:2]
    flat = sequence.flatten(0, 1)
    cells, _, state = network.cells(flat, None, None, None, frames)
    raw = pixels_of(cells, flat)
    return stretched(raw[:, 3:]).view(count, frames, 1, *raw.shape[2:]), state


def run_rvm(network: MattingNetwork, sequence: Tensor) -> Tensor:
    """Return the coarse alpha (B, T, 1, H, W) of RVM, frame by frame."""
    r1, r2, r3, r4 = network.initial_state(len(sequence), *sequence.shape[-2:])
    alphas = []
    for frame in sequence.unbind(1):
        _, _, alpha, r1, r2, r3, r4 = network.coefficients(frame, r1, r2, r3, r4)
        alphas.append(alpha)
    return torch.stack(alphas, 1)
