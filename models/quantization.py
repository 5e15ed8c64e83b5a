"""Simulated int8 in torch: modules that round activations and the weights of convolutions.

Everything is computed in float32. OpenVINO's converter makes int8 convolutions of these modules.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Limits = tuple[int, int]
UNSIGNED: Limits = (0, 255)
SIGNED: Limits = (-128, 127)
WEIGHT_LIMIT = 127
"""Weights are in -127..127, one scale for each output channel."""
_INPUT = ".input"
_LEAST, _CANDIDATES = 0.15, 60
"""Ranges tried for a scale, as fractions of the largest value: from this to 1, so many."""
_TINY = 1e-8


class Quantizer(nn.Module):
    """Rounds activations to 8 bits, one scale per tensor."""

    scale: Tensor

    def __init__(self, limits: Limits = UNSIGNED) -> None:
        super().__init__()
        self.limits = limits
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Round x to multiples of the scale; clamp values beyond the range."""
        return torch.fake_quantize_per_tensor_affine(x, self.scale.item(), 0, *self.limits)


class QuantizedConv(nn.Module):
    """Convolution with 8-bit weights."""

    scale: Tensor

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = convolution.weight
        self.bias = convolution.bias
        self.stride, self.padding = convolution.stride[0], convolution.kernel_size[0] // 2
        self.groups = convolution.groups
        self.register_buffer("scale", self.weight.detach().abs().amax((1, 2, 3)) / WEIGHT_LIMIT)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the convolution's output, in float32."""
        zero = torch.zeros(self.scale.shape[0], dtype=torch.int32)
        weight = torch.fake_quantize_per_channel_affine(self.weight, self.scale, zero, 0, -WEIGHT_LIMIT, WEIGHT_LIMIT)
        return self.convolve(x, weight)

    def convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the convolution with other weights."""
        return functional.conv2d(x, weight, self.bias, self.stride, self.padding, groups=self.groups)


def quantize_convolutions(network: nn.Module, names: Iterable[str]) -> None:
    """Replace convolutions, in place, by a `Quantizer` and a `QuantizedConv` with the normalization folded into it.

    names: of convolutions, as in `named_modules`. Raises RuntimeError if one is no convolution that this replaces.
    """
    for name in names:
        path, _, leaf = name.rpartition(".")
        try:
            parent, convolution = network.get_submodule(path), network.get_submodule(name)
        except AttributeError as error:
            raise RuntimeError(f"{name} does not exist") from error
        if not isinstance(convolution, nn.Conv2d) or convolution.groups > 1 or max(convolution.dilation) > 1:
            raise RuntimeError(f"{name} is not a dense convolution")
        setattr(parent, leaf, nn.Sequential(Quantizer(), QuantizedConv(_folded(parent, leaf, convolution))))


def best_scales(values: Tensor, limits: Limits) -> Tensor:
    """Return the scale of each row of (N, count) with the least squared rounding error."""
    largest = values.abs().amax(1).clamp_min(_TINY)
    best, least = largest / limits[1], torch.full_like(largest, math.inf)
    for fraction in torch.linspace(_LEAST, 1, _CANDIDATES):
        scale = largest * fraction / limits[1]
        rounded = (values / scale[:, None]).round().clamp(*limits) * scale[:, None]
        error = (rounded - values).square().mean(1)
        best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    return best


@torch.no_grad()
def set_weight_scales(network: nn.Module) -> None:
    """Set the scales of all weights to those with the least squared rounding error."""
    for module in network.modules():
        if isinstance(module, QuantizedConv):
            module.scale.copy_(best_scales(module.weight.flatten(1), (-WEIGHT_LIMIT, WEIGHT_LIMIT)))


def input_scales(network: nn.Module) -> dict[str, Tensor]:
    """Return scales and limits of the inputs of the convolutions that `quantize_convolutions` replaced."""
    tensors: dict[str, Tensor] = {}
    for name, quantizer in _quantizers(network):
        tensors[name + _INPUT] = quantizer.scale.detach().clone().reshape(1)
        tensors[f"{name}.limits"] = torch.tensor(quantizer.limits, dtype=torch.int32)
    return tensors


def set_input_scales(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Set what `input_scales` returns. Raises RuntimeError if a scale is missing or does not fit."""
    for name, quantizer in _quantizers(network):
        try:
            limits = tuple(tensors[f"{name}.limits"].tolist())
            quantizer.scale.copy_(tensors[name + _INPUT].reshape(()))
        except KeyError as error:
            raise RuntimeError(f"{name} has no scales") from error
        if limits not in (SIGNED, UNSIGNED):
            raise RuntimeError(f"{name} has unknown limits")
        quantizer.limits = limits


def quantized_names(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the convolutions whose scales `tensors` contains."""
    return [name.removesuffix(_INPUT) for name in tensors if name.endswith(_INPUT)]


def _quantizers(network: nn.Module) -> Iterator[tuple[str, Quantizer]]:
    for name, module in network.named_modules():
        if isinstance(module, nn.Sequential) and len(module) == 2:
            quantizer, convolution = module
            if isinstance(quantizer, Quantizer) and isinstance(convolution, QuantizedConv):
                yield name, quantizer


def _folded(parent: nn.Module, leaf: str, convolution: nn.Conv2d) -> nn.Conv2d:
    """Return the convolution with the normalization that follows it in a sequence; remove that from the sequence."""
    if isinstance(parent, nn.Sequential) and int(leaf) + 1 < len(parent):
        norm = parent[int(leaf) + 1]
        if isinstance(norm, nn.BatchNorm2d):
            parent[int(leaf) + 1] = nn.Identity()
            return fuse_conv_bn_eval(convolution, norm)
    return convolution
