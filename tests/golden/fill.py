"""Deterministic weights and images behind the golden tensors, so that no checkpoint has to be shipped.

Every value depends only on the parameter's name and shape, or on the image's size, seed and time step.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

# Scales of the last convolutions' weights and values of their biases by channel: they keep alpha and error
# inside 0..1, away from the clamps.
_HEAD_WEIGHTS = {
    "project_mat.conv.weight": 2.0,
    "decoder.conv4.weight": 2.0,
    "refiner.conv4.weight": 2.0,
}
_HEAD_BIASES = {
    "project_mat.conv.bias": {3: 0.5},
    "decoder.conv4.bias": {0: 0.5, 4: 0.3},
    "refiner.conv4.bias": {0: 0.5},
}


def parameter(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The value of the state-dict entry `name` with this `shape`."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        values = rng.uniform(0.8, 1.2, shape)
    elif name.endswith(("running_mean", "bias")):
        values = rng.normal(0, 0.05, shape)
    elif len(shape) == 1:  # a normalisation layer's scale
        values = rng.uniform(0.6, 0.9, shape)
    else:  # a convolution's kernel (out, in / groups, height, width)
        values = rng.normal(0, 1.3 / np.sqrt(np.prod(shape[1:])), shape)
    if name in _HEAD_WEIGHTS:
        values = (values - values.mean((1, 2, 3), keepdims=True)) * _HEAD_WEIGHTS[name]
    for channel, value in _HEAD_BIASES.get(name, {}).items():
        values[channel] = value
    return values.astype(np.float32)


def fill(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy of a state dict with every entry replaced, num_batches_tracked excepted."""
    import torch

    return {
        name: value
        if name.endswith("num_batches_tracked")
        else torch.from_numpy(parameter(name, tuple(value.shape)))
        for name, value in state_dict.items()
    }


def image(height: int, width: int, seed: int = 0, t: int = 0) -> NDArray[np.float32]:
    """A smooth RGB image (3, height, width) in 0..1 whose content moves with `t`."""
    rng = np.random.default_rng(1000 + seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    out = np.zeros((3, height, width))
    for channel in range(3):
        for _ in range(6):
            fx, fy = rng.uniform(0.5, 9, 2) / max(height, width) * 2 * np.pi
            amplitude = rng.uniform(0.2, 1)
            phase = rng.uniform(0, 6.28)
            out[channel] += amplitude * np.sin(fx * (x + 3 * t) + fy * y + phase)
    out -= out.min()
    out /= out.max()
    return out.astype(np.float32)
