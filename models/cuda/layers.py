"""Parameters of fused layers, taken from layers of torch whose normalization is folded.

Modules hold them as parameters, so that they move with the module: those of convolutions and products in the precision
of the activations, those of the kernels in float32.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.cuda.operations import Activation, Operations

ALIGNMENT = 8
"""Convolutions of half precision are fastest with a multiple of this many channels."""


def frozen(tensor: Tensor, dtype: torch.dtype = torch.float32) -> nn.Parameter:
    """Return a contiguous parameter without gradient."""
    return nn.Parameter(tensor.detach().to(dtype).contiguous(), requires_grad=False)


def aligned(channels: int) -> int:
    """Return the least multiple of ALIGNMENT that is not below `channels`."""
    return -(-channels // ALIGNMENT) * ALIGNMENT


def conv_of(layer: nn.Module) -> nn.Conv2d:
    """Return a convolution, or that of its normalization and activation."""
    conv = layer[0] if isinstance(layer, nn.Sequential) else layer
    assert isinstance(conv, nn.Conv2d)
    return conv


def bias_of(layer: nn.Module) -> Tensor:
    """Return the bias of a convolution, zeros if it has none."""
    conv = conv_of(layer)
    return conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias.detach()


def matrix_of(layer: nn.Module) -> Tensor:
    """Return the weights (outputs, inputs) of a 1x1 convolution."""
    return conv_of(layer).weight.detach()[:, :, 0, 0]


def product(x: Tensor, weight: Tensor) -> Tensor:
    """Return x (B, H, W, C) times weight (C, outputs)."""
    return torch.mm(x.view(-1, x.shape[3]), weight).view(*x.shape[:3], weight.shape[1])


class Convolution(nn.Module):
    """A convolution without its bias, which the kernel after it adds. The input may have more channels, zeros."""

    def __init__(self, layer: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        conv = conv_of(layer)
        assert conv.groups == 1 and isinstance(conv.padding, tuple)
        self.inputs = aligned(conv.in_channels)
        weight = functional.pad(conv.weight.detach(), (0, 0, 0, 0, 0, self.inputs - conv.in_channels))
        self.weight = nn.Parameter(weight.to(dtype).contiguous(memory_format=torch.channels_last), requires_grad=False)
        self.bias = frozen(bias_of(conv))
        self.stride, self.padding = conv.stride[0], conv.padding[0]

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, H, W, inputs) to (B, H', W', outputs)."""
        out = functional.conv2d(x.permute(0, 3, 1, 2), self.weight, None, self.stride, self.padding)
        return out.permute(0, 2, 3, 1).contiguous()


class Stem(nn.Module):
    """The first convolution, with the normalization of the image."""

    def __init__(
        self, operations: Operations, layer: nn.Module, mean: Tensor, deviation: Tensor, activation: Activation
    ) -> None:
        super().__init__()
        conv = conv_of(layer)
        assert conv.kernel_size == (3, 3) and conv.stride == (2, 2)
        self.operations, self.activation = operations, activation
        self.mean = frozen(mean.flatten())
        weight = (conv.weight.detach() / deviation.view(1, 3, 1, 1)).permute(2, 3, 1, 0)
        self.weight = frozen(weight.reshape(27, -1))  # a conversion of the memory format moves four dimensions
        self.bias = frozen(bias_of(conv))

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, H, W, 3) float32 in 0..1 to (B, ceil(H / 2), ceil(W / 2), C)."""
        return self.operations.stem(image, self.mean, self.weight, self.bias, self.activation)


class GatedUnit(nn.Module):
    """The recurrent unit on half of the channels, with the layer before it; see `models.rvm.recurrence`."""

    def __init__(self, operations: Operations, gates: nn.Module, candidate: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.operations = operations
        self.gates, self.candidate = Convolution(gates, dtype), Convolution(candidate, dtype)

    def forward(
        self, x: Tensor, bias: Tensor, state: Tensor, gate: Tensor | None = None, keep: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Process relu(x + bias) * gate, x (B, H, W, C), with state (B, C / 2, H, W); return both with their shapes.

        keep: (B, H, W, 1) float32, the share of the state to use; None for all of it.
        """
        before = state.permute(0, 2, 3, 1).contiguous()
        out, joined = self.operations.enter(x, bias, before, gate, keep)
        gates = self.gates(joined)
        self.operations.reset_state(gates, self.gates.bias, before, joined, keep)
        candidate = self.candidate(joined)
        after = self.operations.blend(candidate, self.candidate.bias, gates, self.gates.bias, before, out, keep)
        return out, after.permute(0, 3, 1, 2)
