"""Sets the scales of an int8 network so that its activations and weights are rounded with the least squared error."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from models.mattecam.network import MattecamNetwork, Memories, pixels_of, stretched
from models.quantization import SIGNED, Quantizer, best_scales, set_weight_scales
from models.rvm.network import MattingNetwork
from training.data import SampleSource
from training.step import to_batch

_SAMPLED = 4000
"""Activations of each quantizer that are sampled in each call."""

Outputs = tuple[Tensor, Memories]


def batches(source: SampleSource, count: int, size: int) -> Iterator[Tensor]:
    """Yield `count` batches of `size` sequences, (B, T, 3, H, W) in 0..1."""
    for index in range(count):
        yield to_batch([source.draw(index * size + i) for i in range(size)], torch.device("cpu"))[0]


@torch.no_grad()
def calibrate(network: nn.Module, sequences: Iterator[Tensor], run_network: Callable[[Tensor], object]) -> None:
    """Set every scale of a quantized network, and the limits of its inputs.

    run_network: runs the network on a batch of `sequences`; the activations are those with rounded weights.
    """
    set_weight_scales(network)
    collectors = [(module, _Collector()) for module in network.modules() if isinstance(module, Quantizer)]
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
