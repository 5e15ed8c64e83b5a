"""Loads and saves the weights that ship with the program."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from models.student.network import StudentNetwork

BUNDLED = Path(__file__).with_name("student.safetensors")
"""Path of the bundled weights, float16; see README.md next to them."""


def load_bundled() -> StudentNetwork:
    """Return the student with its bundled weights, in float32 and evaluation mode.

    Raises OSError if the file is missing, RuntimeError if it does not match the network exactly.
    """
    return load(BUNDLED)


def load(path: Path) -> StudentNetwork:
    """Return the student with weights from a file written by `save`; see `load_bundled`."""
    network = StudentNetwork()
    network.load_state_dict(load_file(path), strict=True)
    return network.eval()


def save(network: StudentNetwork, path: Path) -> None:
    """Write the network's weights in half precision; integer batch counts are unchanged."""
    state = network.state_dict()
    save_file({name: _narrowed(value).contiguous() for name, value in state.items()}, path)


def _narrowed(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value
