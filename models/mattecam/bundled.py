"""Loads and saves the weights that ship with the program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.mattecam.network import MattecamNetwork, has_trunk
from models.mattecam.plate import PlateNetwork
from models.mattecam.quantized import load_quantized
from models.mattecam.spec import BUNDLED, BUNDLED_WITH_PLATE


def load_bundled() -> MattecamNetwork:
    """Return Mattecam's network with its bundled weights, in float32 and evaluation mode.

    Raises OSError if the file is missing, RuntimeError if it does not match the network exactly.
    """
    return load(BUNDLED)


def load_bundled_with_plate() -> PlateNetwork:
    """Return the network that also sees a plate, with its bundled weights; see `load_bundled`."""
    return network_with_plate_of(load_file(BUNDLED_WITH_PLATE)).eval()


def load(path: Path) -> MattecamNetwork:
    """Return Mattecam's network with weights from a file written by `save` or `save_quantized`; see `load_bundled`."""
    return network_of(load_file(path)).eval()


def network_of(tensors: Mapping[str, Tensor], refiner: str = "auto") -> MattecamNetwork:
    """Return the network with these weights, in float or int8. Raises RuntimeError if they do not match exactly.

    It has one refiner.
    """
    if any(tensor.dtype == torch.int8 for tensor in tensors.values()):
        return load_quantized(tensors)
    network = MattecamNetwork(has_trunk(tensors))
    network.load_state_dict(tensors, strict=True)
    return network


def network_with_plate_of(tensors: Mapping[str, Tensor], refiner: str = "auto") -> PlateNetwork:
    """Return the network that also sees a plate with these weights; RuntimeError as in `network_of`."""
    network = PlateNetwork(has_trunk(tensors))
    network.load_state_dict(tensors, strict=True)
    return network


def save(network: MattecamNetwork, path: Path) -> None:
    """Write the network's weights in half precision; integer batch counts are unchanged."""
    state = network.state_dict()
    save_file({name: _narrowed(value).contiguous() for name, value in state.items()}, path)


def _narrowed(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value
