"""RVM with MobileNetV3 for NVIDIA GPUs: about 100 launches in place of 300.

The residual path of the encoder lacks its biases, see `models.cuda.bottleneck`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.backbones.mobilenetv3 import TAPS, Bottleneck, MobileNetV3Large, SqueezeExcite
from models.cuda.bottleneck import FusedBottleneck
from models.cuda.coefficients import FilterLayers, deep_guided_filter, fast_guided_filter, project
from models.cuda.launch import Launch
from models.cuda.layers import Convolution, GatedUnit, Stem, bias_of, frozen, matrix_of, product
from models.cuda.operations import Activation, Operations
from models.cuda.source_filter import HIDDEN
from models.rvm.decoder import State, UpsamplingBlock
from models.rvm.guided_filter import EPS, DeepGuidedFilter
from models.rvm.network import MattingNetwork
from models.rvm.sizes import feature_sizes


def fuse(network: nn.Module, launch: Launch, dtype: torch.dtype) -> nn.Module | None:
    """Return the network for a GPU, None if it has another encoder. Its normalizations must be folded, in float32."""
    if isinstance(network, MattingNetwork) and isinstance(network.backbone, MobileNetV3Large):
        return FusedMattingNetwork(network, Operations(launch, dtype)).eval()
    return None


class FusedMattingNetwork(nn.Module):
    """Has the interface of `MattingNetwork` for single frames."""

    reads_float32 = True
    """Images are always in float32."""

    def __init__(self, network: MattingNetwork, operations: Operations) -> None:
        super().__init__()
        decoder, dtype = network.decoder, operations.dtype
        self.operations = operations
        self.state_channels = decoder.state_channels
        self.encoder = _Encoder(network, operations)
        self.unit4 = GatedUnit(operations, decoder.decode4.gru.ih, decoder.decode4.gru.hh, dtype)
        blocks = (decoder.decode3, decoder.decode2, decoder.decode1)
        shifts = self.encoder.tap_shifts[::-1]
        self.blocks = nn.ModuleList(
            _DecoderBlock(operations, block, shift) for block, shift in zip(blocks, shifts, strict=True)
        )
        self.first, self.second = (Convolution(decoder.decode0.conv[index], dtype) for index in (0, 3))
        self.matrix, self.bias = frozen(matrix_of(network.project_mat.conv)), frozen(bias_of(network.project_mat.conv))
        refiner = network.refiner
        self.layers = nn.ParameterList(_filter_layers(refiner) if isinstance(refiner, DeepGuidedFilter) else ())
        assert self.matrix.shape[1] == HIDDEN

    def initial_state(self, batch: int, height_small: int, width_small: int) -> State:
        """See `MattingNetwork.initial_state`; in the layout of the activations."""
        r1, r2, r3, r4 = (
            self.first.weight.new_zeros(batch, *size, channels).permute(0, 3, 1, 2)
            for channels, size in zip(self.state_channels, feature_sizes(height_small, width_small), strict=True)
        )
        return r1, r2, r3, r4

    def coefficients(self, src_small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """See `MattingNetwork.coefficients`; src_small is float32."""
        image, raw, matte, new_state = self._decode(src_small, state)
        if len(self.layers):
            layers = FilterLayers(*self.layers)
            found = deep_guided_filter(self.operations, image, matte, raw, self.second.bias, layers)
        else:
            found = fast_guided_filter(self.operations, image, matte, EPS, renormalize=False)
        return *(each.permute(0, 3, 1, 2) for each in found), *new_state

    def forward(self, src: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return foreground, alpha and the new states at a ratio of 1."""
        _, _, matte, new_state = self._decode(src, state)
        matte = matte.permute(0, 3, 1, 2)
        return (src + matte[:, :3]).clamp(0, 1), matte[:, 3:].clamp(0, 1), *new_state

    def _decode(self, src: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, ...]]:
        """Return the image, the last convolution without bias and activation, the matte, and the new states."""
        image = src.permute(0, 2, 3, 1).contiguous()
        features, gate, *taps = self.encoder(image)
        after = []
        x, h = self.unit4(features, self.encoder.deepest_bias, state[3], gate)
        after.append(h)
        for index, block in enumerate(self.blocks):
            level = 3 - index
            x, h = block(x, taps[level - 1], image, level, state[level - 1])
            after.append(h)
        x = self.operations.join(x, (image.shape[1], image.shape[2]), self.first.inputs, image=image)
        x, _ = self.operations.finish(self.first(x), self.first.bias, Activation.RELU)
        raw = self.second(x)
        return image, raw, project(self.operations, raw, self.second.bias, self.matrix, self.bias), tuple(after[::-1])


class _DecoderBlock(nn.Module):
    def __init__(self, operations: Operations, block: nn.Module, shift: Tensor) -> None:
        super().__init__()
        assert isinstance(block, UpsamplingBlock)
        self.operations = operations
        self.conv = Convolution(block.conv, operations.dtype)
        self.unit = GatedUnit(operations, block.gru.ih, block.gru.hh, operations.dtype)
        self.shift = frozen(shift)

    def forward(self, x: Tensor, skip: Tensor, image: Tensor, level: int, state: Tensor) -> tuple[Tensor, Tensor]:
        size = skip.shape[1], skip.shape[2]
        joined = self.operations.join(x, size, self.conv.inputs, skip=skip, shift=self.shift, image=image, level=level)
        after: tuple[Tensor, Tensor] = self.unit(self.conv(joined), self.conv.bias, state)
        return after


class _Encoder(nn.Module):
    """MobileNetV3 and LR-ASPP up to the last product, whose bias and activation follow."""

    def __init__(self, network: MattingNetwork, operations: Operations) -> None:
        super().__init__()
        backbone, aspp = network.backbone, network.aspp
        assert isinstance(backbone, MobileNetV3Large)
        first, *blocks, last = backbone.features
        normalise = backbone.normalise
        self.operations = operations
        self.stem = Stem(operations, first, normalise.mean, normalise.std, Activation.HARD_SWISH)
        shift = torch.zeros(self.stem.bias.shape[0])
        self.blocks = nn.ModuleList()
        self.tap_shifts: list[Tensor] = []
        for index, block in enumerate(blocks, start=1):
            assert isinstance(block, Bottleneck)
            made = _fused(operations, block, shift)
            self.blocks.append(made)
            shift = made.shift
            if index in TAPS:
                self.tap_shifts.append(shift)
        self.last = frozen(matrix_of(last).T, operations.dtype)
        self.last_bias = frozen(bias_of(last) + matrix_of(last) @ shift)
        self.gate = frozen(matrix_of(aspp.aspp2[1]))
        self.deepest = frozen(matrix_of(aspp.aspp1).T, operations.dtype)
        self.deepest_bias = frozen(bias_of(aspp.aspp1))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the features of LR-ASPP without bias, their gate, and the taps without their shifts."""
        x = self.stem(image)
        taps = []
        for index, block in enumerate(self.blocks, start=1):
            x = block(x)
            if index in TAPS:
                taps.append(x)
        x, sums = self.operations.finish(product(x, self.last), self.last_bias, Activation.HARD_SWISH, sums=True)
        assert sums is not None
        gate = self.operations.squeeze(sums, self.gate, None, Activation.SIGMOID)
        return product(x, self.deepest), gate, *taps


def _fused(operations: Operations, block: Bottleneck, shift: Tensor) -> FusedBottleneck:
    layers = list(block.block)
    squeeze = next((layer for layer in layers if isinstance(layer, SqueezeExcite)), None)
    convolutions = [layer for layer in layers if layer is not squeeze]
    activation = Activation.RELU if _has_relu(convolutions[-2]) else Activation.HARD_SWISH
    return FusedBottleneck(operations, convolutions, shift, activation, residual=block.residual, squeeze=squeeze)


def _has_relu(layer: nn.Module) -> bool:
    return any(isinstance(part, nn.ReLU) for part in layer.children())


def _filter_layers(refiner: DeepGuidedFilter) -> list[Tensor]:
    boxes = refiner.box_filter.weight.detach().reshape(4, 9)
    convolutions = [layer for layer in refiner.conv if isinstance(layer, nn.Conv2d)]
    return [frozen(boxes), *(frozen(part) for conv in convolutions for part in (matrix_of(conv), bias_of(conv)))]
