"""Inference core of RVM: encoder and decoder without the image pyramid and the guided filter.

In bfloat16, RVM's error has three sources: the first two thirds of MobileNetV3, mainly the convolutions at the frame's
own scale; the finest features in two convolutions of the decoder; and the deep guided filter, which subtracts nearly
equal means. The first two form the float32 part `encoder`; the filter is exported as weights. With the rest in
bfloat16, the alpha error is at most 5 of 255. ResNet50 takes most of the computation and loses no accuracy in bfloat16.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.backbones import MobileNetV3Large
from models.blocks import FILTER_EPS
from models.export import Export, ExportStage, example_inputs
from models.quantization import quantize_convolutions, quantized_names, round_weights, set_input_scales
from models.rules import COEFFICIENTS, FastFilterWeights, FilterWeights, Floats, LearnedFilterWeights, state_names
from models.rvm.network import MattingNetwork, RecurrentDecoder, UpsamplingBlock, upsample_like

ENCODER_LAYERS = 14
"""Number of MobileNetV3 layers that run in float32."""
_FINEST, _FINE, _MIDDLE = 1, 3, 6
"""Layers whose outputs are also inputs of the decoder."""


def _split(conv: nn.Conv2d, norm: nn.BatchNorm2d, channels: int) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Split norm(conv(x)) into a sum of two convolutions: of the first `channels` of x, and of the others.

    The second convolution has the bias.
    """
    folded = fuse_conv_bn_eval(conv, norm)
    return _convolution(folded.weight[:, :channels], None), _convolution(folded.weight[:, channels:], folded.bias)


def _convolution(weights: Tensor, bias: Tensor | None) -> nn.Conv2d:
    made = nn.Conv2d(weights.shape[1], weights.shape[0], 3, padding=1, bias=bias is not None)
    made.weight = nn.Parameter(weights.detach().clone(), requires_grad=False)
    if bias is not None:
        made.bias = nn.Parameter(bias.detach().clone(), requires_grad=False)
    return made


class SplitBlock(nn.Module):
    """A decoder block whose convolution of [coarser, features, image] is split into a sum of two convolutions.

    `skip`, of [features, image], can run in another part and precision than `coarser`.
    """

    def __init__(self, block: UpsamplingBlock) -> None:
        super().__init__()
        conv, norm = cast("nn.Conv2d", block.conv[0]), cast("nn.BatchNorm2d", block.conv[1])
        skip_channels = block.skip_channels + 3
        self.coarser, self.skip = _split(conv, norm, conv.in_channels - skip_channels)
        self.block = block

    def forward(self, x: Tensor, skip: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return (output, state) from x at the coarser level and the output of `skip`."""
        x = torch.relu(self.coarser(upsample_like(x, skip)) + skip)
        return self.block.remember(x, h)


class SplitOutput(nn.Module):
    """The last decoder block, with its convolution of [coarser, image] split into a sum of two."""

    def __init__(self, decoder: RecurrentDecoder) -> None:
        super().__init__()
        first, norm, *rest = decoder.decode0.conv
        conv = cast("nn.Conv2d", first)
        self.coarser, self.image = _split(conv, cast("nn.BatchNorm2d", norm), conv.in_channels - 3)
        self.rest = nn.Sequential(*rest)

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        """Return the features (1, C, h, w)."""
        hid: Tensor = self.rest(self.coarser(upsample_like(x, image)) + self.image(image))
        return hid


class Encoder(nn.Module):
    """MobileNetV3's first layers, and the convolutions of its two finest features for the decoder."""

    def __init__(self, backbone: MobileNetV3Large, skip1: nn.Conv2d, skip2: nn.Conv2d) -> None:
        super().__init__()
        self.normalise = backbone.normalise
        self.layers = backbone.features[:ENCODER_LAYERS]
        self.skip1, self.skip2 = skip1, skip2

    def forward(self, small: Tensor, half1: Tensor, half2: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the two skips, finest first, the features at 1/8, and those after the last layer of this part."""
        x = self.normalise(small)
        taps: dict[int, Tensor] = {}
        for index, layer in enumerate(self.layers):
            taps[index] = x = layer(x)
        finest, fine = self.skip1(torch.cat([taps[_FINEST], half1], 1)), self.skip2(torch.cat([taps[_FINE], half2], 1))
        return finest, fine, taps[_MIDDLE], x


class DecoderExport(nn.Module):
    """The rest of the network: deepest layers, LR-ASPP, decoder, and the projection for the fast guided filter."""

    def __init__(self, network: MattingNetwork, deepest: nn.Module, split1: SplitBlock, split2: SplitBlock) -> None:
        super().__init__()
        self.project = network.project_mat if network.refiner is None else nn.Identity()
        self.deepest, self.aspp = deepest, network.aspp
        self.decode4, self.decode3 = network.decoder.decode4, network.decoder.decode3
        self.decode2, self.decode1, self.decode0 = split2, split1, SplitOutput(network.decoder)

    def forward(
        self, small: Tensor, half3: Tensor, finest: Tensor, fine: Tensor, middle: Tensor, deep: Tensor, *states: Tensor
    ) -> tuple[Tensor, ...]:
        """Return the input of the guided filter (1, C, h, w), see `models.rules`, and the new states."""
        r1, r2, r3, r4 = states
        x, r4 = self.decode4.remember(self.aspp(self.deepest(deep)), r4)
        x, r3 = self.decode3(x, middle, half3, r3)
        x, r2 = self.decode2(x, fine, r2)
        x, r1 = self.decode1(x, finest, r1)
        return self.project(self.decode0(x, small)), r1, r2, r3, r4


class WholeBody(nn.Module):
    """Encoder and decoder in one part."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.backbone = network.backbone
        self.split1, self.split2 = SplitBlock(network.decoder.decode1), SplitBlock(network.decoder.decode2)
        self.decoder = DecoderExport(network, nn.Identity(), self.split1, self.split2)

    def forward(
        self, small: Tensor, half1: Tensor, half2: Tensor, half3: Tensor, *states: Tensor
    ) -> tuple[Tensor, ...]:
        """Return the input of the guided filter (1, C, h, w) and the new states."""
        f1, f2, f3, f4 = self.backbone(small)
        finest, fine = self.split1.skip(torch.cat([f1, half1], 1)), self.split2.skip(torch.cat([f2, half2], 1))
        outputs: tuple[Tensor, ...] = self.decoder(small, half3, finest, fine, f3, f4, *states)
        return outputs


class DirectOutput(nn.Module):
    """Output of a network that runs at full size: the matte is the offset, the slope is zero."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.project = nn.Identity() if network.refiner is None else network.project_mat

    def forward(self, small: Tensor, matte_input: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return slope, offset (1, 4, h, w) and alpha (1, 1, h, w)."""
        matte = self.project(matte_input)
        residual, alpha = (small + matte[:, :3]).clamp(0, 1) - small, matte[:, 3:].clamp(0, 1)
        offset = torch.cat([residual, alpha], 1)
        return torch.zeros_like(offset), offset, alpha


def export(network: nn.Module, direct: bool) -> Export:
    """Export RVM; with `direct`, without the guided filter, for frames that are not downsampled."""
    assert isinstance(network, MattingNetwork)
    examples, states = example_inputs(network, halvings=3)
    before, after = state_names(len(states))
    stages = _mobilenet_stages(network) if isinstance(network.backbone, MobileNetV3Large) else ()
    if not stages:
        reads = ("small", "half1", "half2", "half3", *before)
        stages = (ExportStage("body", WholeBody(network), reads, ("matte", *after), (*before, *after)),)
    if not direct:
        return Export(stages, examples, states, filter_weights(network))
    output = DirectOutput(network)
    return Export(
        (*stages, ExportStage("output", output, ("small", "matte"), COEFFICIENTS, float32=True)), examples, states
    )


def _mobilenet_stages(network: MattingNetwork) -> tuple[ExportStage, ...]:
    backbone = network.backbone
    assert isinstance(backbone, MobileNetV3Large)
    split1, split2 = SplitBlock(network.decoder.decode1), SplitBlock(network.decoder.decode2)
    between = ("finest", "fine", "middle", "deep")
    before, after = state_names(4)
    deepest = nn.Sequential(*backbone.features[ENCODER_LAYERS:])
    return (
        ExportStage(
            "encoder",
            Encoder(backbone, split1.skip, split2.skip),
            ("small", "half1", "half2"),
            between,
            between,
            float32=True,
        ),
        ExportStage(
            "decoder",
            DecoderExport(network, deepest, split1, split2),
            ("small", "half3", *between, *before),
            ("matte", *after),
            (*between, *before, *after),
        ),
    )


def filter_weights(network: MattingNetwork) -> FilterWeights:
    """Return the network's guided filter, with its normalizations folded into the convolutions."""
    refiner = network.refiner
    if refiner is None:
        return FastFilterWeights(FILTER_EPS, renormalize_borders=False)
    first, first_norm, _, second, second_norm, _, third = refiner.conv
    box = refiner.box_filter.weight.detach().reshape(4, 9).numpy().copy()
    return LearnedFilterWeights(
        _matrix(network.project_mat[0]), box, _matrix(first, first_norm), _matrix(second, second_norm), _matrix(third)
    )


def _matrix(conv: nn.Module, norm: nn.Module | None = None) -> Floats:
    """Return the weights (outputs, inputs + 1) of a 1x1 convolution, the bias last."""
    assert isinstance(conv, nn.Conv2d)
    if norm is not None:
        assert isinstance(norm, nn.BatchNorm2d)
        conv = fuse_conv_bn_eval(conv, norm)
    assert conv.bias is not None
    return torch.cat([conv.weight[:, :, 0, 0], conv.bias[:, None]], 1).detach().contiguous().numpy()


def quantized(export: Export, layers: Iterable[str]) -> Export:
    """Return a copy of an export with quantized convolutions; the caller sets their scales.

    layers: names of convolutions after the name of their part. Raises RuntimeError if one does not exist.
    """
    stages = copy.deepcopy(export.stages)
    made = replace(export, stages=stages)
    quantize_convolutions(parts_of(made), layers)
    return made


def load_quantized(export: Export, tensors: Mapping[str, Tensor]) -> Export:
    """Return a copy of an export in int8 with these scales. Raises RuntimeError if they do not fit."""
    made = quantized(export, quantized_names(tensors))
    set_input_scales(parts_of(made), tensors)
    round_weights(parts_of(made))
    return made


def parts_of(export: Export) -> nn.ModuleDict:
    """Return the modules of an export by the name of their part."""
    return nn.ModuleDict({stage.name: stage.module for stage in export.stages})
