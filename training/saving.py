"""Writes weights of networks: those that ship with the program, and scales of int8."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.mattecam.network import FIRST_KERNEL, MattecamNetwork, PlateNetwork
from models.quantization import INPUT, WEIGHT_LIMIT, QuantizedConv, quantizers


def save(network: MattecamNetwork, path: Path) -> None:
    """Write the network's weights in half precision; integer batch counts are unchanged."""
    state = network.state_dict()
    save_file({name: _narrowed(value).contiguous() for name, value in state.items()}, path)


def _narrowed(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value


def save_quantized(mattecam: MattecamNetwork, path: Path, metadata: dict[str, str]) -> None:
    """Write a network made by `quantized`: weights as int8, all other parameters as float32."""
    state = {name: value.detach().clone() for name, value in mattecam.state_dict().items()}
    for name, module in mattecam.named_modules():
        if isinstance(module, QuantizedConv):
            steps = module.weight.detach() / module.scale[:, None, None, None]
            state[f"{name}.weight"] = (
                steps.round().clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT).to(torch.int8)
            )
    save_file(state, path, metadata)


def input_scales(network: nn.Module) -> dict[str, Tensor]:
    """Return scales and limits of the inputs of the convolutions that `quantize_convolutions`
    replaced.
    """
    tensors: dict[str, Tensor] = {}
    for name, quantizer in quantizers(network):
        tensors[name + INPUT] = quantizer.scale.detach().clone().reshape(1)
        tensors[f"{name}.limits"] = torch.tensor(quantizer.limits, dtype=torch.int32)
    return tensors


def with_plate(network: MattecamNetwork) -> PlateNetwork:
    """Return a network with the same output for any plate, to begin training with."""
    if isinstance(network, PlateNetwork):
        return network
    state = network.state_dict()
    found = PlateNetwork.for_weights(state)
    kernel = state[FIRST_KERNEL]
    wide = torch.zeros_like(found.state_dict()[FIRST_KERNEL])
    wide[:, : kernel.shape[1]] = kernel
    found.load_state_dict({**state, FIRST_KERNEL: wide})
    return found
