"""The golden cases: networks with reproducible weights, and the outputs of the published implementations."""

import json
from functools import cache
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tests.golden.fill import fill, image
from tests.golden.make import FULL_SIZE, STEP
from tests.paths import GOLDEN

TOLERANCE = 3e-5

Network = TypeVar("Network", bound=nn.Module)


def outputs(name: str) -> dict[str, NDArray[np.float32]]:
    """Return the expected outputs of a case; full-size outputs hold every third row and column."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays)


@cache
def published_names() -> dict[str, dict[str, list[int]]]:
    """Return name and shape of every entry of the published state dicts, by network."""
    names: dict[str, dict[str, list[int]]] = json.loads((GOLDEN / "state_dicts.json").read_text())
    return names


def names(network: nn.Module) -> dict[str, list[int]]:
    """Return name and shape of every entry of a network's state dict."""
    return {name: list(value.shape) for name, value in network.state_dict().items()}


def filled(network: Network) -> Network:
    """Fill the network with the golden weights and set it to evaluation mode."""
    network.load_state_dict(fill(network.state_dict()), strict=True)
    return network.eval()


def frame(height: int, width: int, seed: int, t: int = 0) -> Tensor:
    """Return a golden image as (1, 3, height, width)."""
    return torch.from_numpy(image(height, width, seed, t))[None]


def clip(height: int, width: int, frames: int, seed: int = 1) -> Tensor:
    """(1, frames, 3, height, width)"""
    return torch.stack([frame(height, width, seed, t) for t in range(frames)], 1)


def assert_golden(name: str, got: dict[str, Tensor], tolerance: float = TOLERANCE) -> None:
    """Assert that the outputs match every array of the case within the tolerance."""
    expected = outputs(name)
    assert set(got) == set(expected)
    for key, want in expected.items():
        value = got[key][..., ::STEP, ::STEP] if key in FULL_SIZE else got[key]
        np.testing.assert_allclose(value.numpy(), want, atol=tolerance, rtol=0, err_msg=f"{name}: {key}")
