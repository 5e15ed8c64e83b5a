"""Bottlenecks of MobileNet and EfficientNet in three launches.

The residual path is stored without the biases of its convolutions, so that a product can be added to it in place; each
reader adds what is missing, the shift. The 1x1 convolutions are products of matrices. Squeeze-and-excitation scales the
weights of the product after it, not the activations.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.backbones.mobilenetv3 import SqueezeExcite
from models.cuda.layers import bias_of, conv_of, frozen, matrix_of, product
from models.cuda.operations import Activation, Operations, Sums


class FusedBottleneck(nn.Module):
    """A bottleneck: product, depthwise convolution with the activations, gate, product."""

    def __init__(
        self,
        operations: Operations,
        convolutions: Sequence[nn.Module],
        shift: Tensor,
        activation: Activation,
        *,
        residual: bool,
        squeeze: SqueezeExcite | None = None,
    ) -> None:
        """convolutions: the one that expands, if there is one, the depthwise one and the one that narrows, with their
        normalizations folded. shift: what is missing in the input, per channel.
        """
        super().__init__()
        dtype = operations.dtype
        *expand, depthwise, narrow = convolutions
        conv = conv_of(depthwise)
        self.operations = operations
        self.residual = residual
        self.expand = frozen(matrix_of(expand[0]).T, dtype) if expand else None
        input_bias = bias_of(expand[0]) + matrix_of(expand[0]) @ shift if expand else shift
        self.input_bias = frozen(input_bias)
        self.weight, self.bias = frozen(conv.weight[:, 0].permute(1, 2, 0)), frozen(bias_of(conv))
        self.stride, self.dilation = conv.stride[0], conv.dilation[0]
        self.activations = (activation if expand else Activation.NONE), activation
        self.narrow = frozen(matrix_of(narrow).T, torch.float32 if squeeze else dtype)
        self.shift = bias_of(narrow) + (shift if self.residual else 0)
        self.gates = nn.ParameterList()
        if squeeze is not None:
            fc1, fc2 = squeeze.fc1, squeeze.fc2
            self.gates.extend(map(frozen, (matrix_of(fc1), bias_of(fc1), matrix_of(fc2), bias_of(fc2))))

    def forward(self, x: Tensor) -> Tensor:
        """Map an input to an output, both without their shifts."""
        wide = x if self.expand is None else product(x, self.expand)
        wide, sums = self.operations.depthwise(
            wide,
            self.input_bias,
            self.weight,
            self.bias,
            self.stride,
            self.dilation,
            self.activations,
            sums=len(self.gates) > 0,
        )
        narrow = self._gated(sums) if sums is not None else self.narrow
        if len(wide) == 1 or sums is None:
            narrow = narrow.view(narrow.shape[-2:])
            if not self.residual:
                return product(wide, narrow)
            x.view(-1, x.shape[3]).addmm_(wide.view(-1, wide.shape[3]), narrow)
            return x
        flat = wide.flatten(1, 2)
        if not self.residual:
            return torch.bmm(flat, narrow).view(*wide.shape[:3], -1)
        x.flatten(1, 2).baddbmm_(flat, narrow)
        return x

    def _gated(self, sums: Sums) -> Tensor:
        """Return the weights of the last product for each image, scaled by the gates."""
        first, first_bias, second, second_bias = self.gates
        hidden = self.operations.squeeze(sums, first, first_bias, Activation.RELU)
        return self.operations.excite(hidden, second, second_bias, self.narrow)
