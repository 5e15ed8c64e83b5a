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
# Weights are in -127..127, one scale for each output channel.
WEIGHT_LIMIT = 127
# Largest sum of the weights of one sign of two neighbouring input channels. Processors without VNNI
# add the products of such a pair in 16 bits, and clip the sum: 255 · 128 still fits.
PAIR_LIMIT = 128
# End of the names of input scales.
INPUT = ".input"
# Ranges tried for a scale, as fractions of the largest value: not less than this, in such steps.
_LEAST = 0.15
_STEP = 1 / 64
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
        self.stride = convolution.stride[0]
        self.padding = convolution.kernel_size[0] // 2
        self.groups = convolution.groups
        self.register_buffer("scale", self.weight.detach().abs().amax((1, 2, 3)) / WEIGHT_LIMIT)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the convolution's output, in float32."""
        zero = torch.zeros(self.scale.shape[0], dtype=torch.int32)
        weight = torch.fake_quantize_per_channel_affine(
            self.weight,
            self.scale,
            zero,
            0,
            -WEIGHT_LIMIT,
            WEIGHT_LIMIT,
        )
        return self.convolve(x, weight)

    def convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the convolution with other weights."""
        return functional.conv2d(
            x,
            weight,
            self.bias,
            self.stride,
            self.padding,
            groups=self.groups,
        )


def quantize_convolutions(network: nn.Module, names: Iterable[str]) -> None:
    """Replace convolutions, in place, by a `Quantizer` and a `QuantizedConv` with the normalization
    folded into it.

    names: of convolutions, as in `named_modules`. Raises RuntimeError if one is no convolution that
    this replaces.
    """
    for name in names:
        path, _, leaf = name.rpartition(".")
        try:
            parent = network.get_submodule(path)
            convolution = network.get_submodule(name)
        except AttributeError as error:
            raise RuntimeError(f"{name} does not exist") from error
        if not isinstance(convolution, nn.Conv2d):
            raise RuntimeError(f"{name} is not a dense convolution")
        if convolution.groups > 1 or max(convolution.dilation) > 1:
            raise RuntimeError(f"{name} is not a dense convolution")
        folded = _folded(parent, leaf, convolution)
        setattr(parent, leaf, nn.Sequential(Quantizer(), QuantizedConv(folded)))


def best_scales(values: Tensor, limits: Limits, *, paired: bool = False) -> Tensor:
    """Return the scale of each row of (N, count) with the least squared rounding error, as
    `rounded` rounds.
    """
    largest = values.abs().amax(1).clamp_min(_TINY)
    best = largest / limits[1]
    least = torch.full_like(largest, math.inf)
    # Pairs may need larger steps than their weights alone.
    most = 2 if paired else 1
    for fraction in torch.arange(most, _LEAST, -_STEP):
        scale = largest * fraction / limits[1]
        error = (rounded(values, scale, limits, paired=paired) - values).square().mean(1)
        best = torch.where(error < least, scale, best)
        least = torch.minimum(error, least)
    return best


def rounded(values: Tensor, scale: Tensor, limits: Limits, *, paired: bool) -> Tensor:
    """Return the rows of (N, count) in multiples of their scale within the limits.

    paired: the values are weights, those of two neighbouring input channels behind each other;
    PAIR_LIMIT holds, too.
    """
    steps = (values / scale[:, None]).round().clamp(*limits)
    if paired:
        pairs = steps.view(len(steps), -1, 2)
        # Weights of opposite signs are within the limit.
        total = pairs.sum(2)
        excess = (total.abs() - PAIR_LIMIT).clamp_min(0)
        half = (excess / 2).floor()
        taken = total.sign()[..., None] * torch.stack([excess - half, half], 2)
        steps = (pairs - taken).flatten(1)
    return steps * scale[:, None]


@torch.no_grad()
def round_weights(network: nn.Module) -> None:
    """Round all weights, in place, with the scales that have the least squared error."""
    limits = (-WEIGHT_LIMIT, WEIGHT_LIMIT)
    for module in network.modules():
        if isinstance(module, QuantizedConv):
            inputs = module.weight.shape[1]
            channels_last = functional.pad(module.weight.permute(0, 2, 3, 1), (0, inputs % 2))
            rows = channels_last.flatten(1)
            paired = module.groups == 1
            module.scale.copy_(best_scales(rows, limits, paired=paired))
            rounded_rows = rounded(rows, module.scale, limits, paired=paired)
            weights = rounded_rows.view_as(channels_last)[..., :inputs]
            channels_first = weights.permute(0, 3, 1, 2).contiguous()
            module.weight = nn.Parameter(channels_first, requires_grad=False)


def set_input_scales(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Set scales and limits of the inputs of convolutions that `quantize_convolutions` replaced.

    Raises RuntimeError if a scale is missing or does not fit.
    """
    for name, quantizer in quantizers(network):
        try:
            limits = tuple(tensors[f"{name}.limits"].tolist())
            quantizer.scale.copy_(tensors[name + INPUT].reshape(()))
        except KeyError as error:
            raise RuntimeError(f"{name} has no scales") from error
        if limits not in (SIGNED, UNSIGNED):
            raise RuntimeError(f"{name} has unknown limits")
        quantizer.limits = limits


def quantized_names(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the convolutions whose scales `tensors` contains."""
    return [name.removesuffix(INPUT) for name in tensors if name.endswith(INPUT)]


def quantizers(network: nn.Module) -> Iterator[tuple[str, Quantizer]]:
    """Yield the quantizers that `quantize_convolutions` has added, with the names of their
    convolutions.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.Sequential) and len(module) == 2:
            quantizer, convolution = module
            if isinstance(quantizer, Quantizer) and isinstance(convolution, QuantizedConv):
                yield name, quantizer


def _folded(parent: nn.Module, leaf: str, convolution: nn.Conv2d) -> nn.Conv2d:
    """Return the convolution with the normalization that follows it in a sequence; remove that
    from the sequence.
    """
    if isinstance(parent, nn.Sequential) and int(leaf) + 1 < len(parent):
        norm = parent[int(leaf) + 1]
        if isinstance(norm, nn.BatchNorm2d):
            parent[int(leaf) + 1] = nn.Identity()
            return fuse_conv_bn_eval(convolution, norm)
    return convolution
