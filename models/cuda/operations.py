"""The kernels of `source_encoder` and `source_decoder` as functions of tensors.

Activations are (B, H, W, C), contiguous, in the network's precision; parameters of the kernels are float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import torch
from torch import Tensor

from models.cuda.launch import Launch
from models.cuda.source_encoder import GROUP, LANES, TILE

THREADS = 256


class Activation(IntEnum):
    """As in the source."""

    NONE = 0
    RELU = 1
    HARD_SWISH = 2
    SIGMOID = 3
    HARD_SIGMOID = 4
    RELU6 = 5


@dataclass(frozen=True)
class Sums:
    """Sums over parts of an image, for its mean."""

    partial: Tensor
    """(B, parts, C) float32."""
    pixels: int
    """Pixels of the image."""


class Operations:
    """Launches kernels on tensors. Copies of a module share it."""

    def __init__(self, launch: Launch, dtype: torch.dtype) -> None:
        """dtype: of the activations, as `launch` was compiled for."""
        self.launch = launch
        self.dtype = dtype

    def __deepcopy__(self, memo: dict[int, Any]) -> Operations:
        return self

    def stem(self, image: Tensor, mean: Tensor, weight: Tensor, bias: Tensor, activation: Activation) -> Tensor:
        """Convolve image - mean, image (B, H, W, 3) float32, by 3x3 with a stride of 2; weight: (27, C)."""
        batch, height, width, _ = image.shape
        channels = weight.shape[1]
        out = self._empty(image, batch, -(-height // 2), -(-width // 2), channels)
        sizes = height, width, out.shape[1], out.shape[2], channels
        arguments = image, mean, weight, bias, out, *sizes, int(activation)
        self.launch("stem", _tiles(out), (THREADS, 1, 1), arguments)
        return out

    def depthwise(
        self,
        x: Tensor,
        input_bias: Tensor,
        weight: Tensor,
        bias: Tensor,
        stride: int,
        dilation: int,
        activations: tuple[Activation, Activation],
        *,
        sums: bool,
    ) -> tuple[Tensor, Sums | None]:
        """Convolve activation(x + input_bias) channel by channel, with "same" padding; weight: (k, k, C).

        activations: of the input and of the output. sums: whether those of the output are wanted.
        """
        batch, height, width, channels = x.shape
        out = self._empty(x, batch, -(-height // stride), -(-width // stride), channels)
        partial = _partial(out) if sums else None
        sizes = height, width, out.shape[1], out.shape[2], channels
        options = weight.shape[0], stride, dilation, *map(int, activations)
        arguments = x, input_bias, weight, bias, out, partial, *sizes, *options
        self.launch("depthwise", _tiles(out), (THREADS, 1, 1), arguments)
        return out, None if partial is None else Sums(partial, out.shape[1] * out.shape[2])

    def finish(
        self, x: Tensor, bias: Tensor, activation: Activation, residual: Tensor | None = None, *, sums: bool = False
    ) -> tuple[Tensor, Sums | None]:
        """Return activation(x + bias + residual), in place of x."""
        partial = _partial(x) if sums else None
        arguments = x, bias, residual, x, partial, *x.shape[1:], int(activation)
        self.launch("finish", _tiles(x), (THREADS, 1, 1), arguments)
        return x, None if partial is None else Sums(partial, x.shape[1] * x.shape[2])

    def squeeze(self, sums: Sums, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
        """Return activation(weight * mean + bias), (B, outputs) float32; weight: (outputs, C)."""
        batch, parts, channels = sums.partial.shape
        outputs = weight.shape[0]
        out = torch.empty((batch, outputs), dtype=torch.float32, device=weight.device)
        arguments = sums.partial, weight, bias, out, parts, sums.pixels, channels, outputs, int(activation)
        self.launch("squeeze", (-(-outputs // GROUP), 1, batch), (GROUP * LANES, 1, 1), arguments)
        return out

    def excite(self, hidden: Tensor, weight: Tensor, bias: Tensor, product: Tensor) -> Tensor:
        """Return product (C, outputs) scaled by each channel's gate, (B, C, outputs).

        The gates are the hard sigmoids of weight (C, inputs) * hidden (B, inputs) + bias.
        """
        (batch, inputs), (channels, outputs) = hidden.shape, product.shape
        out = self._empty(hidden, batch, channels, outputs)
        arguments = hidden, weight, bias, product, out, inputs, channels, outputs
        self.launch("excite", (-(-channels // GROUP), 1, batch), (GROUP * LANES, 1, 1), arguments)
        return out

    def join(
        self,
        coarse: Tensor,
        size: tuple[int, int],
        channels: int,
        *,
        bias: Tensor | None = None,
        activation: Activation = Activation.NONE,
        gate: Tensor | None = None,
        skip: Tensor | None = None,
        shift: Tensor | None = None,
        image: Tensor | None = None,
        level: int = 0,
    ) -> Tensor:
        """Return (B, *size, channels): [upsampled coarse, skip + shift, image, zeros].

        The first is activation(coarse + bias) * gate, (B, h, w, C), upsampled by 2. gate: (B, C).
        image: (B, H, W, 3) float32, of which 2^level x 2^level pixels are averaged.
        """
        batch, height, width, coarse_channels = coarse.shape
        out = self._empty(coarse, batch, *size, channels)
        sizes = *size, channels, height, width, coarse_channels, 0 if skip is None else skip.shape[3]
        image_size = (0, 0) if image is None else (image.shape[1], image.shape[2])
        arguments = coarse, bias, gate, skip, shift, image, out, *sizes, *image_size, level, int(activation)
        grid = -(-out[0].numel() // THREADS), 1, batch
        self.launch("join", grid, (THREADS, 1, 1), arguments)
        return out

    def enter(
        self, x: Tensor, bias: Tensor, state: Tensor, gate: Tensor | None = None, keep: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return two tensors like x for v = relu(x + bias) * gate: [first half of v, empty], [second half, state].

        keep: (B, H, W, 1) float32, the share of the state to use, here and in the next functions.
        """
        out, joined = torch.empty_like(x), torch.empty_like(x)
        pixels, total = x.shape[1] * x.shape[2], x.shape[0] * x.shape[1] * x.shape[2]
        arguments = x, bias, gate, state, keep, out, joined, total, pixels, state.shape[3]
        self.launch("enter", _flat(x), (THREADS, 1, 1), arguments)
        return out, joined

    def reset_state(
        self, gates: Tensor, bias: Tensor, state: Tensor, joined: Tensor, keep: Tensor | None = None
    ) -> None:
        """Write sigmoid(first half of gates + bias) * state to the second half of `joined`."""
        arguments = gates, bias, state, keep, joined, state[..., 0].numel(), state.shape[3]
        self.launch("reset_state", _flat(state), (THREADS, 1, 1), arguments)

    def blend(
        self,
        candidate: Tensor,
        candidate_bias: Tensor,
        gates: Tensor,
        bias: Tensor,
        state: Tensor,
        out: Tensor,
        keep: Tensor | None = None,
    ) -> Tensor:
        """Return the new state of a gated unit; write it also to the second half of `out`."""
        after = torch.empty_like(state)
        total, channels = state[..., 0].numel(), state.shape[3]
        arguments = candidate, candidate_bias, gates, bias, state, keep, after, out, total, channels
        self.launch("blend", _flat(state), (THREADS, 1, 1), arguments)
        return after

    def _empty(self, like: Tensor, *shape: int) -> Tensor:
        return torch.empty(shape, dtype=self.dtype, device=like.device)


def _partial(out: Tensor) -> Tensor:
    batch, height, width, channels = out.shape
    return torch.empty((batch, height * -(-width // TILE), channels), dtype=torch.float32, device=out.device)


def _tiles(out: Tensor) -> tuple[int, int, int]:
    batch, height, width, channels = out.shape
    return -(-height * -(-width // TILE) * channels // THREADS), 1, batch


def _flat(out: Tensor) -> tuple[int, int, int]:
    return -(-out.numel() // THREADS), 1, 1
