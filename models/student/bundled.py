"""The weights that ship with the program."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from models.student.network import StudentNetwork

BUNDLED = Path(__file__).with_name("student.safetensors")
"""The bundled weights, float16; see README.md beside them."""


def load_bundled() -> StudentNetwork:
    """The student with its bundled weights, in float32, ready for inference.

    Raises OSError where the file is missing, and RuntimeError where it does not fit the network exactly.
    """
    return load(BUNDLED)


def load(path: Path) -> StudentNetwork:
    """As `load_bundled`, from a file that `save` wrote."""
    network = StudentNetwork()
    network.load_state_dict(load_file(path), strict=True)
    return network.eval()


def save(network: StudentNetwork, path: Path) -> None:
    """Writes the network's weights in half precision, batch counts as they are."""
    state = network.state_dict()
    save_file({name: _narrowed(value).contiguous() for name, value in state.items()}, path)


def _narrowed(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value
